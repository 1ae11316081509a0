// What a word or a string means as a pattern, and how it is found in a record and compared with a field's value.
#include <algorithm>

#include "query/expression.h"

namespace logvault::query {
namespace {

std::string_view LongestPlainRun(std::string_view text) {
  std::string_view longest;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = std::min(text.find_first_of("*?", at), text.size());
    if (end - at > longest.size()) longest = text.substr(at, end - at);
    at = end + 1;
  }
  return longest;
}

}  // namespace

Pattern Pattern::Of(std::string text, bool quoted) {
  Pattern pattern;
  pattern.quoted = quoted;
  pattern.text = std::move(text);
  pattern.literal = Literal(pattern.text);
  if (quoted) return pattern;
  if (std::optional<Network> network = Network::Parse(pattern.text)) {
    pattern.kind = Pattern::Kind::kNetwork;
    pattern.network = *network;
  } else if (LooksLikeHash(pattern.text)) {
    pattern.kind = Pattern::Kind::kHash;
  } else if (HasWildcard(pattern.text)) {
    pattern.kind = Pattern::Kind::kWildcard;
    pattern.literal = Literal(LongestPlainRun(pattern.text));
  }
  return pattern;
}

bool Pattern::FoundIn(std::string_view bytes) const {
  switch (kind) {
    case Kind::kText:
      return literal.In(bytes);
    case Kind::kWildcard:
      return literal.In(bytes) && GlobMatches("*" + text + "*", bytes, true);
    case Kind::kNetwork:
      return HoldsAddressIn(bytes, network);
    case Kind::kHash:
      return literal.In(bytes) && HoldsHash(bytes, literal.folded());
  }
  return false;
}

bool Pattern::Equals(std::string_view value) const {
  switch (kind) {
    case Kind::kText:
    case Kind::kHash:
      return EqualFolded(value, literal.folded());
    case Kind::kWildcard:
      return GlobMatches(text, value, true);
    case Kind::kNetwork: {
      std::optional<Network> address = Network::ParseAddress(value);
      return (address && network.Contains(*address)) || EqualFolded(value, text);
    }
  }
  return false;
}

}  // namespace logvault::query
