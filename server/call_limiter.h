// How many calls one certificate may make: a token bucket each, so that whoever holds one cannot fill the vault with
// ACCESS blocks.
#pragma once

#include <algorithm>
#include <map>
#include <string>

#include "common/clock.h"
#include "common/mutex.h"
#include "common/status.h"

namespace logvault::server {

inline constexpr double kCallsPerSecond = 20;
inline constexpr double kCallsAtOnce = 600;
inline constexpr std::size_t kTextBytesPerCall =
    16 * 1024;  // a longer query counts as several calls

// Safe from several threads.  Counts from the collector's start.
class CallLimiter {
 public:
  // `clock` must outlive this.
  explicit CallLimiter(const Clock& clock) : clock_(clock) {}

  // Takes one call of a query of `bytes`; kResourceExhausted, saying when to try again, where none is left.
  Status Take(const std::string& certificate, std::size_t bytes) LV_EXCLUDES(mutex_) {
    const std::size_t more_calls = bytes / kTextBytesPerCall;
    const double cost = 1.0 + static_cast<double>(more_calls);
    const UnixNanos now = clock_.Monotonic();
    MutexLock lock(mutex_);
    Forget(now);
    Bucket& bucket = buckets_.try_emplace(certificate, Bucket{kCallsAtOnce, now}).first->second;
    bucket.calls = CallsLeft(bucket, now);
    bucket.counted_at = now;
    if (bucket.calls < cost) {
      return ResourceExhausted(
          "this certificate has made too many calls: " +
          std::to_string(static_cast<int>(kCallsPerSecond)) + " a second go on for ever, " +
          std::to_string(static_cast<int>(kCallsAtOnce)) + " at once; try again in a moment");
    }
    bucket.calls -= cost;
    return Status::Ok();
  }

 private:
  struct Bucket {
    double calls = 0;
    UnixNanos counted_at = 0;  // monotonic
  };

  static double CallsLeft(const Bucket& bucket, UnixNanos now) {
    const double seconds = static_cast<double>(now - bucket.counted_at) / kNanosPerSecond;
    return std::min(kCallsAtOnce, bucket.calls + seconds * kCallsPerSecond);
  }

  // A full bucket is as good as none.
  void Forget(UnixNanos now) LV_REQUIRES(mutex_) {
    if (buckets_.size() < kBucketsMax) return;
    std::erase_if(buckets_, [now](const auto& known) {
      return CallsLeft(known.second, now) >= kCallsAtOnce;
    });
  }

  static constexpr std::size_t kBucketsMax = 1024;

  const Clock& clock_;
  Mutex mutex_;
  std::map<std::string, Bucket> buckets_ LV_GUARDED_BY(mutex_);
};

}  // namespace logvault::server
