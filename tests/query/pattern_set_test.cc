// Lists of thousands of values: what the set says is what asking each pattern says.
#include "query/pattern_set.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace logvault::query {
namespace {

class PatternSetTest : public ::testing::Test {
 protected:
  unsigned Below(unsigned n) { return static_cast<unsigned>(random_() % n); }
  std::string Octet() { return std::to_string(Below(4)); }
  std::string Address() {
    if (Below(4) == 0) return "fe80::" + Octet() + ":" + Octet();
    return "10." + Octet() + "." + Octet() + "." + Octet();
  }
  std::string Text() {
    std::string text;
    for (unsigned n = Below(4); n > 0; --n) text += "aAbB.1"[Below(6)];
    return text;
  }
  Pattern Value() {
    switch (Below(6)) {
      case 0:
        return Pattern::Of(Address() + "/" + std::to_string(8 + Below(25)), false);
      case 1:
        return Pattern::Of(Address(), false);
      case 2:
        return Pattern::Of(Text() + "*" + Text(), false);
      case 3:
        return Pattern::Of(Text() + "*", true);
      default:
        return Pattern::Of(Text(), Below(2) == 0);
    }
  }

  const unsigned seed_ = std::random_device{}();
  std::mt19937 random_{seed_};
};

TEST_F(PatternSetTest, SaysWhatEachPatternSays) {
  SCOPED_TRACE("seed " + std::to_string(seed_));
  for (int round = 0; round < 300; ++round) {
    std::vector<Pattern> patterns;
    for (unsigned n = 1 + Below(8); n > 0; --n) patterns.push_back(Value());
    const std::shared_ptr<const PatternSet> set = PatternSet::Of(patterns);
    ASSERT_NE(set, nullptr);
    for (int i = 0; i < 100; ++i) {
      const std::string value = Below(2) == 0   ? Address()
                                : Below(8) == 0 ? patterns[0].text
                                                : Text();
      const bool one = std::any_of(patterns.begin(), patterns.end(),
                                   [&](const Pattern& p) { return p.Equals(value); });
      ASSERT_EQ(set->AnyEquals(value), one) << value;
    }
  }
}

TEST_F(PatternSetTest, TooManyWildcardsAreRefused) {
  std::vector<Pattern> patterns(kMaxWildcardsInList, Pattern::Of("a*", false));
  EXPECT_NE(PatternSet::Of(patterns), nullptr);
  patterns.push_back(Pattern::Of("b*", false));
  EXPECT_EQ(PatternSet::Of(patterns), nullptr);
  std::string list = "user in (a*";
  for (std::size_t i = 0; i < kMaxWildcardsInList; ++i) list += ", b*";
  EXPECT_EQ(Expression::Parse(list + ")").status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace logvault::query
