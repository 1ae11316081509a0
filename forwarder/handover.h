// Handover: what the shipper learns from the vault and the intake must act on.  While it is with the intake,
// nothing is shipped.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <utility>

#include "common/mutex.h"
#include "forwarder/doorbell.h"
#include "proto/logvault.pb.h"

namespace logvault::forwarder {

struct SessionNews {
  v1::SessionOpened opened;
  std::set<std::string> conflicts;  // sources whose numbers the vault has given to other records
  bool renew_epoch = false;         // the vault refused an epoch's registration
};

// Safe from several threads.
class Handover {
 public:
  // `to_intake` and `to_shipper` must outlive the handover.
  Handover(Doorbell& to_intake, Doorbell& to_shipper)
      : to_intake_(to_intake), to_shipper_(to_shipper) {}

  void Post(SessionNews news) LV_EXCLUDES(mutex_) {
    {
      MutexLock lock(mutex_);
      news_ = std::move(news);
      open_ = true;
    }
    to_intake_.Ring();
  }
  std::optional<SessionNews> Take() LV_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return std::exchange(news_, std::nullopt);
  }
  // The intake acted on it.
  void Done() LV_EXCLUDES(mutex_) {
    {
      MutexLock lock(mutex_);
      open_ = false;
    }
    to_shipper_.Ring();
  }
  [[nodiscard]] bool open() const LV_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return open_;
  }

 private:
  Doorbell& to_intake_;
  Doorbell& to_shipper_;
  mutable Mutex mutex_;
  std::optional<SessionNews> news_ LV_GUARDED_BY(mutex_);
  bool open_ LV_GUARDED_BY(mutex_) = false;
};

}  // namespace logvault::forwarder
