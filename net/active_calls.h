// The calls of one client that are running, so that another thread can cancel them.
#pragma once

#include <grpcpp/client_context.h>

#include <set>

#include "common/mutex.h"

namespace logvault::net {

class ActiveCalls {
 public:
  // Cancels what runs, and whatever starts later: a client that was cancelled stays so.
  void Cancel() LV_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    cancelled_ = true;
    for (grpc::ClientContext* context : running_) context->TryCancel();
  }

  [[nodiscard]] bool cancelled() const LV_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return cancelled_;
  }

  // Registers `context` while it lives.  Both must outlive it.
  class Scope {
   public:
    Scope(ActiveCalls& calls, grpc::ClientContext& context) : calls_(calls), context_(context) {
      MutexLock lock(calls_.mutex_);
      calls_.running_.insert(&context_);
      if (calls_.cancelled_) context_.TryCancel();  // before the call starts: it then ends at once
    }
    ~Scope() {
      MutexLock lock(calls_.mutex_);
      calls_.running_.erase(&context_);
    }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    ActiveCalls& calls_;
    grpc::ClientContext& context_;
  };

 private:
  mutable Mutex mutex_;
  bool cancelled_ LV_GUARDED_BY(mutex_) = false;
  std::set<grpc::ClientContext*> running_ LV_GUARDED_BY(mutex_);
};

}  // namespace logvault::net
