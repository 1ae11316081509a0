// What the index keeps of one text: its tokens that are no noise, and beside them whole addresses and hashes where they are not
// a token by themselves.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "query/address.h"
#include "query/index_token.h"
#include "query/token_scan.h"

namespace logvault::query {

inline constexpr std::size_t kShortestHash = 32;

// Whole hashes inside a longer token: no letter, digit or underscore is beside one; a dot may be.
template <typename Visit>
void ForEachHashIn(std::string_view token, const Visit& visit) {
  const auto is_word = [](char c) { return c != '.' && static_cast<std::uint8_t>(c) < 0x80; };
  for (std::size_t at = 0; at < token.size();) {
    std::size_t end = at;
    while (end < token.size() && is_word(token[end])) ++end;
    const std::string_view word = token.substr(at, end - at);
    if (word.size() != token.size() && LooksLikeHash(word)) visit(word);
    at = end + 1;
  }
}

// Whether an address may stand in a token beside other bytes: one that is the whole token is kept as the token.
inline bool MayHoldV4(std::string_view token, const FoundToken& found) {
  if (found.dots < 3) return false;
  if (found.has_high) return true;
  // A letter or an underscore before an address makes it part of a name.
  if (!found.has_letters) return token.front() == '.' || token.back() == '.';
  return (TokenByte(token.front()) & (kDigitByte | kDotByte)) != 0;
}

inline bool IsNoise(std::string_view token, const FoundToken& found) {
  if (found.has_high) return false;
  if (!found.has_letters) return found.dots <= 1;
  return token.back() == 'z' && IsNoise(token);  // the only letter of noise
}

// What every IPv6 address has: two colons side by side, or six.
inline bool MayHoldV6(const Colons& colons) {
  return colons.two_side_by_side || colons.count >= kColonsCounted;
}

// Calls `visit(token)` with all of it that are bytes of `folded`, and `visit_address(Network)` with the addresses whose spelling
// may be another, in no order and more than once where it stands more than once.  False where a token of `folded` is too long to
// be kept.  REQUIRES: as ScanTokens().
template <typename Visit, typename VisitAddress>
bool ForEachKept(std::string_view folded, const Visit& visit, const VisitAddress& visit_address) {
  bool all_kept = true;
  const auto visit_word = [&](std::string_view token) {
    if (token.back() != 'z' || !IsNoise(token)) visit(token);  // the only letter of noise
  };
  const auto visit_other = [&](const FoundToken& found) {
    const std::string_view token = folded.substr(found.begin, found.size);
    if (MayHoldV4(token, found)) ForEachV4Address(token, visit_address);
    if (found.size > kShortestHash) ForEachHashIn(token, visit);
    if (found.size > kMaxTokenBytes)
      all_kept = false;
    else if (!IsNoise(token, found))
      visit(token);
  };
  const Colons colons = ScanTokens(folded, visit_word, visit_other);
  if (MayHoldV6(colons)) ForEachV6Address(folded, visit_address);
  return all_kept;
}

}  // namespace logvault::query
