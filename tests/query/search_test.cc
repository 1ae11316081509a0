// Search: scope, orders, limits, and an answer that says what it could not look at.
#include "tests/query/search_fixture.h"

namespace logvault::query {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Order = Request::Order;

constexpr UnixNanos Sec(std::int64_t seconds) { return seconds * kNanosPerSecond; }

using ScopeTest = SearchTest;
using OrderTest = SearchTest;
using LimitTest = SearchTest;
using UnreadableTest = SearchTest;

TEST_F(ScopeTest, HostAndSourceGlobsAndComparisonsPruneBlocks) {
  Commit("geo01", "access", {{"a x\n"}});
  Commit("geo01", "syslog", {{"b x\n"}});
  Commit("sql01", "mssql", {{"c x\n"}});
  Request request = Ask("x");
  request.scope.host_glob = "geo*";
  EXPECT_THAT(Search(request).records, ElementsAre("geo01/access/1", "geo01/syslog/1"));
  EXPECT_EQ(Search(request).completeness.blocks_in_scope, 2u);
  request.scope.source_glob = "s?slog";
  EXPECT_THAT(Search(request).records, ElementsAre("geo01/syslog/1"));

  Found found = Search("host=geo01 not source=access x");
  EXPECT_THAT(found.records, ElementsAre("geo01/syslog/1"));
  EXPECT_EQ(found.completeness.blocks_in_scope, 3u);
  EXPECT_EQ(found.completeness.blocks_pruned, 2u);
  EXPECT_EQ(found.completeness.blocks_scanned, 1u);
}

TEST_F(ScopeTest, TheForwardersOwnSourceCountsOnlyWhenNamed) {
  Commit("geo01", "access", {{"x\n"}});
  Commit("geo01", "logvault", {{"{\"type\":\"start\",\"x\":1}\n"}}, "json");
  EXPECT_THAT(Search("x").records, ElementsAre("geo01/access/1"));
  EXPECT_THAT(Search("").records, ElementsAre("geo01/access/1"));
  EXPECT_THAT(Search("source!=access").records, IsEmpty());
  EXPECT_THAT(Search("source=logvault").records, ElementsAre("geo01/logvault/1"));
  EXPECT_THAT(Search("source in (access, logvault)").records,
              ElementsAre("geo01/access/1", "geo01/logvault/1"));
  Request request = Ask("");
  request.scope.source_glob = "logvault";
  EXPECT_THAT(Search(request).records, ElementsAre("geo01/logvault/1"));
}

TEST_F(ScopeTest, AWindowIsFromInclusiveToExclusive) {
  Commit("geo01", "a",
         {{"1\n", Sec(100), Sec(100)}, {"2\n", Sec(200), Sec(200)}, {"3\n", Sec(300), Sec(300)}});
  Request request = Ask("");
  request.scope.since = Sec(100);
  request.scope.until = Sec(300);
  EXPECT_THAT(Search(request).records, ElementsAre("geo01/a/1", "geo01/a/2"));
  request.scope.since = Sec(101);
  EXPECT_THAT(Search(request).records, ElementsAre("geo01/a/2"));
  request.scope.since = Sec(301);
  request.scope.until = Sec(302);
  Found found = Search(request);
  EXPECT_THAT(found.records, IsEmpty());
  EXPECT_EQ(found.completeness.blocks_pruned, 1u);
}

TEST_F(ScopeTest, EachTimeFieldIsItsOwn) {
  clock_.Advance(Sec(1000));
  Commit("geo01", "a", {{"1\n", Sec(100), Sec(500)}});
  auto in_window = [&](TimeField by, UnixNanos since, UnixNanos until) {
    Request request = Ask("");
    request.scope.by = by;
    request.scope.since = since;
    request.scope.until = until;
    return Search(request).records.size();
  };
  EXPECT_EQ(in_window(TimeField::kEvent, Sec(100), Sec(101)), 1u);
  EXPECT_EQ(in_window(TimeField::kEvent, Sec(500), Sec(501)), 0u);
  EXPECT_EQ(in_window(TimeField::kRead, Sec(500), Sec(501)), 1u);
  EXPECT_EQ(in_window(TimeField::kRead, Sec(100), Sec(101)), 0u);
  EXPECT_EQ(in_window(TimeField::kCommit, kStart, kStart + Sec(2000)), 1u);
  EXPECT_EQ(in_window(TimeField::kCommit, Sec(100), Sec(101)), 0u);
}

TEST_F(ScopeTest, ARecordWithoutATimeCountsByItsReading) {
  Commit("geo01", "a", {{"stated\n", Sec(100), Sec(900)}, {"silent\n", kNoTime, Sec(500)}});
  Request request = Ask("");
  request.scope.since = Sec(499);
  request.scope.until = Sec(501);
  EXPECT_THAT(Search(request).records, ElementsAre("geo01/a/2"));
}

// An old log that was read today: nothing of it lies between.
TEST_F(ScopeTest, NoRecordLiesBetweenWhatABatchStatesAndItsReading) {
  Commit("geo01", "a", {{"1\n", Sec(100), Sec(900)}, {"2\n", Sec(110), Sec(910)}});
  Commit("geo01", "a", {{"3\n", Sec(200), Sec(920)}, {"4\n", kNoTime, Sec(930)}});
  const auto ask = [this](UnixNanos since, UnixNanos until) {
    Request request = Ask("");
    request.scope.since = since;
    request.scope.until = until;
    return Search(request);
  };
  EXPECT_EQ(ask(Sec(300), Sec(800)).completeness.blocks_pruned, 2u);
  EXPECT_EQ(ask(Sec(105), Sec(150)).completeness.blocks_pruned, 1u);
  EXPECT_THAT(ask(Sec(105), Sec(150)).records, ElementsAre("geo01/a/2"));
  EXPECT_THAT(ask(Sec(105), Sec(915)).records, ElementsAre("geo01/a/2", "geo01/a/3"));
  EXPECT_EQ(ask(Sec(925), Sec(1000)).completeness.blocks_pruned, 1u);
  EXPECT_THAT(ask(Sec(925), Sec(1000)).records, ElementsAre("geo01/a/4"));
}

TEST_F(ScopeTest, WhatWasCommittedInsideTheWindowIsReturnedMarked) {
  Commit("geo01", "a", {{"backdated\n", Sec(100), Sec(100)}, {"now\n", kStart, kStart}});
  Request request = Ask("");
  request.scope.since = kStart - Sec(60);
  Found found = Search(request);
  EXPECT_THAT(found.records, ElementsAre("geo01/a/1!", "geo01/a/2"));
  EXPECT_THAT(found.completeness.notes,
              ElementsAre(HasSubstr("1 of the records were committed inside")));
}

TEST_F(ScopeTest, OriginsAreGlobbed) {
  Commit("geo01", "a", {{"1\n", 1, 1, 0, "/var/log/a.log"}, {"2\n", 1, 1, 0, "/var/log/b.log"}});
  Request request = Ask("");
  request.scope.origin_glob = "*/b.log";
  EXPECT_THAT(Search(request).records, ElementsAre("geo01/a/2"));
}

TEST_F(ScopeTest, LiteralNamesThatTheVaultNeverSawAreTold) {
  Commit("geo01", "access", {{"x\n"}});
  Request request = Ask("source=acess or host in (geo01, nohost)");
  request.scope.host_glob = "geo1";
  EXPECT_THAT(Search(request).completeness.notes,
              ElementsAre("the vault never saw host 'geo1'", "the vault never saw host 'nohost'",
                          "the vault never saw source 'acess'"));
  request = Ask("host=geo0*");
  request.scope.host_glob = "nothing*";
  EXPECT_THAT(Search(request).completeness.notes, IsEmpty());
}

TEST_F(ScopeTest, ValuesThatAreNoAddressesOrHashesAreTold) {
  Commit("geo01", "access", {{"x\n"}});
  EXPECT_THAT(Search("ip in (10.1.1.1, \"10.1.1.1 # c2\", \"10.1.1.1\", 10.2.*, fe80::/10, a, b)")
                  .completeness.notes,
              ElementsAre("not an address under ip: '10.1.1.1 # c2' and 2 others"));
  EXPECT_THAT(Search("hash=d41d8cd98f or hash=d41d8cd98f00b204e9800998ecf8427e").completeness.notes,
              ElementsAre("not a hash under hash: 'd41d8cd98f'"));
}

TEST_F(ScopeTest, ATreeSizePinsTheAnswer) {
  const std::uint64_t first = Commit("geo01", "a", {{"x\n"}});
  Commit("geo01", "a", {{"x\n"}});
  Request request = Ask("x");
  request.tree_size = first + 1;
  EXPECT_THAT(Search(request).records, ElementsAre("geo01/a/1"));
  request.tree_size = vault_->head().size + 1;
  EXPECT_EQ(Search(request).status.code(), StatusCode::kOutOfRange);
}

TEST_F(OrderTest, ByTimeThenBlockThenNumberAndTheExactReverse) {
  Commit("b", "s", {{"x\n", Sec(30), Sec(30)}, {"x\n", Sec(10), Sec(30)}});
  Commit("a", "s",
         {{"x\n", Sec(20), Sec(20)}, {"x\n", Sec(20), Sec(20)}, {"x\n", kNoTime, Sec(25)}});
  Commit("c", "s", {{"x\n", Sec(20), Sec(20)}});
  const std::vector<std::string> oldest = {"b/s/2", "a/s/1", "a/s/2", "c/s/1", "a/s/3", "b/s/1"};
  EXPECT_EQ(Search("x").records, oldest);
  EXPECT_EQ(Search("x", Order::kNewestFirst).records,
            std::vector<std::string>(oldest.rbegin(), oldest.rend()));
  EXPECT_THAT(Search("x", Order::kStream).records,
              ElementsAre("a/s/1", "a/s/2", "a/s/3", "b/s/1", "b/s/2", "c/s/1"));
}

TEST_F(OrderTest, ManyBlocksComeInOrderWhateverTheirOverlap) {
  std::vector<std::pair<UnixNanos, std::string>> expected;
  for (int block = 0; block < 40; ++block) {
    std::vector<Record> records;
    for (int i = 0; i < 20; ++i) {
      const UnixNanos time = Sec((block * 7919 + i * 104729) % 1000);
      records.push_back({std::to_string(block) + "." + std::to_string(i) + "\n", time, time});
      expected.emplace_back(time, records.back().bytes);
    }
    Commit("h" + std::to_string(block % 3), "s", records);
  }
  std::stable_sort(expected.begin(), expected.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> in_order;
  for (const auto& [time, bytes] : expected) in_order.push_back(bytes);
  EXPECT_EQ(Search("").bytes, in_order);
  EXPECT_EQ(Search("", Order::kNewestFirst).bytes,
            std::vector<std::string>(in_order.rbegin(), in_order.rend()));
}

TEST_F(LimitTest, StopsEarlyAndSaysSo) {
  for (int i = 1; i <= 5; ++i) Commit("h", "s", {{"x\n", Sec(i), Sec(i)}, {"x\n", Sec(i), Sec(i)}});
  Request request = Ask("x", Order::kNewestFirst);
  request.limit = 3;
  Found found = Search(request);
  EXPECT_THAT(found.records, ElementsAre("h/s/10", "h/s/9", "h/s/8"));
  EXPECT_TRUE(found.completeness.limit_reached);
  EXPECT_LT(found.completeness.blocks_scanned, 5u) << "the rest need not be read";
  request.limit = 10;
  EXPECT_FALSE(Search(request).completeness.limit_reached) << "exactly as many as there are";
  request.order = Order::kStream;
  request.limit = 1;
  EXPECT_THAT(Search(request).records, ElementsAre("h/s/1"));
}

TEST_F(LimitTest, BlocksOfOneInstantDoNotWaitForEachOther) {
  for (int i = 0; i < 20; ++i) Commit("h", "s", {{"x\n", Sec(1), Sec(1)}});
  for (Request::Order order : {Order::kOldestFirst, Order::kNewestFirst}) {
    Request request = Ask("x", order);
    request.limit = 2;
    EXPECT_LT(Search(request).completeness.blocks_scanned, 5u);
  }
}

TEST_F(LimitTest, ACountCountsAndReturnsNothing) {
  for (int i = 0; i < 4; ++i) Commit("h", "s", {{"x\n"}, {"y\n"}, {"x\n"}});
  Request request = Ask("x");
  request.count_only = true;
  Found found = Search(request);
  EXPECT_EQ(found.completeness.matches, 8u);
  EXPECT_THAT(found.records, IsEmpty());
}

TEST_F(LimitTest, ACallerThatHasEnoughEndsTheSearch) {
  for (int i = 0; i < 20; ++i) Commit("h", "s", {{"x\n"}});
  int rows = 0;
  Observer observer;
  observer.on_row = [&rows](const Row&) { return ++rows < 2; };
  Result<Completeness> completeness = query::Search(vault_->reader(), Ask("x"), observer, {});
  ASSERT_TRUE(completeness.ok()) << completeness.status();
  EXPECT_EQ(rows, 2);
}

TEST_F(LimitTest, AStopRequestCancels) {
  Commit("h", "s", {{"x\n"}});
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(Search(Ask("x"), stop.get_token()).status.code(), StatusCode::kCancelled);
}

TEST_F(LimitTest, PiecesOfASplitRecordAreTold) {
  Commit(
      "h", "s",
      {{"begin", 1, 1, evidence::kRecordPartial}, {"end x\n", 1, 1, evidence::kRecordContinues}});
  EXPECT_THAT(Search("x").completeness.notes, ElementsAre(HasSubstr("piece by piece")));
}

TEST_F(UnreadableTest, AMissingPayloadIsNamedAndTheRestIsAnswered) {
  Commit("h", "s", {{"x\n"}});
  const std::uint64_t gone = Commit("h", "s", {{"x\n"}, {"x\n"}});
  Commit("h", "s", {{"x\n"}});
  Tamper([&](storage::Tables& tables) { DropPayload(tables, gone); });
  for (Order order : {Order::kOldestFirst, Order::kNewestFirst, Order::kStream}) {
    Found found = Search("x", order);
    EXPECT_EQ(found.records.size(), 2u);
    ASSERT_EQ(found.completeness.unreadable.size(), 1u);
    const Unreadable& unreadable = found.completeness.unreadable[0];
    EXPECT_EQ(unreadable.block, gone);
    EXPECT_EQ(unreadable.host, "h");
    EXPECT_EQ(unreadable.source, "s");
    EXPECT_EQ(unreadable.first_seq, 2u);
    EXPECT_EQ(unreadable.last_seq, 3u);
    EXPECT_TRUE(unreadable.integrity);
  }
}

TEST_F(UnreadableTest, AnExchangedPayloadIsFoundBeforeItIsDecompressed) {
  const std::uint64_t first = Commit("h", "s", {{"secret x\n"}});
  const std::uint64_t second = Commit("h", "s", {{"harmless\n"}});
  std::string other;
  Result<std::string> frame = vault_->reader().Payload(second, BlockAt(second).commit_time);
  ASSERT_TRUE(frame.ok()) << frame.status();
  Tamper([&](storage::Tables& tables) { ReplacePayload(tables, first, *frame); });
  Found found = Search("");
  EXPECT_THAT(found.records, ElementsAre("h/s/2"));
  ASSERT_EQ(found.completeness.unreadable.size(), 1u);
  EXPECT_TRUE(found.completeness.unreadable[0].integrity);
  EXPECT_THAT(found.completeness.unreadable[0].reason, HasSubstr("hash"));
}

TEST_F(UnreadableTest, AMissingHeaderIsNamed) {
  const std::uint64_t gone = Commit("h", "s", {{"x\n"}});
  Commit("h", "s", {{"x\n"}});
  Tamper([&](storage::Tables& tables) {
    tables.db().Delete({}, tables.block(), storage::NumberKey(gone));
  });
  Found found = Search("x");
  EXPECT_THAT(found.records, ElementsAre("h/s/2"));
  ASSERT_EQ(found.completeness.unreadable.size(), 1u);
  EXPECT_EQ(found.completeness.unreadable[0].block, gone);
  EXPECT_TRUE(found.completeness.unreadable[0].integrity);
}

TEST_F(UnreadableTest, StrictFindsAHeaderThatIsNotTheOneInTheTree) {
  const std::uint64_t block = Commit("h", "s", {{"x\n"}});
  Commit("h", "s", {{"x\n"}});
  Tamper([&](storage::Tables& tables) {
    std::string bytes;
    tables.db().Get({}, tables.block(), storage::NumberKey(block), &bytes);
    bytes.back() = static_cast<char>(bytes.back() ^ 1);  // of the signature
    tables.db().Put({}, tables.block(), storage::NumberKey(block), bytes);
  });
  Request request = Ask("x");
  EXPECT_THAT(Search(request).completeness.unreadable, IsEmpty()) << "a plain query trusts headers";
  request.strict = true;
  Found found = Search(request);
  ASSERT_FALSE(found.completeness.unreadable.empty());
  EXPECT_EQ(found.completeness.unreadable[0].block, block);
  EXPECT_TRUE(found.completeness.unreadable[0].integrity);
}

TEST_F(UnreadableTest, StrictAgreesWithAGoodVault) {
  for (int i = 0; i < 5; ++i) Commit("h", "s", {{"x\n"}, {"y\n"}});
  Request request = Ask("x");
  request.strict = true;
  Found found = Search(request);
  EXPECT_THAT(found.completeness.unreadable, IsEmpty());
  EXPECT_EQ(found.records.size(), 5u);
}

}  // namespace
}  // namespace logvault::query
