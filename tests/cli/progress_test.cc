// The line that says how far a long command is.
#include "cli/progress.h"

#include <gtest/gtest.h>

namespace logvault::cli {
namespace {

TEST(ProgressLineTest, SaysHowFarHowFastAndHowLong) {
  EXPECT_EQ(ProgressLine(1200, 10000, 3, "blocks"),
            "12 % (1200 of 10000 blocks, 400 a second, 22 s left)");
  EXPECT_EQ(ProgressLine(10000, 10000, 4, "blocks"),
            "100 % (10000 of 10000 blocks, 2500 a second, 0 s left)");
}

TEST(ProgressLineTest, ClaimsNoRateBeforeAnythingIsDone) {
  EXPECT_EQ(ProgressLine(0, 10, 1, "blocks"), "0 of 10 blocks");
  EXPECT_EQ(ProgressLine(5, 10, 0, "blocks"), "5 of 10 blocks");
}

}  // namespace
}  // namespace logvault::cli
