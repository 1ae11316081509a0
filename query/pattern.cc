// How a pattern is found in a record and compared with a field's value.
#include "query/expression.h"

namespace logvault::query {

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
