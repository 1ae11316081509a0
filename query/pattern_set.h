// PatternSet: thousands of patterns that a value is compared with at once: texts by hash, networks by one look-up for each
// prefix length that occurs; only wildcards are tried one by one.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "query/expression.h"

namespace logvault::query {

// A value, safe from several threads.
class PatternSet {
 public:
  // Null where more than kMaxWildcardsInList have wildcards.
  static std::shared_ptr<const PatternSet> Of(const std::vector<Pattern>& patterns);

  // Whether one of the patterns equals `value`: as asking each one's Equals.
  [[nodiscard]] bool AnyEquals(std::string_view value) const;

 private:
  // The network of `address` with so many bits, as a key.
  static std::string KeyOf(const Network& address, int prefix_length);

  std::unordered_set<std::string> texts_;     // folded
  std::unordered_set<std::string> networks_;  // KeyOf
  std::set<std::pair<bool, int>> lengths_;    // (IPv6, prefix length) of networks_
  std::vector<Pattern> wildcards_;
};

}  // namespace logvault::query
