// FlushPace: few hosts ship each second; many that write little gather longer, and no longer than said.
#include "server/flush_pace.h"

#include <gtest/gtest.h>

namespace logvault::server {
namespace {

// Streams that always have something small to say and follow what they are asked; `seconds` of them.
void Live(FlushPace& pace, int streams, int seconds) {
  double due = 0;
  for (int second = 0; second < seconds; ++second) {
    due += streams * 1000.0 / pace.interval_ms();
    for (; due >= 1; --due) pace.Took(900);
    pace.Tick();
  }
}

TEST(FlushPaceTest, FewHostsShipEachSecond) {
  FlushPace pace;
  EXPECT_EQ(pace.interval_ms(), kFlushMs);
  Live(pace, 40, 120);
  EXPECT_EQ(pace.interval_ms(), kFlushMs);
}

TEST(FlushPaceTest, ManyGatherUntilBlocksComeAtTheSamePace) {
  FlushPace pace;
  Live(pace, 150, 300);
  EXPECT_NEAR(pace.interval_ms(), 3'000, 150);
  Live(pace, 200, 300);
  EXPECT_NEAR(pace.interval_ms(), 4'000, 200);
}

TEST(FlushPaceTest, NobodyGathersForMoreThanFiveSeconds) {
  FlushPace pace;
  Live(pace, 5'000, 300);
  EXPECT_EQ(pace.interval_ms(), kFlushMaxMs);
}

TEST(FlushPaceTest, WhenTheyAreGoneTheOthersShipEachSecondAgain) {
  FlushPace pace;
  Live(pace, 1'000, 120);
  ASSERT_EQ(pace.interval_ms(), kFlushMaxMs);
  Live(pace, 5, 120);
  EXPECT_EQ(pace.interval_ms(), kFlushMs);
}

TEST(FlushPaceTest, LargeBatchesDoNotSlowAnybody) {
  FlushPace pace;
  for (int second = 0; second < 60; ++second) {
    for (int batch = 0; batch < 500; ++batch) pace.Took(kSmallBatchBytes);
    pace.Tick();
  }
  EXPECT_EQ(pace.interval_ms(), kFlushMs);
}

}  // namespace
}  // namespace logvault::server
