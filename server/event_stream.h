// EventStream: a server stream that is written from a worker's thread.  Send waits until the event
// before has left, so that a slow reader slows the work and memory holds two events; a reader that
// is gone stops it.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <stop_token>
#include <utility>

#include "common/mutex.h"
#include "common/status.h"
#include "net/status_map.h"

namespace logvault::server {

// A reader that takes nothing for so long is cut: it holds one of few workers.
inline constexpr std::chrono::minutes kStallMax{10};

template <typename Event>
class EventStream final : public grpc::ServerWriteReactor<Event> {
 public:
  // Keeps itself alive until gRPC is done with it.
  static std::shared_ptr<EventStream> Make(grpc::CallbackServerContext& context) {
    auto stream = std::make_shared<EventStream>(context);
    stream->self_ = stream;
    return stream;
  }
  explicit EventStream(grpc::CallbackServerContext& context) : context_(context) {}

  // False where the reader is gone: stop.  One thread at a time, and not after End.
  bool Send(Event event) LV_EXCLUDES(mutex_) {
    {
      MutexLock lock(mutex_);
      if (!AwaitWritten()) return false;
      writing_ = true;
      event_ = std::move(event);
    }
    this->StartWrite(&event_);
    return true;
  }

  // Waits until the last event has left.  `status`, or why the reader did not get everything: kCancelled where it is
  // gone, kAborted where it took nothing for kStallMax.
  Status Settle(Status status) LV_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    const bool sent = AwaitWritten();
    if (stalled_) return Aborted("the reader took nothing for minutes, and was cut");
    return sent ? status : Cancelled("the client left");
  }

  // Once, after the last Send.
  void End(const Status& status) LV_EXCLUDES(mutex_) {
    {
      MutexLock lock(mutex_);
      AwaitWritten();
      while (writing_) changed_.wait(mutex_);  // ends soon: the call is cancelled
    }
    this->Finish(net::ToGrpc(status));
  }

  // Asked to stop when the reader leaves.
  [[nodiscard]] std::stop_token stop_token() const { return stop_.get_token(); }

  void OnWriteDone(bool ok) override {
    MutexLock lock(mutex_);
    writing_ = false;
    if (!ok) gone_ = true;
    changed_.notify_all();
  }
  void OnCancel() override {
    stop_.request_stop();
    MutexLock lock(mutex_);
    gone_ = true;
    changed_.notify_all();
  }
  void OnDone() override { const std::shared_ptr<EventStream> last = std::move(self_); }

 private:
  // False where nothing may be sent any more.
  bool AwaitWritten() LV_REQUIRES(mutex_) {
    const auto deadline = std::chrono::steady_clock::now() + kStallMax;
    while (writing_ && !gone_) {
      if (changed_.wait_until(mutex_, deadline) != std::cv_status::timeout) continue;
      gone_ = stalled_ = true;
      context_.TryCancel();
    }
    return !gone_;
  }

  grpc::CallbackServerContext& context_;  // gRPC's, until OnDone
  std::stop_source stop_;
  std::shared_ptr<EventStream> self_;
  Event event_;  // gRPC's while a write is running

  Mutex mutex_;
  std::condition_variable_any changed_;
  bool writing_ LV_GUARDED_BY(mutex_) = false;
  bool gone_ LV_GUARDED_BY(mutex_) = false;
  bool stalled_ LV_GUARDED_BY(mutex_) = false;
};

}  // namespace logvault::server
