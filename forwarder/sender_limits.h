// SenderLimits: how fast each sender of a listener may send, so that one that floods does not push the others out of the
// queue that they share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "common/clock.h"

namespace logvault::forwarder {

// Whose rates are known one by one; more that send at the same time, as forged addresses do, share one rate.
inline constexpr std::size_t kMaxLimitedSenders = 1024;
// A sender that was slow may send so much at once: half of the queue, or what it may send in two seconds if that is less.
inline constexpr std::size_t kSenderBurstBytes = 2 * 1024 * 1024;
inline constexpr std::int64_t kSenderBurstNanos = 2 * kNanosPerSecond;
// What was taken beyond the rate is waited for no longer than this.
inline constexpr std::int64_t kSenderPauseMaxNanos = kNanosPerSecond;

// For one thread.
class SenderLimits {
 public:
  // `bytes_per_second` of each sender; 0: as fast as it likes.  `clock` must outlive this.
  SenderLimits(std::uint64_t bytes_per_second, const Clock& clock)
      : rate_(static_cast<double>(bytes_per_second)), clock_(clock) {}

  // False where `sender` has sent all that it may by now; else `bytes` are taken, beyond its rate if need be.
  bool Take(const std::string& sender, std::size_t bytes);
  // When it may send again (Clock::Monotonic); a time that has gone where it may now.
  [[nodiscard]] std::int64_t NextTurn(const std::string& sender);

 private:
  struct Sender {
    double left = 0;      // bytes; below 0: sent beyond the rate
    std::int64_t at = 0;  // Clock::Monotonic, of `left`
  };

  [[nodiscard]] double Burst() const;
  Sender& Refilled(const std::string& sender);
  void ForgetSlowOnes(std::int64_t now);

  const double rate_;
  const Clock& clock_;
  std::map<std::string, Sender> senders_;
  std::int64_t next_forget_ = INT64_MIN;
};

}  // namespace logvault::forwarder
