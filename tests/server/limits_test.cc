// The collector's parts that count, wait and decide by the clock.
#include <gtest/gtest.h>

#include <latch>

#include "server/alert_limiter.h"
#include "server/alerts.h"
#include "server/call_limiter.h"
#include "server/host_budget.h"
#include "server/session_table.h"
#include "server/silence_watch.h"
#include "server/work_pool.h"

namespace logvault::server {
namespace {

constexpr std::int64_t kSecond = kNanosPerSecond;

TEST(CallLimiterTest, ABurstIsAllowedAndThenSoManyASecond) {
  FakeClock clock(1000 * kSecond);
  CallLimiter limiter(clock);
  for (int call = 0; call < kCallsAtOnce; ++call) ASSERT_TRUE(limiter.Take("a", 10).ok()) << call;
  EXPECT_EQ(limiter.Take("a", 10).code(), StatusCode::kResourceExhausted);
  EXPECT_TRUE(limiter.Take("b", 10).ok()) << "another certificate";
  clock.Advance(kSecond);
  for (int call = 0; call < kCallsPerSecond; ++call) EXPECT_TRUE(limiter.Take("a", 10).ok());
  EXPECT_EQ(limiter.Take("a", 10).code(), StatusCode::kResourceExhausted);
}

TEST(CallLimiterTest, ALongQueryCountsAsSeveralCalls) {
  FakeClock clock(1000 * kSecond);
  CallLimiter limiter(clock);
  EXPECT_TRUE(limiter.Take("a", (kCallsAtOnce - 2) * kTextBytesPerCall).ok());
  EXPECT_TRUE(limiter.Take("a", kTextBytesPerCall - 1).ok());
  EXPECT_FALSE(limiter.Take("a", 0).ok());
}

TEST(SilenceWatchTest, SilenceIsCountedFromTheLastWord) {
  FakeClock clock(1000 * kSecond);
  SilenceWatch watch(90 * kSecond, clock);
  watch.ListenerUp();
  watch.Saw("geo01");
  clock.Advance(89 * kSecond);
  EXPECT_TRUE(watch.Tick().fell_silent.empty());
  clock.Advance(1 * kSecond);
  const SilenceWatch::Changes changes = watch.Tick();
  ASSERT_EQ(changes.fell_silent.size(), 1u);
  EXPECT_EQ(changes.fell_silent[0], (SilenceWatch::HostSilence{"geo01", 1000 * kSecond}));
  EXPECT_TRUE(watch.SilentSince("geo01").has_value());
  clock.Advance(500 * kSecond);
  EXPECT_TRUE(watch.Tick().fell_silent.empty());  // told once
}

TEST(SilenceWatchTest, ASilenceThatIsRecordedOutlastsTheCollector) {
  FakeClock clock(10'000 * kSecond);
  SilenceWatch watch(90 * kSecond, clock);
  watch.Know("geo01", 1 * kSecond);
  watch.KnowSilent("geo01", 2 * kSecond);
  watch.ListenerUp();
  clock.Advance(1000 * kSecond);
  EXPECT_TRUE(watch.Tick().fell_silent.empty()) << "told before";
  EXPECT_EQ(watch.SilentSince("geo01"), 2 * kSecond);
  watch.Saw("geo01");
  EXPECT_EQ(watch.SilentSince("geo01"), std::nullopt);
  EXPECT_EQ(watch.Tick().returned.size(), 1u);
  clock.Advance(90 * kSecond);
  EXPECT_EQ(watch.Tick().fell_silent.size(), 1u);
}

TEST(SilenceWatchTest, WhatCouldNotBeRecordedIsToldAgain) {
  FakeClock clock(1000 * kSecond);
  SilenceWatch watch(90 * kSecond, clock);
  watch.ListenerUp();
  watch.Saw("geo01");
  clock.Advance(90 * kSecond);
  SilenceWatch::Changes changes = watch.Tick();
  ASSERT_EQ(changes.fell_silent.size(), 1u);
  watch.NotRecorded(changes);
  EXPECT_EQ(watch.Tick().fell_silent, changes.fell_silent);
  EXPECT_TRUE(watch.Tick().fell_silent.empty());
  watch.Saw("geo01");
  changes = watch.Tick();
  ASSERT_EQ(changes.returned.size(), 1u);
  watch.NotRecorded(changes);
  EXPECT_EQ(watch.Tick().returned, changes.returned);
  EXPECT_TRUE(watch.Tick().returned.empty());
}

TEST(SilenceWatchTest, OneBlockNamesManyHostsAndAsManyBlocksAsItTakes) {
  SilenceWatch::Changes changes;
  for (int i = 0; i < 900; ++i) changes.fell_silent.push_back({std::string(63, 'h'), INT64_MAX});
  changes.returned.push_back({"geo01", 1});
  const std::vector<storage::Entry> entries = SilenceEntries(changes);
  ASSERT_EQ(entries.size(), 4u);
  EXPECT_EQ(entries[0].body, R"({"type":"returned","hosts":[{"host":"geo01","returned_at":1}]})");
  for (const storage::Entry& entry : entries) {
    EXPECT_LE(entry.body.size(), evidence::kMaxBlockBodySize);
    EXPECT_TRUE(storage::ParseSilence(entry.body, 0).ok());
  }
}

TEST(SilenceWatchTest, ACollectorThatWasDownAccusesNobody) {
  FakeClock clock(10'000 * kSecond);
  SilenceWatch watch(90 * kSecond, clock);
  watch.Know("geo01", 1 * kSecond);
  EXPECT_TRUE(watch.Tick().fell_silent.empty());  // no listener yet
  clock.Advance(1000 * kSecond);
  watch.ListenerUp();
  EXPECT_TRUE(watch.Tick().fell_silent.empty());
  clock.Advance(90 * kSecond);
  EXPECT_EQ(watch.Tick().fell_silent.size(), 1u);
}

TEST(SilenceWatchTest, AWallClockThatIsSetMakesNobodySilent) {
  FakeClock clock(1000 * kSecond);
  SilenceWatch watch(90 * kSecond, clock);
  watch.ListenerUp();
  watch.Saw("geo01");
  clock.Step(3600 * kSecond);
  EXPECT_TRUE(watch.Tick().fell_silent.empty());
}

TEST(SilenceWatchTest, AReturnIsToldOnceAndAnotherSilenceAgain) {
  FakeClock clock(1000 * kSecond);
  SilenceWatch watch(90 * kSecond, clock);
  watch.ListenerUp();
  watch.Saw("geo01");
  clock.Advance(90 * kSecond);
  ASSERT_EQ(watch.Tick().fell_silent.size(), 1u);
  watch.Saw("geo01");
  EXPECT_EQ(watch.Tick().returned.size(), 1u);
  EXPECT_TRUE(watch.Tick().returned.empty());
  clock.Advance(90 * kSecond);
  EXPECT_EQ(watch.Tick().fell_silent.size(), 1u);
}

TEST(SilenceWatchTest, AReturnBetweenTicksIsNotLost) {
  FakeClock clock(1000 * kSecond);
  SilenceWatch watch(90 * kSecond, clock);
  watch.ListenerUp();
  watch.Saw("geo01");
  clock.Advance(90 * kSecond);
  watch.Tick();
  watch.Saw("geo01");
  clock.Advance(200 * kSecond);
  const SilenceWatch::Changes changes = watch.Tick();
  EXPECT_EQ(changes.returned.size(), 1u);
  EXPECT_EQ(changes.fell_silent.size(), 1u);
}

SessionTable::Session SessionOf(const std::string& host, const std::string& id) {
  return {host, id, "ipv4:127.0.0.1:1", 0, [] { return Status::Ok(); }, [](const Status&) {}};
}

TEST(SessionTableTest, ASecondSessionIsACloneOnlyWhenTheFirstOutlivesTheVerdict) {
  FakeClock clock(0);
  SessionTable table(clock);
  ASSERT_TRUE(table.Add(SessionOf("geo01", "a")).ok());
  EXPECT_EQ(table.Add(SessionOf("geo01", "b")).code(), StatusCode::kAlreadyExists);
  EXPECT_TRUE(table.Sweep().empty());
  clock.Advance(kCloneVerdictNs);
  EXPECT_EQ(table.Sweep().size(), 1u);
  EXPECT_TRUE(table.Sweep().empty());
}

TEST(SessionTableTest, ADeadFirstSessionMakesNoClone) {
  FakeClock clock(0);
  SessionTable table(clock);
  ASSERT_TRUE(table.Add(SessionOf("geo01", "a")).ok());
  EXPECT_FALSE(table.Add(SessionOf("geo01", "b")).ok());
  table.Remove("geo01", "a");
  EXPECT_TRUE(table.Add(SessionOf("geo01", "b")).ok());
  clock.Advance(kCloneVerdictNs);
  EXPECT_TRUE(table.Sweep().empty());
}

TEST(SessionTableTest, AHostHasOneAppendInFlight) {
  FakeClock clock(0);
  SessionTable table(clock);
  ASSERT_TRUE(table.Add(SessionOf("geo01", "a")).ok());
  EXPECT_EQ(table.BeginAppend("geo01", "x").code(), StatusCode::kAborted);
  EXPECT_TRUE(table.BeginAppend("geo01", "a").ok());
  EXPECT_EQ(table.BeginAppend("geo01", "a").code(), StatusCode::kFailedPrecondition);
  table.EndAppend("geo01");
  EXPECT_TRUE(table.BeginAppend("geo01", "a").ok());
}

TEST(SessionTableTest, ASweepCutsWhatMayNotStay) {
  FakeClock clock(0);
  SessionTable table(clock);
  Status cut_with;
  SessionTable::Session session = SessionOf("geo01", "a");
  session.may_stay = [] { return PermissionDenied("revoked"); };
  session.cut = [&](const Status& status) { cut_with = status; };
  ASSERT_TRUE(table.Add(session).ok());
  table.Sweep();
  EXPECT_EQ(cut_with, PermissionDenied("revoked"));
}

TEST(HostBudgetsTest, BytesAreCountedByDayAndHost) {
  FakeClock clock(0);
  HostBudgets budgets(100, clock);
  bool first = false;
  EXPECT_TRUE(budgets.TakeBytes("geo01", 60, first).ok());
  EXPECT_EQ(budgets.TakeBytes("geo01", 60, first).code(), StatusCode::kResourceExhausted);
  EXPECT_TRUE(first);
  EXPECT_FALSE(budgets.TakeBytes("geo01", 60, first).ok());
  EXPECT_FALSE(first);  // alerted already
  EXPECT_TRUE(budgets.TakeBytes("web01", 60, first).ok());
  EXPECT_TRUE(budgets.TakeBytes("geo01", 40, first).ok());
  clock.Advance(86'400 * kSecond);
  EXPECT_TRUE(budgets.TakeBytes("geo01", 100, first).ok());
}

TEST(HostBudgetsTest, WhatWasNotCommittedIsGivenBack) {
  FakeClock clock(0);
  HostBudgets budgets(100, clock);
  bool first = false;
  EXPECT_TRUE(budgets.TakeBytes("geo01", 90, first).ok());
  budgets.GiveBack("geo01", 90);
  EXPECT_TRUE(budgets.TakeBytes("geo01", 100, first).ok());
}

TEST(HostBudgetsTest, AHostThatSendsTooFastWaitsForWhatItTook) {
  FakeClock clock(1000 * kSecond);
  HostBudgets budgets(UINT64_MAX, clock);
  const auto burst = static_cast<std::uint64_t>(kHostBytesPerSecond * kBurstSeconds);
  EXPECT_TRUE(budgets.TakeRate("geo01", burst + 1, 1).ok()) << "as much at once as it likes, once";
  EXPECT_EQ(budgets.TakeRate("geo01", 1, 1).code(), StatusCode::kResourceExhausted);
  EXPECT_TRUE(budgets.TakeRate("web01", 1, 1).ok()) << "another host";
  clock.Advance(kSecond);
  EXPECT_TRUE(budgets.TakeRate("geo01", 1, 1).ok());
  const auto blocks = static_cast<std::uint64_t>(kHostBlocksPerSecond * kBurstSeconds);
  EXPECT_TRUE(budgets.TakeRate("sql01", 1, blocks).ok());
  EXPECT_EQ(budgets.TakeRate("sql01", 1, 1).code(), StatusCode::kResourceExhausted);
  clock.Advance(kSecond);
  EXPECT_TRUE(budgets.TakeRate("sql01", 1, 1).ok());
}

TEST(HostBudgetsTest, TheLastFifthOfTheDiskIsSharedEvenly) {
  EXPECT_EQ(EvenShare(1000, 200, 10), std::nullopt);
  EXPECT_EQ(EvenShare(1000, 190, 10), 19u);
  EXPECT_EQ(EvenShare(1000, 190, 0), 190u);
  FakeClock clock(0);
  HostBudgets budgets(1000, clock);
  bool first = false;
  EXPECT_TRUE(budgets.TakeBytes("flood", 500, first).ok());
  EXPECT_TRUE(budgets.TakeBytes("quiet", 10, first).ok());
  budgets.SetShare(EvenShare(10'000, 200, budgets.hosts()));
  EXPECT_EQ(budgets.TakeBytes("flood", 1, first).code(), StatusCode::kResourceExhausted);
  EXPECT_TRUE(first) << "and that is alerted";
  EXPECT_TRUE(budgets.TakeBytes("quiet", 50, first).ok());
  budgets.SetShare(std::nullopt);
  EXPECT_TRUE(budgets.TakeBytes("flood", 1, first).ok());
}

TEST(HostBudgetsTest, EpochsAreCountedByTheMinute) {
  FakeClock clock(0);
  HostBudgets budgets(100, clock);
  for (std::size_t i = 0; i < kMaxEpochsPerMinute; ++i)
    ASSERT_TRUE(budgets.TakeEpoch("geo01").ok());
  EXPECT_EQ(budgets.TakeEpoch("geo01").code(), StatusCode::kResourceExhausted);
  EXPECT_TRUE(budgets.TakeEpoch("web01").ok());
  clock.Advance(61 * kSecond);
  EXPECT_TRUE(budgets.TakeEpoch("geo01").ok());
}

TEST(AlertLimiterTest, OneMatterAlertsOnceAnHour) {
  FakeClock clock(0);
  AlertLimiter limiter(clock);
  EXPECT_TRUE(limiter.Allow("clock geo01"));
  EXPECT_FALSE(limiter.Allow("clock geo01"));
  EXPECT_TRUE(limiter.Allow("clock web01"));
  clock.Advance(3600 * kSecond);
  EXPECT_TRUE(limiter.Allow("clock geo01"));
}

TEST(WorkPoolTest, LongWorkLetsOthersInBetween) {
  std::string order;
  std::latch queued(1);
  {
    WorkPool pool(1, 10);
    ASSERT_TRUE(pool.Post([&] {
                      queued.wait();
                      order += 'a';
                      pool.Later([&] { order += 'A'; });
                    })
                    .ok());
    ASSERT_TRUE(pool.Post([&] { order += 'b'; }).ok());
    queued.count_down();
  }
  EXPECT_EQ(order, "abA");
}

TEST(WorkPoolTest, AFullQueueRefusesNewWorkButNotTheNextStep) {
  std::latch started(1), release(1);
  std::atomic<int> done{0};
  {
    WorkPool pool(1, 1);
    ASSERT_TRUE(pool.Post([&] {
                      started.count_down();
                      release.wait();
                      ++done;
                    })
                    .ok());
    started.wait();
    ASSERT_TRUE(pool.Post([&] { ++done; }).ok());
    EXPECT_EQ(pool.Post([&] { ++done; }).code(), StatusCode::kResourceExhausted);
    pool.Continue([&] { EXPECT_EQ(done.exchange(10), 1); });  // before what waits
    release.count_down();
  }
  EXPECT_EQ(done, 11);
}

}  // namespace
}  // namespace logvault::server
