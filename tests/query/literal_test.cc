// Literals and globs against the obvious way to compute them.
#include "query/literal.h"

#include <gtest/gtest.h>

#include <iostream>
#include <random>

namespace logvault::query {
namespace {

std::size_t NaiveFind(std::string_view haystack, std::string_view needle, std::size_t from) {
  return FoldAscii(haystack).find(FoldAscii(needle), from);
}

// Few letters, so that near misses are common.
std::string RandomText(std::mt19937_64& random, std::size_t size, std::string_view letters) {
  std::string text;
  for (std::size_t i = 0; i < size; ++i) text += letters[random() % letters.size()];
  return text;
}

TEST(LiteralTest, FindsWhatFoldingBothSidesFinds) {
  const auto seed = std::random_device{}();
  std::cout << "seed " << seed << "\n";
  std::mt19937_64 random(seed);
  const std::string_view letters("aAbB@`[{\0\xc3\xa4 1", 13);
  for (int round = 0; round < 20'000; ++round) {
    const std::string haystack = RandomText(random, random() % 80, letters);
    const std::string needle = RandomText(random, random() % 6, letters);
    const std::size_t from = random() % (haystack.size() + 2);
    ASSERT_EQ(Literal(needle).Find(haystack, from), NaiveFind(haystack, needle, from))
        << "'" << needle << "' in '" << haystack << "' from " << from;
  }
}

TEST(LiteralTest, FoldsLettersAndNothingElse) {
  EXPECT_TRUE(Literal("xp_CMDshell").In("EXEC XP_cmdSHELL 'dir'"));
  EXPECT_FALSE(Literal("[").In("{")) << "0x5b and 0x7b differ by the bit that folds letters";
  EXPECT_FALSE(Literal("@").In("`"));
  EXPECT_FALSE(Literal("\xc3\xa4").In("\xc3\x84")) << "only ASCII is folded";
  EXPECT_TRUE(Literal(std::string_view("a\0b", 3)).In(std::string_view("xa\0bx", 5)));
}

TEST(LiteralTest, FindsATextAtEveryPlaceOfALongOne) {
  for (std::size_t at = 0; at + 3 <= 100; ++at) {
    std::string haystack(100, '.');
    haystack.replace(at, 3, "nEt");
    EXPECT_EQ(Literal("NeT").Find(haystack), at);
    EXPECT_EQ(Literal("NeT").Find(haystack, at + 1), std::string::npos);
  }
}

// `*` and `?` by the definition, trying every split.
bool NaiveGlob(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '*') {
    for (std::size_t taken = 0; taken <= text.size(); ++taken) {
      if (NaiveGlob(pattern.substr(1), text.substr(taken))) return true;
    }
    return false;
  }
  return !text.empty() && (pattern[0] == '?' || pattern[0] == text[0]) &&
         NaiveGlob(pattern.substr(1), text.substr(1));
}

TEST(GlobTest, MatchesByItsDefinition) {
  const auto seed = std::random_device{}();
  std::cout << "seed " << seed << "\n";
  std::mt19937_64 random(seed);
  for (int round = 0; round < 20'000; ++round) {
    const std::string pattern = RandomText(random, random() % 7, "ab*?");
    const std::string text = RandomText(random, random() % 8, "ab");
    ASSERT_EQ(GlobMatches(pattern, text, false), NaiveGlob(pattern, text))
        << pattern << " on " << text;
  }
}

TEST(LiteralTest, FoldsLongTextsAsItFoldsEachByte) {
  for (std::size_t size = 0; size < 300; ++size) {
    std::string text, expected;
    for (std::size_t i = 0; i < size; ++i) {
      text += static_cast<char>(i * 7 + size);
      expected += FoldAscii(text.back());
    }
    ASSERT_EQ(FoldAscii(text), expected) << size;
  }
}

TEST(GlobTest, FoldsCaseOnlyWhereAsked) {
  EXPECT_TRUE(GlobMatches("GEO*", "geo01", true));
  EXPECT_FALSE(GlobMatches("GEO*", "geo01", false));
}

}  // namespace
}  // namespace logvault::query
