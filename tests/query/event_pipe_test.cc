// The pipes that see more than one record at a time: events, timeline with its coverage, context.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "query/coverage.h"
#include "tests/query/pipe_fixture.h"

namespace logvault::query {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class EventPipeTest : public PipeTest {
 protected:
  static Record Audit(int seconds, int serial, const std::string& type, const std::string& body) {
    return At(seconds, "type=" + type + " msg=audit(" + std::to_string(seconds) +
                           ".000:" + std::to_string(serial) + "): " + body);
  }
};

TEST_F(EventPipeTest, RecordsOfOneSerialAreOneEvent) {
  Commit("h1", "audit",
         {Audit(5, 1, "SYSCALL", "arch=c000003e syscall=59 exe=\"/usr/bin/wget\""),
          Audit(5, 1, "EXECVE", "argc=2 a0=\"wget\" a1=\"x\""),
          Audit(5, 2, "SYSCALL", "arch=c000003e syscall=59 exe=\"/bin/id\""),
          Audit(5, 2, "EXECVE", "argc=1 a0=\"id\""), Audit(5, 1, "CWD", "cwd=\"/tmp\"")},
         "auditd");
  // Across blocks, and with another event between.
  Commit("h1", "audit", {Audit(5, 2, "CWD", "cwd=\"/root\""), Audit(6, 2, "CWD", "cwd=\"/other\"")},
         "auditd");
  EXPECT_THAT(Rows("syscall=execve cmd:wget"), IsEmpty());
  EXPECT_THAT(Rows("| events | where syscall=execve cmd:wget | fields serial, cmd, exe, cwd"),
              ElementsAre("1|wget x|/usr/bin/wget|/tmp"));
  // The same serial at another time is another event.
  EXPECT_THAT(
      Rows("| events | fields serial, type, cwd"),
      ElementsAre("1|[SYSCALL;EXECVE;CWD]|/tmp", "2|[SYSCALL;EXECVE;CWD]|/root", "2|CWD|/other"));
  EXPECT_THAT(Rows("| events | stats count() by (syscall)"),
              ElementsAre("59|2", "execve|2", "-|1"));
  EXPECT_THAT(Rows("| events | where wget \"/tmp\" | stats count()"), ElementsAre("1"));
  EXPECT_THAT(Rows("| events | sort cmd | fields cmd"), ElementsAre("id", "wget x", "-"));
  EXPECT_EQ(Answer("| events").rows.size(), 3U);
}

TEST_F(EventPipeTest, EventsOfOneHostAreNotThoseOfAnother) {
  Commit("h1", "audit", {Audit(5, 1, "SYSCALL", "exe=\"a\"")}, "auditd");
  Commit("h2", "audit", {Audit(5, 1, "CWD", "cwd=\"/b\"")}, "auditd");
  EXPECT_THAT(Rows("| events | fields host, type"), ElementsAre("h1|SYSCALL", "h2|CWD"));
}

TEST_F(EventPipeTest, AnEventIsClosedByAThousandNumbers) {
  std::vector<Record> records = {Audit(5, 1, "SYSCALL", "exe=\"a\"")};
  for (int i = 0; i < 998; ++i) records.push_back(Audit(6, 1000 + i, "USER_END", "x=1"));
  records.push_back(Audit(5, 1, "CWD", "cwd=\"/near\""));
  for (int i = 0; i < 1001; ++i) records.push_back(Audit(7, 3000 + i, "USER_END", "x=1"));
  records.push_back(Audit(5, 1, "PATH", "name=\"/far\""));
  Commit("h1", "audit", records, "auditd");
  EXPECT_THAT(Rows("| events | where serial=1 | fields type"),
              ElementsAre("[SYSCALL;CWD]", "PATH"));
}

TEST_F(EventPipeTest, AFailedLoginIsJoinedWithItsError) {
  const std::string at = "2024-07-11 13:14:15.55 Logon       ";
  Commit("sql", "mssql",
         {At(1, at + "Error: 18456, Severity: 14, State: 8."),
          At(1, at + "Login failed for user 'sa'. Reason: Password did not match that for the "
                     "login provided. [CLIENT: 203.0.113.7]"),
          At(1, at + "Login failed for user 'x'. Reason: y. [CLIENT: 203.0.113.8]"),
          At(2, at + "Error: 18456, Severity: 14, State: 5."),
          At(3, at + "Login failed for user 'z'. Reason: y. [CLIENT: 203.0.113.9]")},
         "sqlserver");
  EXPECT_THAT(Rows("| events | fields event_id, user, src.ip, sql.state"),
              ElementsAre("18456|sa|203.0.113.7|8", "18456|x|203.0.113.8|-", "18456|-|-|5",
                          "18456|z|203.0.113.9|-"));
}

TEST_F(EventPipeTest, RecordsOfOtherFormatsStandAlone) {
  Commit("h1", "app", {At(1, "a"), At(1, "b")});
  EXPECT_THAT(Rows("| events | fields message"), ElementsAre("a", "b"));
}

TEST_F(EventPipeTest, TheTimelineShowsEmptyLengthsToo) {
  Commit("h1", "app", {At(30, "a"), At(59, "a"), At(185, "b")});
  EXPECT_THAT(Rows("| timeline 1m"),
              ElementsAre("1970-01-01T00:00:00Z|2|ok", "1970-01-01T00:01:00Z|0|ok",
                          "1970-01-01T00:02:00Z|0|ok", "1970-01-01T00:03:00Z|1|ok"));
  EXPECT_THAT(Rows("| timeline 1m by message"),
              ElementsAre("1970-01-01T00:00:00Z|a|2|ok", "1970-01-01T00:01:00Z|-|0|ok",
                          "1970-01-01T00:02:00Z|-|0|ok", "1970-01-01T00:03:00Z|b|1|ok"));
  const Answered window = Answer("nothing | timeline 1m", [](Request& request) {
    request.scope.since = 60 * kNanosPerSecond;
    request.scope.until = 180 * kNanosPerSecond;
  });
  EXPECT_THAT(window.rows, ElementsAre("1970-01-01T00:01:00Z|0|ok", "1970-01-01T00:02:00Z|0|ok"));
}

// 2024-03-31 has 23 hours in Berlin and 2024-10-27 has 25.
TEST_F(EventPipeTest, TheTimelineOfAZoneGoesByItsCalendarAndClock) {
  constexpr int kHour = 3600;
  const int march = 1'711'756'800;  // 2024-03-30T00:00:00Z
  const auto times = [this](const std::string& host, int begin, int hours) {
    std::vector<Record> records;
    for (int i = 0; i < 2 * hours; ++i) records.push_back(At(begin + i * kHour / 2, "x"));
    Commit(host, "app", records);
  };
  times("spring", march, 72);
  EXPECT_THAT(Rows("host=spring | timeline 1d in Europe/Berlin"),
              ElementsAre("2024-03-30T00:00:00+01:00|46|ok", "2024-03-31T00:00:00+01:00|46|ok",
                          "2024-04-01T00:00:00+02:00|48|ok", "2024-04-02T00:00:00+02:00|4|ok"));
  const std::vector<std::string> hours = Rows("host=spring | timeline 1h in \"Europe/Berlin\"");
  EXPECT_EQ(hours.size(), 72U);
  EXPECT_EQ(hours[23], "2024-03-31T00:00:00+01:00|2|ok");
  EXPECT_EQ(hours[25], "2024-03-31T03:00:00+02:00|2|ok");
  EXPECT_THAT(Rows("host=spring | timeline 12h in Europe/Berlin | limit 4 | fields time, count"),
              ElementsAre("2024-03-30T00:00:00+01:00|22", "2024-03-30T12:00:00+01:00|24",
                          "2024-03-31T00:00:00+01:00|22", "2024-03-31T12:00:00+02:00|24"));

  const int october = 1'729'980'000;  // 2024-10-26T22:00:00Z, midnight there
  times("autumn", october, 26);
  EXPECT_THAT(Rows("host=autumn | timeline 1d in Europe/Berlin"),
              ElementsAre("2024-10-27T00:00:00+02:00|50|ok", "2024-10-28T00:00:00+01:00|2|ok"));
  EXPECT_THAT(Rows("host=autumn | timeline 1h in Europe/Berlin | limit 4 | fields time, count"),
              ElementsAre("2024-10-27T00:00:00+02:00|2", "2024-10-27T01:00:00+02:00|2",
                          "2024-10-27T02:00:00+02:00|2", "2024-10-27T02:00:00+01:00|2"));
  // Days without records, on both sides of a change.
  const Answered empty = Answer("nothing | timeline 1d in Europe/Berlin", [&](Request& request) {
    request.scope.since = (march + kHour) * kNanosPerSecond;
    request.scope.until = (march + 72 * kHour) * kNanosPerSecond;
  });
  EXPECT_EQ(empty.rows.size(), 4U);
  EXPECT_THAT(Refused("| timeline 1d in Europe/Berlim"), HasSubstr("unknown time zone"));
  EXPECT_THAT(Refused("| timeline 1d in"), HasSubstr("a time zone is missing here"));
}

TEST_F(EventPipeTest, AZeroWhereNothingWasCommittedIsNone) {
  Commit("h1", "app", {At(130, "a")});
  Commit("h1", "logvault", {At(200, "{}")}, "json");  // its host lived a minute longer
  const Answered window = Answer("nothing | timeline 1m", [](Request& request) {
    request.scope.since = 60 * kNanosPerSecond;
    request.scope.until = 300 * kNanosPerSecond;
  });
  EXPECT_THAT(window.rows, ElementsAre("1970-01-01T00:01:00Z|0|none", "1970-01-01T00:02:00Z|0|ok",
                                       "1970-01-01T00:03:00Z|0|ok", "1970-01-01T00:04:00Z|0|none"));
}

TEST_F(EventPipeTest, AClockThatIsCenturiesOffDoesNotFillTheTimeline) {
  Commit("h1", "app", {{"a\n", 60 * kNanosPerSecond}, {"b\n", INT64_MAX}, {"c\n", INT64_MIN + 1}});
  EXPECT_EQ(Rows("| timeline 1s").size(), 3U);
}

TEST_F(EventPipeTest, AGapIsNotAnEmptyMinute) {
  Commit("h1", "app", {At(30, "a")});
  Host("h1").place("app").next_seq += 10;
  Commit("h1", "app", {At(150, "b")});
  Commit("h2", "app", {At(200, "c")});
  EXPECT_THAT(Rows("host=h1 | timeline 1m"),
              ElementsAre("1970-01-01T00:00:00Z|1|gap", "1970-01-01T00:01:00Z|0|gap",
                          "1970-01-01T00:02:00Z|1|gap"));
  EXPECT_THAT(Rows("host=h2 | timeline 1m"), ElementsAre("1970-01-01T00:03:00Z|1|ok"));
}

TEST_F(EventPipeTest, WhatAForwarderSaysItLostIsAGap) {
  Commit("h1", "app", {At(30, "a"), At(150, "b")});
  Commit("h1", "logvault", {At(100, R"({"type":"gap","source":"app","bytes":5})")}, "json");
  Commit("h1", "logvault", {At(30, R"({"type":"gap","source":"other","bytes":5})")}, "json");
  EXPECT_THAT(Rows("source=app | timeline 1m"),
              ElementsAre("1970-01-01T00:00:00Z|1|ok", "1970-01-01T00:01:00Z|0|gap",
                          "1970-01-01T00:02:00Z|1|ok"));
}

TEST_F(EventPipeTest, CoverageIsTheWorstOfALength) {
  Coverage coverage;
  EXPECT_EQ(coverage.Of(0, 10), "none");
  coverage.AddCovered(0, 29);
  coverage.AddSilence(10, 20);
  coverage.AddGap(18, 18);
  EXPECT_EQ(coverage.Of(0, 10), "ok");
  EXPECT_EQ(coverage.Of(0, 11), "silent");
  EXPECT_EQ(coverage.Of(15, 19), "gap");
  EXPECT_EQ(coverage.Of(20, 30), "silent");
  EXPECT_EQ(coverage.Of(21, 30), "ok");
  EXPECT_EQ(coverage.Of(30, 31), "none");
}

TEST_F(EventPipeTest, ContextBringsTheNeighbours) {
  Commit("h1", "app", {At(1, "a"), At(2, "b"), At(3, "needle"), At(4, "c"), At(5, "d")});
  EXPECT_THAT(Rows("needle | context 1"), ElementsAre("h1/app/2", "h1/app/3", "h1/app/4"));
  EXPECT_THAT(Rows("needle | context 1 | fields message"), ElementsAre("b", "needle", "c"));
  EXPECT_THAT(Refused("needle | limit 1 | context 1"), HasSubstr("it must be the first pipe"));
  EXPECT_THAT(Refused("needle | fields host | events"), HasSubstr("it must be the first pipe"));
}

}  // namespace
}  // namespace logvault::query
