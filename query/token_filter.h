// TokenFilter: which records may match an expression that asks for one of very many words, found in one pass over the text
// however many they are.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "query/expression.h"
#include "query/fragment_set.h"
#include "query/index_query.h"

namespace logvault::query {

// A value; safe from several threads.
class TokenFilter {
 public:
  // For an expression that is a list of words, whole addresses and hashes, joined by `or`; nullopt for any other, and for a
  // short one.
  static std::optional<TokenFilter> For(const Expression& expression);

  // Whether `text`, in which the expression's terms would be searched, holds one of them.
  [[nodiscard]] bool MayMatch(std::string_view text) const;

 private:
  TokenFilter() = default;
  // False where the filter cannot tell what `query` asks for.
  bool Take(const IndexQuery& query);

  std::unordered_set<std::string> tokens_;
  std::optional<FragmentSet> fragments_;
};

}  // namespace logvault::query
