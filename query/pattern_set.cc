#include "query/pattern_set.h"

#include <algorithm>

namespace logvault::query {

std::shared_ptr<const PatternSet> PatternSet::Of(const std::vector<Pattern>& patterns) {
  auto set = std::make_shared<PatternSet>();
  for (const Pattern& pattern : patterns) {
    if (pattern.kind == Pattern::Kind::kWildcard) {
      set->wildcards_.push_back(pattern);
      continue;
    }
    set->texts_.insert(FoldAscii(pattern.text));
    if (pattern.kind != Pattern::Kind::kNetwork) continue;
    set->networks_.insert(KeyOf(pattern.network, pattern.network.prefix_length));
    set->lengths_.emplace(pattern.network.v6, pattern.network.prefix_length);
  }
  return set->wildcards_.size() <= kMaxWildcardsInList ? set : nullptr;
}

std::string PatternSet::KeyOf(const Network& address, int prefix_length) {
  std::string key(2 + (address.v6 ? 16 : 4), '\0');
  key[0] = address.v6 ? '6' : '4';
  key[1] = static_cast<char>(prefix_length);
  for (int bit = 0; bit < prefix_length; bit += 8) {
    const auto i = static_cast<std::size_t>(bit / 8);
    const int kept = std::min(8, prefix_length - bit);
    key[2 + i] = static_cast<char>(address.bytes[i] & (0xff << (8 - kept)));
  }
  return key;
}

bool PatternSet::AnyEquals(std::string_view value) const {
  if (texts_.contains(FoldAscii(value))) return true;
  if (!lengths_.empty()) {
    if (const std::optional<Network> address = Network::ParseAddress(value)) {
      for (const auto& [v6, length] : lengths_) {
        if (v6 == address->v6 && networks_.contains(KeyOf(*address, length))) return true;
      }
    }
  }
  return std::any_of(wildcards_.begin(), wildcards_.end(),
                     [value](const Pattern& pattern) { return pattern.Equals(value); });
}

}  // namespace logvault::query
