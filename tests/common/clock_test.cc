// The clocks: the system's is the system's, the fake one moves only when told.
#include "common/clock.h"

#include <gtest/gtest.h>

#include <ctime>

namespace logvault {
namespace {

TEST(ClockTest, TheSystemClockCountsNanosecondsSince1970) {
  const std::int64_t seconds = std::time(nullptr);
  const UnixNanos now = SystemClock().Now();
  EXPECT_NEAR(static_cast<double>(now / kNanosPerSecond), static_cast<double>(seconds), 5.0);
}

TEST(ClockTest, MonotonicTimeDoesNotGoBack) {
  SystemClock clock;
  UnixNanos last = clock.Monotonic();
  for (int i = 0; i < 1000; ++i) {
    const UnixNanos now = clock.Monotonic();
    EXPECT_GE(now, last);
    last = now;
  }
}

TEST(ClockTest, AFakeClockStandsStillUntilItIsTold) {
  FakeClock clock(100);
  EXPECT_EQ(clock.Now(), 100);
  clock.Advance(5);
  EXPECT_EQ(clock.Now(), 105);
  EXPECT_EQ(clock.Monotonic(), 5);
}

TEST(ClockTest, AStepOfTheWallClockIsNotTimePassing) {
  FakeClock clock(100);
  clock.Step(-50);
  EXPECT_EQ(clock.Now(), 50);
  EXPECT_EQ(clock.Monotonic(), 0);
}

}  // namespace
}  // namespace logvault
