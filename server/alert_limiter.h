// At most one alert an hour for the same matter, so that whoever causes alerts cannot fill the
// vault with them.
#pragma once

#include <map>
#include <string>

#include "common/clock.h"
#include "common/mutex.h"

namespace logvault::server {

// Safe from several threads.
class AlertLimiter {
 public:
  // `clock` must outlive this.
  explicit AlertLimiter(const Clock& clock) : clock_(clock) {}

  // True for the first time in an hour.  `matter` names a kind and a host.
  bool Allow(const std::string& matter) LV_EXCLUDES(mutex_) {
    const UnixNanos now = clock_.Monotonic();
    MutexLock lock(mutex_);
    const auto [last, is_new] = last_.try_emplace(matter, now);
    if (is_new) return true;
    if (now - last->second < 3600 * kNanosPerSecond) return false;
    last->second = now;
    return true;
  }

 private:
  const Clock& clock_;
  Mutex mutex_;
  std::map<std::string, UnixNanos> last_ LV_GUARDED_BY(mutex_);
};

}  // namespace logvault::server
