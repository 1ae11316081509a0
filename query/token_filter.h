// TokenFilter: which records may match an expression that asks for one of very many words, found in one pass over the text
// however many they are.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "query/expression.h"

namespace logvault::query {

// A value; safe from several threads.
class TokenFilter {
 public:
  // For an expression that is a list of whole addresses and hashes, joined by `or`; nullopt for any other, and for a short one.
  static std::optional<TokenFilter> For(const Expression& expression);

  // Whether `text`, in which the expression's terms would be searched, holds one of them.
  [[nodiscard]] bool MayMatch(std::string_view text) const;

 private:
  explicit TokenFilter(const std::vector<std::string>& tokens)
      : tokens_(tokens.begin(), tokens.end()) {}

  std::unordered_set<std::string> tokens_;
};

}  // namespace logvault::query
