// How much a sender may send: a burst, then its rate, whatever others do.
#include "forwarder/sender_limits.h"

#include <gtest/gtest.h>

#include "forwarder/syslog_notices.h"

namespace logvault::forwarder {
namespace {

constexpr std::uint64_t kRate = 1000;
constexpr std::size_t kMessage = 100;
constexpr std::size_t kBurst = 2 * kRate / kMessage;  // messages

class SenderLimitsTest : public testing::Test {
 protected:
  // How many messages `sender` may send now.
  std::size_t Burst(const std::string& sender) {
    std::size_t taken = 0;
    while (limits_.Take(sender, kMessage)) ++taken;
    return taken;
  }
  void Pass(std::int64_t nanos) { clock_.Advance(nanos); }

  FakeClock clock_{0};
  SenderLimits limits_{kRate, clock_};
};

TEST_F(SenderLimitsTest, ABurstAndThenTheRate) {
  EXPECT_EQ(Burst("a"), kBurst);
  Pass(kNanosPerSecond);
  EXPECT_EQ(Burst("a"), kRate / kMessage);
  Pass(3600 * kNanosPerSecond);
  EXPECT_EQ(Burst("a"), kBurst) << "nobody saves up";
}

TEST_F(SenderLimitsTest, OneSenderTakesNothingFromAnother) {
  Burst("a");
  EXPECT_EQ(Burst("b"), kBurst);
}

TEST_F(SenderLimitsTest, WhatWasTakenBeyondTheRateIsWaitedForASecondAtMost) {
  EXPECT_EQ(limits_.NextTurn("a"), clock_.Monotonic());
  EXPECT_TRUE(limits_.Take("a", 1'000'000));
  const std::int64_t next_turn = limits_.NextTurn("a");
  EXPECT_GT(next_turn, clock_.Monotonic());
  EXPECT_LE(next_turn, clock_.Monotonic() + kSenderPauseMaxNanos + 1);
  Pass(next_turn - clock_.Monotonic());
  EXPECT_TRUE(limits_.Take("a", kMessage));
}

TEST_F(SenderLimitsTest, ForgedAddressesShareOneRate) {
  for (std::size_t i = 0; i < kMaxLimitedSenders; ++i) Burst("forged " + std::to_string(i));
  std::size_t taken = 0;
  for (std::size_t i = 0; i < 1000; ++i) taken += Burst("more " + std::to_string(i));
  EXPECT_EQ(taken, kBurst);
  // Once they are silent again, every new one has its own.
  Pass(10 * kNanosPerSecond);
  EXPECT_EQ(Burst("x"), kBurst);
  EXPECT_EQ(Burst("y"), kBurst);
}

TEST_F(SenderLimitsTest, ARateOfNothingIsNoLimit) {
  SenderLimits any(0, clock_);
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(any.Take("a", 1'000'000));
  EXPECT_EQ(any.NextTurn("a"), clock_.Monotonic());
}

TEST(SyslogNoticesTest, SoManySendersAreNamedAndTheOthersCounted) {
  SyslogNotices notices;
  const std::size_t senders = kMaxNamedSenders + 30;
  for (std::size_t i = 0; i < senders; ++i) notices.CountOverRate("sender " + std::to_string(i), 7);
  const OwnRecords said = notices.Take("net");
  EXPECT_EQ(said.size(), kMaxNamedSenders + 1);
  EXPECT_EQ(
      said[0],
      R"({"bytes":210,"exact":true,"reason":"messages of more senders dropped: sent faster than )"
      R"(sender_rate allows","records":30,"source":"net","type":"gap"})");
  EXPECT_EQ(notices.over_rate(), senders);
  EXPECT_TRUE(notices.Take("net").empty());
}

}  // namespace
}  // namespace logvault::forwarder
