// The language's precedence against a naive evaluator: random expressions, written down with as few parentheses as the grammar
// needs or with more, and evaluated over random records.
#include <gtest/gtest.h>

#include <random>

#include "query/evaluate.h"

namespace logvault::query {
namespace {

constexpr int kWords = 6;

std::string WordOf(int i) { return "w" + std::to_string(i) + "x"; }

struct Tree {
  enum class Kind { kWord, kNot, kAnd, kOr } kind = Kind::kWord;
  int word = 0;
  std::vector<Tree> children;

  // `held`: which words the record has.
  [[nodiscard]] bool Holds(const std::vector<bool>& held) const {
    switch (kind) {
      case Kind::kWord:
        return held[static_cast<std::size_t>(word)];
      case Kind::kNot:
        return !children[0].Holds(held);
      case Kind::kAnd:
        for (const Tree& child : children)
          if (!child.Holds(held)) return false;
        return true;
      case Kind::kOr:
        for (const Tree& child : children)
          if (child.Holds(held)) return true;
        return false;
    }
    return false;
  }
};

class PrecedenceTest : public ::testing::Test {
 protected:
  int Below(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }

  Tree Grow(int depth) {
    Tree tree;
    const int kind = depth == 0 ? 0 : Below(4);
    tree.kind = static_cast<Tree::Kind>(kind);
    tree.word = Below(kWords);
    if (kind > 0) {
      for (int n = kind == 1 ? 1 : 2 + Below(2); n > 0; --n)
        tree.children.push_back(Grow(depth - 1));
    }
    return tree;
  }

  std::string Any(const std::vector<std::string>& ways) {
    return ways[static_cast<std::size_t>(Below(static_cast<int>(ways.size())))];
  }

  // The word, as a word, a string or a comparison of a field.
  std::string Leaf(int word) {
    return Any({WordOf(word), "\"" + WordOf(word) + "\"", "message:" + WordOf(word),
                "message ~ " + WordOf(word)});
  }

  // In a place where what binds weaker than `level` needs parentheses: 0 or, 1 and, 2 not.
  std::string Write(const Tree& tree, int level) {
    const int own = tree.kind == Tree::Kind::kOr ? 0 : tree.kind == Tree::Kind::kAnd ? 1 : 2;
    std::string text;
    if (tree.kind == Tree::Kind::kWord) text = Leaf(tree.word);
    if (tree.kind == Tree::Kind::kNot)
      text = Any({"not ", "NOT  ", "Not\t"}) + Write(tree.children[0], 2);
    if (tree.kind == Tree::Kind::kAnd || tree.kind == Tree::Kind::kOr) {
      for (const Tree& child : tree.children) {
        if (!text.empty())
          text += own == 0 ? Any({" or ", " OR ", " oR\n"}) : Any({" ", " and ", " AND ", "  "});
        text += Write(child, own + 1);
      }
    }
    return own < level || Below(6) == 0 ? "(" + text + ")" : text;
  }

  const unsigned seed_ = std::random_device{}();
  std::mt19937 random_{seed_};
};

TEST_F(PrecedenceTest, RandomExpressionsMeanWhatANaiveEvaluatorSays) {
  SCOPED_TRACE("seed " + std::to_string(seed_));
  for (int round = 0; round < 3000; ++round) {
    const Tree tree = Grow(4);
    const std::string text = Write(tree, 0);
    const Result<Expression> expression = Expression::Parse(text);
    ASSERT_TRUE(expression.ok()) << text << ": " << expression.status();
    for (int i = 0; i < 8; ++i) {
      std::vector<bool> held;
      std::string bytes = "-";
      for (int word = 0; word < kWords; ++word) {
        held.push_back(Below(2) == 0);
        if (held.back()) bytes += WordOf(word) + "-";
      }
      Row row;
      row.bytes = bytes;
      Subject subject(row);
      ASSERT_EQ(Matches(*expression, subject), tree.Holds(held)) << text << "\nover " << bytes;
    }
  }
}

}  // namespace
}  // namespace logvault::query
