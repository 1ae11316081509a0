// Evaluation: terms, fields, and random expressions against an evaluator that does it the obvious way.
#include "query/evaluate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <iostream>
#include <memory>
#include <random>

#include "evidence/payload.h"

namespace logvault::query {
namespace {

Row RowWith(std::string_view bytes) {
  Row row;
  row.host = "geo01";
  row.source = "access";
  row.format = formats::Format::kPlain;
  row.seq = 7;
  row.bytes = bytes;
  return row;
}

bool MatchesRow(std::string_view text, const Row& row) {
  Result<Expression> expression = Expression::Parse(text);
  EXPECT_TRUE(expression.ok()) << text << ": " << expression.status();
  Subject subject(row);
  return expression.ok() && Matches(*expression, subject);
}
bool MatchesText(std::string_view expression, std::string_view bytes) {
  return MatchesRow(expression, RowWith(bytes));
}

TEST(TermTest, WordsAndStringsAreSubstringsInAnyCase) {
  EXPECT_TRUE(MatchesText("CMDSHELL", "exec xp_cmdshell 'dir'\n"));
  EXPECT_TRUE(MatchesText("\"exec(java.lang\"", "valueReference=EXEC(java.lang.Runtime"));
  EXPECT_TRUE(MatchesText("\"a\\\\b\\\"c\"", "xa\\b\"cx"));
  EXPECT_FALSE(MatchesText("\"a b\"", "a  b"));
  EXPECT_TRUE(MatchesText("\"\"", "anything"));
}

TEST(TermTest, WildcardsWorkInWordsAndNotInStrings) {
  EXPECT_TRUE(MatchesText("wfs?request", "/wfs?request=1"));
  EXPECT_TRUE(MatchesText("wfs?request", "/wfs/request=1"));
  EXPECT_FALSE(MatchesText("\"wfs?request\"", "/wfs/request=1"));
  EXPECT_TRUE(MatchesText("*.jsp*cmd", "GET /x.jsp?cmd=id"));
  EXPECT_FALSE(MatchesText("*.jsp*cmd", "cmd then .jsp"));
  EXPECT_TRUE(MatchesText("*", "anything"));
}

TEST(TermTest, BareAddressesAndHashesAreWholeOnes) {
  EXPECT_TRUE(MatchesText("10.1.1.1", "from 10.1.1.1 port 22"));
  EXPECT_FALSE(MatchesText("10.1.1.1", "from 110.1.1.12 port 22"));
  EXPECT_TRUE(MatchesText("\"10.1.1.1\"", "from 110.1.1.12 port 22"));
  EXPECT_TRUE(MatchesText("10.0.0.0/8", "from 10.1.1.1 port 22"));
  EXPECT_FALSE(MatchesText("10.0.0.0/8", "net 11.0.0.0/8"));
  EXPECT_TRUE(
      MatchesText("0777EA1D01DAD6DC261A6B602205E2C8", "x 0777ea1d01dad6dc261a6b602205e2c8"));
  EXPECT_FALSE(
      MatchesText("0777EA1D01DAD6DC261A6B602205E2C8", "x f0777ea1d01dad6dc261a6b602205e2c8"));
}

TEST(TermTest, Utf16IsSearchedAsText) {
  std::string bytes = "\xff\xfe";
  for (char c : std::string_view("Login failed for user 'sa'.\r\n")) bytes += std::string{c, '\0'};
  Row row = RowWith(bytes);
  EXPECT_FALSE(MatchesRow("\"login failed\"", row))
      << "as bytes there is a NUL between any two letters";
  row.flags = evidence::kRecordUtf16Le;
  EXPECT_TRUE(MatchesRow("\"login failed\"", row));
}

// `user=a or user=b or …` is a list from some length on: it must find what its parts find.
TEST(FieldTest, ManyValuesJoinedByOrAreAListAndFindTheSame) {
  const std::uint64_t seed = std::random_device{}();
  std::cout << "seed " << seed << "\n";
  std::mt19937_64 random(seed);
  const std::vector<std::string> values = {
      "anna",      "\"ANNA\"", "jonas", "jo*",  "\"jo*\"", "10.0.0.1",  "10.0.0.0/8", "\"1.2\"",
      "fe80::/10", "7",        "07",    "\"\"", "a?b",     "0.0.0.0/0", "geo01"};
  const std::vector<std::string> fields = {"user", "src.ip", "host", "seq"};
  for (int round = 0; round < 200; ++round) {
    std::vector<std::string> terms;
    for (std::size_t i = 0, n = 1 + random() % 60; i < n; ++i) {
      const std::string& field = fields[random() % fields.size()];
      terms.push_back(field + "=" + values[random() % values.size()]);
      if (random() % 10 == 0) terms.back() = "not " + terms.back();
      if (random() % 20 == 0) terms.push_back("zzz");
    }
    std::string joined;
    for (const std::string& term : terms) joined += (joined.empty() ? "" : " or ") + term;
    for (const char* user : {"anna", "Jonas", "jo*", "nobody", "10.0.0.1", "10.2.3.4", "fe80::7"}) {
      const std::string text = "web01 sshd[7]: Failed password for " + std::string(user) +
                               " from 10.0.0.1 port 22 ssh2\n";
      Row row = RowWith(text);
      row.format = formats::Format::kSyslog;
      const bool any = std::any_of(terms.begin(), terms.end(), [&row](const std::string& term) {
        return MatchesRow(term, row);
      });
      EXPECT_EQ(MatchesRow(joined, row), any) << joined << "\non " << text;
    }
  }
}

TEST(FieldTest, ManyValuesJoinedByOrAreLookedUp) {
  std::string joined = "host=h0";
  for (int i = 1; i < 40; ++i) joined += " or host=h" + std::to_string(i);
  EXPECT_EQ(Expression::Parse(joined)->ToString().substr(0, 18), "host in (h0, h1, h");
}

TEST(FieldTest, WhatTheVaultKnows) {
  Row row = RowWith("GET /\n");
  row.event_time = 1'720'685'635 * kNanosPerSecond;  // 2024-07-11T08:13:55Z
  row.origin = "/var/log/access.log";
  for (const char* yes : {"host=GEO01", "host=geo*", "host:eo0", "host~\"^geo[0-9]+$\"",
                          "host!=sql01", "source in (syslog, access)", "seq=7", "seq>6 seq<8",
                          "seq>=7 seq<=7", "origin:access", "time>=2024-07-11T08:13:55Z",
                          "time<2024-07-12", "time:2024-07-11T08", "message=\"GET /\""}) {
    EXPECT_TRUE(MatchesRow(yes, row)) << yes;
  }
  for (const char* no : {"host=geo", "host~\"GEO\"", "host!=geo01", "host in (sql01)", "seq>7",
                         "seq!=7", "time<2024-07-11T08:13:55Z", "message=GET"}) {
    EXPECT_FALSE(MatchesRow(no, row)) << no;
  }
}

TEST(FieldTest, AListOfTimesHoldsInstantsLikeAnyOtherComparison) {
  Row row = RowWith("GET /\n");
  row.event_time = 1'720'685'635 * kNanosPerSecond;  // 2024-07-11T08:13:55Z
  for (const char* yes :
       {"time in (2024-07-11T08:13:55Z)", "time in (2024-07-11T10:13:55+02:00, 2024-07-12)",
        "time in (\"2024-07-11 08:13:55\")", "time in (2024-07-11T08:*)"}) {
    EXPECT_TRUE(MatchesRow(yes, row)) << yes;
  }
  EXPECT_FALSE(MatchesRow("time in (2024-07-11T08:13:56Z)", row));
}

TEST(FieldTest, ARegularExpressionGoesOnBehindBytesThatAreNoText) {
  EXPECT_TRUE(MatchesText("message~\"user=.* failed$\"", "user=caf\xe9 failed\n"));
  EXPECT_TRUE(MatchesText("message~\"caf\xef\xbf\xbd\"", "user=caf\xe9 failed\n"));
  EXPECT_FALSE(MatchesText("message~\"^caf\"", "user=caf\xe9 failed\n"));
}

TEST(VerdictTest, HostAndSourceDecideWhereTheyCan) {
  auto verdict = [](std::string_view text) {
    Result<Expression> expression = Expression::Parse(text);
    EXPECT_TRUE(expression.ok()) << expression.status();
    return VerdictFor(*expression, "geo01", "access");
  };
  EXPECT_EQ(verdict(""), Verdict::kAlways);
  EXPECT_EQ(verdict("host=geo01"), Verdict::kAlways);
  EXPECT_EQ(verdict("host=sql01 x"), Verdict::kNever);
  EXPECT_EQ(verdict("host=sql01 or x"), Verdict::kPerhaps);
  EXPECT_EQ(verdict("host=geo01 or x"), Verdict::kAlways);
  EXPECT_EQ(verdict("not (host=geo01 source=access)"), Verdict::kNever);
  EXPECT_EQ(verdict("not host=geo01 or not x"), Verdict::kPerhaps);
  EXPECT_EQ(verdict("source!=access"), Verdict::kNever);
}

TEST(RequiredLiteralsTest, AreTheBestThatEveryMatchMustHold) {
  auto literals = [](std::string_view text) {
    Result<Expression> expression = Expression::Parse(text);
    EXPECT_TRUE(expression.ok()) << expression.status();
    std::string shown;
    for (const Literal& literal : RequiredLiterals(*expression)) shown += literal.folded() + ";";
    return shown;
  };
  EXPECT_EQ(literals("ab ABCD"), "abcd;");
  EXPECT_EQ(literals("ab or cd"), "ab;cd;");
  EXPECT_EQ(literals("(ab or cd) abc"), "abc;");
  EXPECT_EQ(literals("ab or not cd"), "");
  EXPECT_EQ(literals("not ab"), "");
  EXPECT_EQ(literals("a*bcd?e"), "bcd;");
  EXPECT_EQ(literals("10.1.1.1/32 or ::ffff:10.1.1.2"), "10.1.1.1;10.1.1.2;");
  EXPECT_EQ(literals("10.0.0.0/8"), "");
  EXPECT_EQ(literals("message:abc"), "");
}

// A random expression as text, and what it asks of a record, built side by side.
struct RandomExpression {
  std::string text;
  std::function<bool(const std::string&)> fits;
};

RandomExpression RandomTerm(std::mt19937_64& random) {
  const std::string word(1 + random() % 2, static_cast<char>('a' + random() % 4));
  auto holds = [word](const std::string& record) { return record.find(word) != std::string::npos; };
  switch (random() % 3) {
    case 0:
      return {word, holds};
    case 1:
      return {"\"" + word + "\"", holds};
    default:
      return {"message:" + word, holds};
  }
}

// `level` is the loosest operator that may stand without parentheses: 0 or, 1 and, 2 not.
RandomExpression Random(std::mt19937_64& random, int depth, int level) {
  if (depth == 0 || random() % 4 == 0) return RandomTerm(random);
  const auto kind = static_cast<int>(random() % 3);
  if (kind < level || random() % 5 == 0) {
    RandomExpression inner = Random(random, depth - 1, 0);
    return {"(" + inner.text + ")", inner.fits};
  }
  if (kind == 2) {
    RandomExpression inner = Random(random, depth - 1, 2);
    return {(random() % 2 ? "not " : "NOT ") + inner.text,
            [inner](const std::string& r) { return !inner.fits(r); }};
  }
  RandomExpression a = Random(random, depth - 1, kind), b = Random(random, depth - 1, kind);
  if (kind == 0) {
    return {a.text + (random() % 2 ? " or " : " OR ") + b.text,
            [a, b](const std::string& r) { return a.fits(r) || b.fits(r); }};
  }
  return {a.text + (random() % 2 ? " " : " and ") + b.text,
          [a, b](const std::string& r) { return a.fits(r) && b.fits(r); }};
}

TEST(PrecedenceTest, RandomExpressionsMeanWhatANaiveEvaluatorSays) {
  const auto seed = std::random_device{}();
  std::cout << "seed " << seed << "\n";
  std::mt19937_64 random(seed);
  for (int round = 0; round < 4000; ++round) {
    const RandomExpression expected = Random(random, 5, 0);
    Result<Expression> expression = Expression::Parse(expected.text);
    ASSERT_TRUE(expression.ok()) << expected.text << ": " << expression.status();
    const std::vector<Literal> required = RequiredLiterals(*expression);
    for (int i = 0; i < 10; ++i) {
      std::string record;
      for (auto size = random() % 8; size > 0; --size)
        record += static_cast<char>('a' + random() % 4);
      const Row row = RowWith(record);
      Subject subject(row);
      const bool matches = Matches(*expression, subject);
      ASSERT_EQ(matches, expected.fits(record)) << expected.text << " on " << record;
      bool held = required.empty();
      for (const Literal& literal : required) held = held || literal.In(record);
      ASSERT_TRUE(held || !matches) << expected.text << " would be missed in " << record;
    }
  }
}

}  // namespace
}  // namespace logvault::query
