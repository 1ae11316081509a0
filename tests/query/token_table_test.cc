// The table against a map, over random tokens of every length and more blocks than its bit sets hold.
#include "query/token_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <random>

#include "query/index_token.h"

namespace logvault::query {
namespace {

using testing::ElementsAre;
using Held = std::map<std::string, Ordinals>;

// Tokens that stand in a text: behind each of them is something else, which is no part of it.
class Tokens {
 public:
  std::string_view operator()(std::string_view token) {
    std::string& text = texts_.emplace_back(token);
    for (std::size_t i = 0; i < kTokenBytesRead; ++i) text.push_back(static_cast<char>(random_()));
    return std::string_view(text).substr(0, token.size());
  }

 private:
  std::minstd_rand random_;
  std::deque<std::string> texts_;
};

Held Sorted(const TokenTable& table) {
  Held held;
  std::string last;
  table.ForEachSorted([&](std::string_view token, std::span<const std::uint16_t> list) {
    EXPECT_TRUE(held.empty() || last < token) << "in order, each once";
    last = token;
    held[last] = Ordinals(list.begin(), list.end());
  });
  return held;
}

TEST(TokenTableTest, BlocksOnBothSidesOfTheBitSetAreInOrder) {
  TokenTable table;
  Tokens token;
  for (const std::uint16_t block : {0, 1, 62, 63, 64, 65, 8191}) {
    table.Add(token("everywhere"), block);
    if (block >= 64) table.Add(token("late"), block);
    table.Flush(block);
  }
  const Held held = Sorted(table);
  EXPECT_THAT(held.at("everywhere"), ElementsAre(0, 1, 62, 63, 64, 65, 8191));
  EXPECT_THAT(held.at("late"), ElementsAre(64, 65, 8191));
}

// Few letters, so that many share their first eight bytes and many are there more than once.
TEST(TokenTableTest, HoldsWhatAMapHolds) {
  const std::uint64_t seed = std::random_device{}();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  TokenTable table;
  for (int segment = 0; segment < 3; ++segment) {
    Held expected;
    for (std::uint16_t block = 0; block < 100; ++block) {
      std::vector<std::string> tokens;
      for (int i = 0; i < 300; ++i) {
        std::string& token = tokens.emplace_back();
        const std::size_t size = 1 + random() % (random() % 16 == 0 ? kMaxTokenBytes : 12);
        while (token.size() < size) token.push_back("ab\xff"[random() % 3]);
      }
      Tokens text;
      for (const std::string& token : tokens) {
        table.Add(text(token), block);
        Ordinals& list = expected[token];
        if (list.empty() || list.back() != block) list.push_back(block);
      }
      table.Flush(block);
    }
    EXPECT_TRUE(Sorted(table) == expected);
    table.Clear();
  }
}

}  // namespace
}  // namespace logvault::query
