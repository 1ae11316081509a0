// What stands beside matches: against grep's rule, written down once more and applied to everything.
#include "query/context.h"

#include <random>
#include <set>

#include "tests/query/search_fixture.h"

namespace logvault::query {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

TEST(NumberSetTest, HoldsWhatWasAdded) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  NumberSet numbers;
  std::set<std::uint64_t> expected;
  for (int i = 0; i < 3000; ++i) {
    const std::uint64_t number = random() % 200;
    ASSERT_EQ(numbers.Contains(number), expected.contains(number));
    numbers.Add(number);
    expected.insert(number);
    ASSERT_TRUE(numbers.Contains(number));
  }
}

class ContextTest : public SearchTest {
 protected:
  // "HOST/SOURCE/SEQ" of a match, "HOST/SOURCE/SEQ-" of what stands beside one.
  std::vector<std::string> Around(const Request& request) {
    std::vector<std::string> rows;
    Observer observer;
    observer.on_row = [&rows](const Row& row) {
      rows.push_back(Name(row.host, row.source, row.seq) + (row.context ? "-" : ""));
      return true;
    };
    Result<Completeness> completeness = query::Search(vault_->reader(), request, observer, {});
    EXPECT_TRUE(completeness.ok()) << completeness.status();
    if (completeness.ok()) completeness_ = *std::move(completeness);
    return rows;
  }
  static std::string Name(std::string_view host, std::string_view source, std::uint64_t seq) {
    return std::string(host) + "/" + std::string(source) + "/" + std::to_string(seq);
  }

  Completeness completeness_;
};

TEST_F(ContextTest, BesideEachMatchAndNothingTwice) {
  Commit("a", "s", {{"x1\n"}, {"y2\n"}, {"z3\n"}});
  Commit("b", "s", {{"y\n"}});
  Commit("a", "s", {{"z4\n"}, {"y5\n"}, {"x6\n"}});
  Request request = Ask("y");
  request.context = 1;
  EXPECT_THAT(Around(request),
              ElementsAre("a/s/1-", "a/s/2", "a/s/3-", "b/s/1", "a/s/4-", "a/s/5", "a/s/6-"));
  EXPECT_EQ(completeness_.matches, 3u);
  request.order = Request::Order::kNewestFirst;
  EXPECT_THAT(Around(request),
              ElementsAre("a/s/6-", "a/s/5", "a/s/4-", "b/s/1", "a/s/3-", "a/s/2", "a/s/1-"));
}

TEST_F(ContextTest, OutsideTheWindowButInsideTheTree) {
  Commit("a", "s", {{"x\n", 10, 10}, {"y\n", 20, 20}});
  Commit("a", "s", {{"z\n", 30, 30}});
  Request request = Ask("y");
  request.scope = {.since = 15,
                   .until = 25,
                   .by = TimeField::kRead,
                   .host_glob = {},
                   .source_glob = {},
                   .origin_glob = {}};
  request.context = 5;
  EXPECT_THAT(Around(request), ElementsAre("a/s/1-", "a/s/2", "a/s/3-"));
  request.tree_size = vault_->head().size - 1;
  EXPECT_THAT(Around(request), ElementsAre("a/s/1-", "a/s/2"));
}

TEST_F(ContextTest, ABlockBesideAMatchThatIsGoneIsNamed) {
  const std::uint64_t gone = Commit("a", "s", {{"x\n", 10, 10}});
  Commit("a", "s", {{"y\n", 20, 20}});
  Tamper([&](storage::Tables& tables) { DropPayload(tables, gone); });
  Request request = Ask("y");
  request.scope.by = TimeField::kRead;
  request.scope.since = 15;  // so that the search itself does not read that block
  request.context = 1;
  EXPECT_THAT(Around(request), ElementsAre("a/s/2"));
  ASSERT_THAT(completeness_.unreadable, SizeIs(1));
  EXPECT_EQ(completeness_.unreadable[0].block, gone);
  EXPECT_TRUE(completeness_.unreadable[0].integrity);
}

TEST_F(ContextTest, EqualsGrepsRuleOverRandomStreams) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  std::map<std::string, std::uint64_t> length;
  UnixNanos now = kStart;
  for (int block = 0; block < 40; ++block) {
    const std::string host = random() % 2 == 0 ? "a" : "b";
    std::vector<Record> records(1 + random() % 6);
    for (Record& record : records) {
      record.bytes = std::string(1, "xyz"[random() % 3]) + "\n";
      record.read_time = ++now;
    }
    Commit(host, "s", records);
    length[host] += records.size();
  }
  for (Request::Order order :
       {Request::Order::kOldestFirst, Request::Order::kNewestFirst, Request::Order::kStream}) {
    for (std::uint32_t context : {1u, 2u, 7u, 1000u}) {
      Request request = Ask("x", order);
      const std::vector<std::string> matches = Search(request).records;
      const std::set<std::string> is_match(matches.begin(), matches.end());
      // grep's rule: around each match in turn, what was not shown before.
      std::vector<std::string> expected;
      std::set<std::string> shown;
      for (const std::string& match : matches) {
        const std::string host = match.substr(0, 1);
        const auto seq = std::stoull(match.substr(4));
        std::vector<std::string> group;
        for (std::uint64_t i = seq > context ? seq - context : 1;
             i <= std::min<std::uint64_t>(seq + context, length[host]); ++i) {
          const std::string name = Name(host, "s", i);
          if (shown.insert(name).second)
            group.push_back(is_match.contains(name) ? name : name + "-");
        }
        if (order == Request::Order::kNewestFirst) std::reverse(group.begin(), group.end());
        expected.insert(expected.end(), group.begin(), group.end());
      }
      request.context = context;
      ASSERT_EQ(Around(request), expected) << context;
    }
  }
}

}  // namespace
}  // namespace logvault::query
