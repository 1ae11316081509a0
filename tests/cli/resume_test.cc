// The command that goes on where an interrupted search ended.
#include "cli/resume.h"

#include <gtest/gtest.h>

namespace logvault::cli {
namespace {

constexpr UnixNanos kLast = 1'720'685'635'123'456'789;
using Order = query::Request::Order;

query::Request Ask(Order order, std::string_view expression = "") {
  query::Request request;
  request.order = order;
  request.expression = *query::Expression::Parse(expression);
  return request;
}

TEST(ResumeTest, NewestFirstGoesOnBeforeTheLastRowWhichIsShownAgain) {
  EXPECT_EQ(ResumeCommand({"query", "x", "-n", "0"}, Ask(Order::kNewestFirst, "x"), kLast),
            "logvault query x -n 0 --until 2024-07-11T08:13:55.123456790Z");
}

TEST(ResumeTest, OldestFirstDoesNotRepeatWhatWasCommittedLater) {
  EXPECT_EQ(ResumeCommand({"query", "a", "or", "b"}, Ask(Order::kOldestFirst, "a or b"), kLast),
            "logvault query '(' a or b ')' 'time>=2024-07-11T08:13:55.123456789Z' --since "
            "2024-07-11T08:13:55.123456789Z");
  query::Request by_commit = Ask(Order::kOldestFirst, "a");
  by_commit.scope.by = query::TimeField::kCommit;
  EXPECT_EQ(ResumeCommand({"query", "a", "--by", "commit"}, by_commit, kLast),
            "logvault query a --by commit --since 2024-07-11T08:13:55.123456789Z");
}

TEST(ResumeTest, TheWindowIsReplacedInEveryFormAndAgesBecomeInstants) {
  query::Request request = Ask(Order::kNewestFirst);
  request.scope.since = 1'720'000'000 * kNanosPerSecond;
  request.scope.until = kLast + 100;
  const std::string window =
      " --since 2024-07-03T09:46:40.000000000Z --until 2024-07-11T08:13:55.123456790Z";
  EXPECT_EQ(ResumeCommand({"query", "-s", "7d", "--until=1h"}, request, kLast),
            "logvault query" + window);
  EXPECT_EQ(ResumeCommand({"query", "-s7d", "--until", "1h", "-S", "app"}, request, kLast),
            "logvault query -S app" + window);
  EXPECT_EQ(ResumeCommand({"query", "--", "-s"}, request, kLast),
            "logvault query" + window + " -- -s");
}

TEST(ResumeTest, AWindowNeverGrows) {
  query::Request request = Ask(Order::kNewestFirst);
  request.scope.until = kLast - 100;  // the row lay outside the window
  EXPECT_EQ(ResumeCommand({"query"}, request, kLast),
            "logvault query --until 2024-07-11T08:13:55.123456689Z");
}

TEST(ResumeTest, WordsAreQuotedForTheShell) {
  EXPECT_EQ(ShellQuoted("a.b-c=1"), "a.b-c=1");
  EXPECT_EQ(ShellQuoted(""), "''");
  EXPECT_EQ(ShellQuoted("it's \"x\" $y"), "'it'\\''s \"x\" $y'");
}

}  // namespace
}  // namespace logvault::cli
