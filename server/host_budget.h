// What one host may use: bytes a day, bytes and blocks a second, epochs a minute, and, once four fifths of the disk are
// used, its even share of the rest; so that an owned host cannot end everybody's logging.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "common/clock.h"
#include "common/mutex.h"
#include "common/status.h"

namespace logvault::server {

inline constexpr std::size_t kMaxEpochsPerMinute = 120;

// Far beyond what a host needs to drain a backlog: they bound what an owned one can ask for.
inline constexpr double kHostBytesPerSecond = 64 << 20;
inline constexpr double kHostBlocksPerSecond = 1'000;
inline constexpr double kBurstSeconds = 4;

// Which part of the disk is only for hosts within their even share of it.
inline constexpr std::uint64_t kScarcePart = 5;

// What each of `hosts` may have used today where `free_bytes` of a disk of `disk_bytes` are left; nothing where there is
// enough for everybody.
std::optional<std::uint64_t> EvenShare(std::uint64_t disk_bytes, std::uint64_t free_bytes,
                                       std::size_t hosts);

// Safe from several threads.  Days are UTC.
class HostBudgets {
 public:
  // `clock` must outlive this.
  HostBudgets(std::uint64_t bytes_per_day, const Clock& clock)
      : bytes_per_day_(bytes_per_day), clock_(clock) {}

  // Takes `bytes` of today's budget; kResourceExhausted where they are not left.  `first_refusal`
  // is set where this is the day's first, which is worth an alert.
  Status TakeBytes(const std::string& host, std::uint64_t bytes, bool& first_refusal)
      LV_EXCLUDES(mutex_);
  // What the host had committed on `day` before this collector started; of another day than today it is nothing.
  void Know(const std::string& host, std::int64_t day, std::uint64_t bytes) LV_EXCLUDES(mutex_);
  // What was taken and not committed after all.
  void GiveBack(const std::string& host, std::uint64_t bytes) LV_EXCLUDES(mutex_);
  // kResourceExhausted where the host sends faster than it may.  What it sent beyond its burst it must wait for.
  Status TakeRate(const std::string& host, std::uint64_t bytes, std::uint64_t blocks)
      LV_EXCLUDES(mutex_);
  // kResourceExhausted where the host opened too many epochs in the last minute.
  Status TakeEpoch(const std::string& host) LV_EXCLUDES(mutex_);

  // EvenShare's answer, as of now.
  void SetShare(std::optional<std::uint64_t> bytes) LV_EXCLUDES(mutex_);
  // Hosts that sent something since the start, or today before it.
  [[nodiscard]] std::size_t hosts() const LV_EXCLUDES(mutex_);

 private:
  // Refills with time, up to a burst; may be overdrawn once.
  struct Bucket {
    double left = 0;
    bool Take(double rate, double seconds, double cost);
  };
  struct Used {
    std::int64_t day = 0;
    std::uint64_t bytes = 0;
    bool refused = false;
    std::deque<UnixNanos> epochs;       // monotonic times, the last minute's
    std::optional<UnixNanos> rated_at;  // monotonic
    Bucket byte_rate, block_rate;
  };

  const std::uint64_t bytes_per_day_;
  const Clock& clock_;
  mutable Mutex mutex_;
  std::map<std::string, Used> used_ LV_GUARDED_BY(mutex_);
  std::optional<std::uint64_t> share_ LV_GUARDED_BY(mutex_);
};

}  // namespace logvault::server
