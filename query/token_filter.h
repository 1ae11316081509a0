// TokenFilter: which records may match an expression that asks for one of very many words, found in one pass over the text
// however many they are.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "formats/format.h"
#include "query/expression.h"
#include "query/fragment_set.h"
#include "query/index_query.h"
#include "query/literal.h"

namespace logvault::query {

// A value; safe from several threads.
class TokenFilter {
 public:
  // For an expression that is a list of words, whole addresses and hashes, joined by `or` or asked of a field that the index
  // sees; nullopt for any other, and for a short one.
  static std::optional<TokenFilter> For(const Expression& expression);

  // Whether a record of that format, stored as `text`, may hold one of them.
  [[nodiscard]] bool MayMatch(std::string_view text, formats::Format format) const;

 private:
  TokenFilter() = default;
  // False where the filter cannot tell what `query` asks for.
  bool Take(const IndexQuery& query);

  void TakeToken(const std::string& token);
  [[nodiscard]] bool Holds(std::string_view text) const;
  [[nodiscard]] bool HoldsQuad(std::string_view text) const;

  bool uses_fields_ = false;
  std::size_t count_ = 0;                         // of what is looked for
  std::unordered_set<std::uint32_t> quads_;       // addresses of IPv4
  std::unordered_set<std::string> v6_addresses_;  // AddressToken
  std::vector<Fragment> words_;                   // what becomes few_ or fragments_
  std::vector<Literal> few_;
  std::optional<FragmentSet> fragments_;
};

}  // namespace logvault::query
