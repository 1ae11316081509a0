// Pipes: what is understood, what each gives over a small vault, and that it agrees with counting by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "tests/query/pipe_fixture.h"

namespace logvault::query {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class PipesTest : public PipeTest {
 protected:
  // JSON lines of two hosts: a user, a number, several tags.
  void CommitSample() {
    Commit("h1", "app",
           {At(10, R"({"user":"ann","n":5,"tags":["a","b"]})"), At(20, R"({"user":"bob","n":10})")},
           "json");
    Commit("h2", "app",
           {At(15, R"({"user":"ann","n":"x"})"), At(30, R"({"n":2.5,"tags":"b"})"),
            At(3605, R"({"user":"cid"})")},
           "json");
  }
};

TEST_F(PipesTest, StatsCountsEachGroup) {
  CommitSample();
  EXPECT_THAT(Rows("| stats count() by (host)"), ElementsAre("h1|2", "h2|3"));
  EXPECT_THAT(Rows("| stats count()"), ElementsAre("5"));
  EXPECT_THAT(Rows("nothing | stats count()"), ElementsAre("0"));
  EXPECT_THAT(Rows("nothing | stats count() by (host)"), IsEmpty());
  EXPECT_THAT(Rows("| stats count() by (user)"), ElementsAre("ann|2", "bob|1", "cid|1", "-|1"));
  // A record with two values counts under both.
  EXPECT_THAT(Rows("| stats count() by (json.tags)"), ElementsAre("a|1", "b|2", "-|3"));
  EXPECT_THAT(Rows("| stats count() by (host, user)"),
              ElementsAre("h1|ann|1", "h1|bob|1", "h2|ann|1", "h2|cid|1", "h2|-|1"));
  EXPECT_THAT(Rows("| stats count() by (time:1h)"),
              ElementsAre("1970-01-01T00:00:00Z|4", "1970-01-01T01:00:00Z|1"));
}

TEST_F(PipesTest, StatsFunctions) {
  CommitSample();
  EXPECT_THAT(Rows("| stats count(user), uniq(user), dc(json.tags) as tags"), ElementsAre("4|3|2"));
  EXPECT_THAT(Rows("| stats min(json.n), max(json.n), sum(json.n), avg(json.n)"),
              ElementsAre("2.5|x|17.5|5.833333333333333"));
  EXPECT_THAT(Rows("host=h1 | stats sum(json.n)"), ElementsAre("15"));
  EXPECT_THAT(Rows("| stats first(user), last(user), values(user)"),
              ElementsAre("ann|cid|[ann;bob;cid]"));
  EXPECT_THAT(Rows("user=bob | stats sum(json.tags), min(json.tags), values(json.tags)"),
              ElementsAre("-|-|-"));
}

TEST_F(PipesTest, TopRareAndFirstSeen) {
  CommitSample();
  EXPECT_THAT(Rows("| top user"), ElementsAre("ann|2", "bob|1", "cid|1"));
  EXPECT_THAT(Rows("| top 1 user"), ElementsAre("ann|2"));
  EXPECT_THAT(Rows("| rare 2 user"), ElementsAre("bob|1", "cid|1"));
  EXPECT_THAT(Rows("| first-seen user | fields user, first_time, first_host, first_seq, count"),
              ElementsAre("ann|1970-01-01T00:00:10.000000000Z|h1|1|2",
                          "bob|1970-01-01T00:00:20.000000000Z|h1|2|1",
                          "cid|1970-01-01T01:00:05.000000000Z|h2|3|1"));
}

TEST_F(PipesTest, RowsAreChosenOrderedAndCut) {
  CommitSample();
  EXPECT_THAT(Rows("| fields host, user"),
              ElementsAre("h1|ann", "h2|ann", "h1|bob", "h2|-", "h2|cid"));
  EXPECT_THAT(Rows("| fields json.tags | limit 1"), ElementsAre("[a;b]"));
  EXPECT_THAT(Rows("| uniq user"), ElementsAre("ann", "bob", "-", "cid"));
  EXPECT_THAT(Rows("| sort json.n desc, host | fields json.n"),
              ElementsAre("x", "10", "5", "2.5", "-"));
  EXPECT_THAT(Rows("| sort by json.n asc| limit 2"), ElementsAre("h2/app/2", "h1/app/1"));
  EXPECT_THAT(Rows("| where user=ann"), ElementsAre("h1/app/1", "h2/app/1"));
  EXPECT_THAT(Rows("| limit 2"), ElementsAre("h1/app/1", "h2/app/1"));
  EXPECT_THAT(Rows("| stats count() by (user) | where count>1 or not user=*"),
              ElementsAre("ann|2", "-|1"));
  EXPECT_THAT(Rows("| stats count() by (user) | where an"), ElementsAre("ann|2"));
  EXPECT_THAT(Rows("| fields time | where time>=1970-01-01T01:00:00Z"),
              ElementsAre("1970-01-01T01:00:05.000000000Z"));
  for (const char* when :
       {"last=1970-01-01T01:00:05Z", "last in (1970-01-01T01:00:05Z, x, 1970-01-01)",
        "last!=1970-01-01T00:00:20Z"}) {
    EXPECT_THAT(Rows("| stats max(time) as last by (host) | where " + std::string(when)),
                ElementsAre("h2|1970-01-01T01:00:05.000000000Z"))
        << when;
  }
}

TEST_F(PipesTest, ALimitIsToldAndTheRestIsNotRead) {
  CommitSample();
  Answered answered = Answer("| limit 2");
  EXPECT_TRUE(answered.completeness.limit_reached);
  EXPECT_EQ(answered.completeness.rows, 2u);
  EXPECT_FALSE(Answer("| limit 5").completeness.limit_reached);
  // The request's own limit counts rows of the answer.
  answered = Answer("| stats count() by (user)", [](Request& request) { request.limit = 2; });
  EXPECT_THAT(answered.rows, ElementsAre("ann|2", "bob|1"));
  EXPECT_TRUE(answered.completeness.limit_reached);
  EXPECT_EQ(answered.completeness.matches, 5u);
}

TEST_F(PipesTest, CountsOfStreamsAreReadFromHeaders) {
  CommitSample();
  const Answered whole = Answer("| stats count() by (host, source)");
  EXPECT_THAT(whole.rows, ElementsAre("h1|app|2", "h2|app|3"));
  EXPECT_EQ(whole.completeness.blocks_counted, 2U);
  EXPECT_EQ(whole.completeness.blocks_scanned, 0U);
  EXPECT_EQ(whole.completeness.matches, 5U);
  // Where the window cuts a block, that one is read; with --strict and for anything but counts, all are.
  const Answered cut = Answer("| stats count() by (host)", [](Request& request) {
    request.scope.until = 3000 * kNanosPerSecond;
  });
  EXPECT_THAT(cut.rows, ElementsAre("h1|2", "h2|2"));
  EXPECT_EQ(cut.completeness.blocks_counted, 1U);
  const Answered strict =
      Answer("| stats count() by (host)", [](Request& request) { request.strict = true; });
  EXPECT_THAT(strict.rows, ElementsAre("h1|2", "h2|3"));
  EXPECT_EQ(strict.completeness.blocks_scanned, 2U);
  EXPECT_EQ(Answer("| stats count(), uniq(user) by (host)").completeness.blocks_scanned, 2U);
}

TEST_F(PipesTest, CountingHandsOverNothing) {
  CommitSample();
  const Answered answered =
      Answer("| stats count() by (user)", [](Request& request) { request.count_only = true; });
  EXPECT_THAT(answered.rows, IsEmpty());
  EXPECT_EQ(answered.completeness.rows, 4u);
}

TEST_F(PipesTest, SubqueriesAreAskedFirst) {
  CommitSample();
  EXPECT_THAT(Rows("user in {host=h2}"), ElementsAre("h1/app/1", "h2/app/1", "h2/app/3"));
  EXPECT_THAT(Rows("user in {host=h2 user=ann | uniq user} host=h1"), ElementsAre("h1/app/1"));
  EXPECT_THAT(Rows("not user in {host=h2}"), ElementsAre("h1/app/2", "h2/app/2"));
  EXPECT_THAT(Rows("user in {nothing}"), IsEmpty());
  EXPECT_THAT(Rows("user in {user in {host=h1 user=bob}}"), ElementsAre("h1/app/2"));
  EXPECT_THAT(Answer("user in {host=h2}").completeness.notes,
              ElementsAre(StartsWith("the subquery of user gave 2 values from 3 records")));
}

TEST_F(PipesTest, AnUnreadableBlockOfASubqueryMakesTheAnswerIncomplete) {
  CommitSample();
  const std::uint64_t block = Commit("h3", "app", {At(40, R"({"user":"dan"})")}, "json");
  Tamper([block](storage::Tables& tables) { DropPayload(tables, block); });
  const Answered answered = Answer("host=h1 user in {host=h3}");
  EXPECT_THAT(answered.rows, IsEmpty());
  ASSERT_EQ(answered.completeness.unreadable.size(), 1u);
  EXPECT_EQ(answered.completeness.unreadable[0].block, block);
  EXPECT_EQ(Answer("user in {host=h3}").completeness.unreadable.size(), 1u)
      << "the query itself met it too";
}

TEST_F(PipesTest, BoundsAreRefusedByName) {
  std::vector<Record> records;
  std::string list = "{\"x\":[0";
  for (int i = 1; i < 100; ++i) list += "," + std::to_string(i);
  list += "],\"y\":" + list.substr(5) + "]}\n";
  Commit("h1", "app", {{list}}, "json");
  EXPECT_THAT(Refused("| stats count() by (json.x, json.y)"),
              HasSubstr("more than 4096 combinations"));
  // A line of thousands of addresses is named, so that the question can be asked without it.
  std::string addresses;
  for (int i = 0; i < 5000; ++i)
    addresses += "10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250) + " ";
  Commit("h1", "scan", {{"9.9.9.9\n"}, {addresses + "\n"}});
  EXPECT_THAT(Refused("source=scan | top ip"),
              HasSubstr("the record h1/scan/2 has more than 4096 combinations"));
  EXPECT_THAT(Rows("source=scan not seq=2 | top ip"), ElementsAre("9.9.9.9|1"));
  // 60 values of 1.5 MiB each.
  for (int i = 0; i < 60; ++i)
    Commit("h1", "big", {{std::to_string(i) + std::string(3 << 19, 'x')}});
  for (const char* pipe : {"stats count() by (message)", "top message", "sort message",
                           "stats values(message)", "first-seen message"}) {
    const Answered answered = Answer("source=big | " + std::string(pipe));
    EXPECT_EQ(answered.status.code(), StatusCode::kInvalidArgument) << pipe;
    EXPECT_THAT(answered.status.message(), HasSubstr("would hold more than 64 MiB")) << pipe;
  }
  // With a limit behind it, sort holds only what it needs.
  EXPECT_THAT(Rows("source=big | sort seq desc | limit 2"), ElementsAre("h1/big/60", "h1/big/59"));
}

TEST_F(PipesTest, MistakesNameTheColumnAndSuggest) {
  const std::pair<const char*, const char*> kCases[] = {
      {"a | stat count()", "column 5: there is no pipe 'stat'; did you mean 'stats'?"},
      {"a |", "column 4: a pipe is one of: fields stats"},
      {"a | | b", "column 5: a pipe is one of"},
      {"a | stats", "column 10: a function is one of: count"},
      {"a | stats count", "column 16: '(' must follow count"},
      {"a | stats count(", "column 17: the name of a field is missing"},
      {"a | stats count() by (hots)", "column 23: unknown field 'hots'; did you mean 'host'?"},
      {"a | stats count() by (host", "column 27: ')' is missing"},
      {"a | stats sum()", "column 15: sum needs a field"},
      {"a | stats count() by (user:1h)", "only time, read_time and commit_time"},
      {"a | stats count() by (time:1x)", "the length of time is missing"},
      {"a | stats count(), count()", "two columns would be named 'count'"},
      {"a | fields host | where hst=a", "column 25: no column 'hst'; did you mean 'host'?"},
      {"a | fields host | sort zzzzzz",
       "column 24: no column 'zzzzzz' comes here; the columns are: host"},
      {"a | fields host | first-seen host", "column 19: first-seen needs records"},
      {"a | limit 0", "column 11: a number from 1"},
      {"a | limit", "column 10: a number from 1"},
      {"a | limit 5 6", "column 13: this pipe should have ended here"},
      {"a | fields host | where host>x", "column 30: 'x' is neither a number nor a time"},
      {"a | where", "column 10: an expression is missing"},
      {"a | where host in {b}", "a subquery cannot stand behind a pipe"},
  };
  for (const auto& [text, message] : kCases) EXPECT_THAT(Refused(text), HasSubstr(message)) << text;
}

// Counts of groups are the counts of the comparison: over random records, with a naive count beside.
TEST_F(PipesTest, GroupCountsAreThoseOfTheComparison) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::map<std::string, std::uint64_t> naive;
  for (int block = 0; block < 20; ++block) {
    std::vector<Record> records;
    for (int i = 0; i < 50; ++i) {
      std::set<std::string> values;
      std::string list;
      for (unsigned n = random() % 4; n > 0; --n) {
        const std::string value = "v" + std::to_string(random() % 7);
        list += (list.empty() ? "\"" : ",\"") + value + "\"";
        values.insert(value);
      }
      for (const std::string& value : values) ++naive[value];
      records.push_back({"{\"f\":[" + list + "]}\n"});
    }
    Commit("h" + std::to_string(random() % 3), "app", records, "json");
  }
  std::map<std::string, std::uint64_t> grouped;
  for (const std::string& row : Rows("json.f=* | stats count() by (json.f)"))
    grouped[row.substr(0, row.find('|'))] = std::stoull(row.substr(row.find('|') + 1));
  EXPECT_EQ(grouped, naive);
  for (const auto& [value, count] : naive)
    EXPECT_EQ(Answer("json.f=" + value).completeness.matches, count);
}

}  // namespace
}  // namespace logvault::query
