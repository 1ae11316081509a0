// Where hits stand in a text.
#include "query/highlight.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "query/evaluate.h"

namespace logvault::query {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> Hits(std::string_view expression, std::string_view text,
                              formats::Format format = formats::Format::kPlain) {
  Result<Expression> parsed = Expression::Parse(expression);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  std::vector<std::string> hits;
  for (const Span& span : FindSpans(*parsed, format, text))
    hits.emplace_back(text.substr(span.begin, span.end - span.begin));
  return hits;
}

TEST(HighlightTest, TermsWhereverTheyStand) {
  EXPECT_THAT(Hits("fail", "Fail, failed, FAILURE"), ElementsAre("Fail", "fail", "FAIL"));
  EXPECT_THAT(Hits("\"a b\" or c", "a b c"), ElementsAre("a b", "c"));
  EXPECT_THAT(Hits("ab bc", "abc"), ElementsAre("abc")) << "what overlaps is one";
}

TEST(HighlightTest, NotWhatIsExcluded) {
  EXPECT_THAT(Hits("ssh not root", "ssh ro"), ElementsAre("ssh"));
  EXPECT_THAT(Hits("not ssh", "ssh"), IsEmpty());
  EXPECT_THAT(Hits("message!=x", "x"), IsEmpty());
}

TEST(HighlightTest, WholeAddressesAndHashes) {
  EXPECT_THAT(Hits("10.1.1.1", "110.1.1.1 10.1.1.1:80 10.1.1.12"), ElementsAre("10.1.1.1"));
  EXPECT_THAT(Hits("10.0.0.0/8", "from 10.9.8.7, 11.0.0.1"), ElementsAre("10.9.8.7"));
  const std::string hash(32, 'a');
  EXPECT_THAT(Hits(hash, hash + " " + hash + "b"), ElementsAre(hash));
}

TEST(HighlightTest, ValuesOfFieldsThatFit) {
  const std::string_view log =
      "10.1.2.3 - - [10/Jul/2024:09:00:00 +0000] \"GET /a200 HTTP/1.1\" 200 17\n";
  EXPECT_THAT(Hits("http.status=200", log, formats::Format::kAccess), ElementsAre("200"));
  EXPECT_THAT(Hits("src.ip in (10.0.0.0/8)", log, formats::Format::kAccess),
              ElementsAre("10.1.2.3"));
  EXPECT_THAT(Hits("http.status=404", log, formats::Format::kAccess), IsEmpty());
  EXPECT_THAT(Hits("message~\"a2+\"", log), ElementsAre("a2"));
  EXPECT_THAT(Hits("http.path:a2", log, formats::Format::kAccess), ElementsAre("a2"));
}

TEST(HighlightTest, AnEmptyValueStandsNowhere) {
  const std::string_view proxied =
      "203.0.113.7 - - [11/Jul/2024:13:14:15 +0000] \"GET http://a HTTP/1.1\" 200 5";
  EXPECT_THAT(Hits("http.path:*", proxied, formats::Format::kAccess), IsEmpty());
  EXPECT_THAT(Hits("http.path:\"\"", proxied, formats::Format::kAccess), IsEmpty());
}

TEST(HighlightTest, SpansAscendAndDoNotTouch) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  auto letters = [&random](std::size_t size) {
    std::string text;
    for (std::size_t i = 0; i < size; ++i) text += "ab.1:"[random() % 5];
    return text;
  };
  for (int round = 0; round < 2000; ++round) {
    const std::string text = letters(random() % 60);
    std::string expression = "\"" + letters(1 + random() % 3) + "\" or 1.1.1.1 or \"" +
                             letters(1 + random() % 2) + "\" or message~\"[ab]+\"";
    Result<Expression> parsed = Expression::Parse(expression);
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    const std::vector<Span> spans = FindSpans(*parsed, formats::Format::kPlain, text);
    for (std::size_t i = 0; i < spans.size(); ++i) {
      ASSERT_LT(spans[i].begin, spans[i].end);
      ASSERT_LE(spans[i].end, text.size());
      if (i > 0) {
        ASSERT_LT(spans[i - 1].end, spans[i].begin);
      }
    }
    Row row;
    row.bytes = text;
    Subject subject(row);
    ASSERT_EQ(Matches(*parsed, subject), !spans.empty()) << expression << "\n" << text;
  }
}

}  // namespace
}  // namespace logvault::query
