// What one host may use: bytes a day and epochs a minute, so that an owned host cannot end
// everybody's logging.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>

#include "common/clock.h"
#include "common/mutex.h"
#include "common/status.h"

namespace logvault::server {

inline constexpr std::size_t kMaxEpochsPerMinute = 120;

// Safe from several threads.  Counts from the collector's start; days are UTC.
class HostBudgets {
 public:
  // `clock` must outlive this.
  HostBudgets(std::uint64_t bytes_per_day, const Clock& clock)
      : bytes_per_day_(bytes_per_day), clock_(clock) {}

  // Takes `bytes` of today's budget; kResourceExhausted where they are not left.  `first_refusal`
  // is set where this is the day's first, which is worth an alert.
  Status TakeBytes(const std::string& host, std::uint64_t bytes, bool& first_refusal)
      LV_EXCLUDES(mutex_);
  // kResourceExhausted where the host opened too many epochs in the last minute.
  Status TakeEpoch(const std::string& host) LV_EXCLUDES(mutex_);

 private:
  struct Used {
    std::int64_t day = 0;
    std::uint64_t bytes = 0;
    bool refused = false;
    std::deque<UnixNanos> epochs;  // monotonic times, the last minute's
  };

  const std::uint64_t bytes_per_day_;
  const Clock& clock_;
  Mutex mutex_;
  std::map<std::string, Used> used_ LV_GUARDED_BY(mutex_);
};

}  // namespace logvault::server
