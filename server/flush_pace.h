// FlushPace: how long hosts are asked to gather records before they seal a batch.  A block costs the vault some 600 bytes
// whatever it holds: many hosts that write little are asked for fewer and larger ones, so that blocks come at about the same
// pace however many there are.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace logvault::server {

inline constexpr std::uint32_t kFlushMs = 1'000;
inline constexpr std::uint32_t kFlushMaxMs = 5'000;
// Small batches a second that a vault takes before it asks for larger ones.  At 600 bytes each that is 2.6 GB a day.
inline constexpr double kSmallBatchesPerSecond = 50;
// A larger one is not small: longer gathering would not make fewer of them.
inline constexpr std::uint64_t kSmallBatchBytes = 16 * 1024;

// Took() and interval_ms() are safe from several threads; Tick() is one thread's.
class FlushPace {
 public:
  // A batch whose frame has `payload_bytes` was committed.
  void Took(std::uint64_t payload_bytes) {
    if (payload_bytes < kSmallBatchBytes) ++small_;
  }

  // Once a second.
  void Tick() {
    // One comes from each stream that always has something to say, in each interval.
    const double streams = static_cast<double>(small_.exchange(0)) * interval_ms() / kFlushMs;
    streams_ += kNewest * (streams - streams_);
    const double wanted = kFlushMs * streams_ / kSmallBatchesPerSecond;
    interval_ms_ = static_cast<std::uint32_t>(std::clamp<double>(wanted, kFlushMs, kFlushMaxMs));
  }

  [[nodiscard]] std::uint32_t interval_ms() const { return interval_ms_; }

 private:
  static constexpr double kNewest = 0.1;  // the last ten seconds or so count

  std::atomic<std::uint64_t> small_ = 0;
  std::atomic<std::uint32_t> interval_ms_ = kFlushMs;
  double streams_ = 0;
};

}  // namespace logvault::server
