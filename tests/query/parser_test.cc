// The language: what is understood, and what is refused with which words.
#include "query/expression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace logvault::query {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// How `text` was understood, or why not.
std::string Parsed(std::string_view text) {
  Result<Expression> expression = Expression::Parse(text);
  return expression.ok() ? expression->ToString() : expression.status().message();
}

struct Case {
  const char* text;
  const char* understood;
};

TEST(ParserTest, Precedence) {
  const Case kCases[] = {
      {"", "*"},
      {"   ", "*"},
      {"a", "a"},
      {"a b", "(a and b)"},
      {"a and b", "(a and b)"},
      {"a or b c", "(a or (b and c))"},
      {"a b or c", "((a and b) or c)"},
      {"a AND b Or c aNd d", "((a and b) or (c and d))"},
      {"not a b", "(not a and b)"},
      {"not not a", "not not a"},
      {"not (a or b) c", "(not (a or b) and c)"},
      {"(a or b) and c", "((a or b) and c)"},
      {"((a))", "a"},
      {"a(b)c", "(a and b and c)"},
      {"a\"b\"c", "(a and \"b\" and c)"},
      {"android orbit nothing", "(android and orbit and nothing)"},
      {"\"or\"", "\"or\""},
  };
  for (const Case& c : kCases) EXPECT_EQ(Parsed(c.text), c.understood) << c.text;
}

TEST(ParserTest, Fields) {
  const Case kCases[] = {
      {"host=geo01", "host=geo01"},
      {"host = geo01", "host=geo01"},
      {"host=\"geo 01\"", "host=\"geo 01\""},
      {"source!=logvault", "source!=logvault"},
      {"message:part", "message:part"},
      {"message~\"a|b(c)\"", "message~\"a|b(c)\""},
      {"seq<5 seq<=5 seq>5 seq>=5", "(seq<5 and seq<=5 and seq>5 and seq>=5)"},
      {"host in (a, \"b c\",10.0.0.0/8)", "host in (a, \"b c\", 10.0.0.0/8)"},
      {"not host=a", "not host=a"},
      {"time>=2024-07-11T08:00:00Z", "time>=2024-07-11T08:00:00Z"},
      {"/etc/passwd=x", "/etc/passwd=x"},
      {"10.0.0.1:80", "10.0.0.1:80"},
      {"in (a)", "(in and a)"},
      {"fe80::1 x", "(fe80::1 and x)"},
      {"fe80::/10", "fe80::/10"},
      {"${jndi:ldap}", "${jndi:ldap}"},
      {"user in { host=a  | uniq user } b", "(user in {host=a | uniq user } and b)"},
      {"src.ip in {\"}\"}", "src.ip in {\"}\"}"},
  };
  for (const Case& c : kCases) EXPECT_EQ(Parsed(c.text), c.understood) << c.text;
}

TEST(ParserTest, ErrorsNameTheColumnAndWhatToDo) {
  const Case kCases[] = {
      {"hots=geo01", "column 1: unknown field 'hots'; did you mean 'host'?"},
      {"a hots=geo01", "column 3: unknown field"},
      {"xyzzyx=1", "column 1: unknown field 'xyzzyx'; to search for the text, quote it"},
      {"\xc3\xa4 hots=geo01", "column 3: unknown field"},
      {"http://example.com", "quote it: \"http://example.com\""},
      {"a 10.0.0.0/99", "column 3: '10.0.0.0/99' is no network: an IPv4 prefix has 0 to 32 bits"},
      {"src.ip in (1.2.3.4, 1.2.3.4/33)", "column 21: '1.2.3.4/33' is no network"},
      {"src.ip=fe80::1/129", "an IPv6 prefix has 0 to 128 bits"},
      {"a | stats count()", "column 3: pipes cannot stand here"},
      {"(a | b)", "column 4: a pipe cannot stand here"},
      {"exec(java.lang", "column 5: '(' is never closed; quote"},
      {"a)", "column 2: ')' without a '('"},
      {"()", "column 2: a term is missing"},
      {"a or", "column 5: a term is missing"},
      {"or a", "column 1: a term is missing before 'or'"},
      {"a and or b", "column 7: a term is missing before 'or'"},
      {"not", "column 4: a term is missing"},
      {"\"abc", "column 1: this string is never closed"},
      {"\"a\\d\"", "column 3: in a string only"},
      {"host=", "column 6: a value must follow"},
      {"host==a", "'==' is not an operator"},
      {"host:(a or b)", "a list is written host in (a, b)"},
      {"host in (a", "this list is never closed"},
      {"host in (a b)", "parted by commas"},
      {"host in ()", "a value is missing"},
      {"host in (a,,b)", "a value is missing"},
      {"host in @file", "column 9: a list from a file is read by `logvault query`, and not here"},
      {"host in {a", "column 9: '{' is never closed"},
      {"host in {hots=a}", "column 10: unknown field 'hots'"},
      {"host in {a | fields host, user}",
       "column 9: a subquery must give one column, and this one gives 2"},
      {"host in {host in {host in {host in {host in {a}}}}}", "subqueries nested deeper than 4"},
      {"message~\"(\"", "column 9: not a regular expression"},
      {"seq<x", "compares numbers"},
      {"time<2h", "use --since"},
      {"time=yesterday", "column 6: 'yesterday' is not a time; write time=2024-07-11T08:00:00Z"},
      {"time in (2024-07-11, noon)", "column 22: 'noon' is not a time"},
  };
  for (const Case& c : kCases) {
    Result<Expression> expression = Expression::Parse(c.text);
    ASSERT_FALSE(expression.ok()) << c.text;
    EXPECT_EQ(expression.status().code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(expression.status().message(), StartsWith("column ")) << c.text;
    EXPECT_THAT(expression.status().message(), HasSubstr(c.understood)) << c.text;
  }
}

TEST(ParserTest, NestingAndSizeAreLimited) {
  const std::string deep(kMaxExpressionDepth + 2, '(');
  EXPECT_THAT(Parsed(deep + "a"), HasSubstr("nested deeper"));
  std::string nots;
  for (int i = 0; i < kMaxExpressionDepth + 2; ++i) nots += "not ";
  EXPECT_THAT(Parsed(nots + "a"), HasSubstr("nested deeper"));
  std::string many;
  for (std::size_t i = 0; i <= kMaxExpressionTerms; ++i) many += "a ";
  EXPECT_THAT(Parsed(many), HasSubstr("more than"));
  EXPECT_THAT(Parsed(std::string(kMaxExpressionBytes + 1, 'a')), HasSubstr("may have"));
}

TEST(ParserTest, WhatIsShownParsesToTheSame) {
  for (const char* text :
       {"a or b c", "not (a or \"b\\\"\\\\\") host in (a, \"b\")", "seq>=5 10.0.0.0/8"}) {
    const std::string shown = Parsed(text);
    EXPECT_EQ(Parsed(shown), shown) << text;
  }
}

}  // namespace
}  // namespace logvault::query
