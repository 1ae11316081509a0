// Clock: the one way to ask for the time, so that tests can tick it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace logvault {

// Nanoseconds since 1970-01-01T00:00:00Z.  `kNoTime` is a record whose text states no time.
using UnixNanos = std::int64_t;
inline constexpr UnixNanos kNoTime = INT64_MIN;
inline constexpr UnixNanos kNanosPerSecond = 1'000'000'000;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual UnixNanos Now() const = 0;
  // Never steps back; for durations only.
  virtual UnixNanos Monotonic() const = 0;
};

class SystemClock final : public Clock {
 public:
  UnixNanos Now() const override {
    return std::chrono::nanoseconds(std::chrono::system_clock::now().time_since_epoch()).count();
  }
  UnixNanos Monotonic() const override {
    return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
  }
};

// Stands still until told.  Safe from several threads.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(UnixNanos now) : now_(now), monotonic_(0) {}
  UnixNanos Now() const override { return now_; }
  UnixNanos Monotonic() const override { return monotonic_; }
  void Advance(UnixNanos by) {
    now_ += by;
    monotonic_ += by;
  }
  // The wall clock is set; time itself did not pass.
  void Step(UnixNanos by) { now_ += by; }

 private:
  std::atomic<UnixNanos> now_;
  std::atomic<UnixNanos> monotonic_;
};

}  // namespace logvault
