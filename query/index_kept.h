// What the index keeps of one text: its tokens that are no noise, and beside them whole addresses and hashes where they are not
// a token by themselves.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "query/address.h"
#include "query/index_token.h"

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

// A letter or an underscore before an address makes it part of a name, so it is at the token's front or behind a byte that is no
// ASCII.
inline bool MayHoldV4(std::string_view token, std::uint8_t bytes) {
  constexpr std::size_t kShortestV4 = 7;
  if (token.size() < kShortestV4 || (bytes & kDotByte) == 0) return false;
  return (TokenByte(token.front()) & (kDigitByte | kDotByte)) != 0 || (bytes & kHighByte) != 0;
}

// Calls `visit(kept)` with all of it, in no order and more than once where it stands more than once.  False where a token of
// `folded` is too long to be kept.
template <typename Visit>
bool ForEachKept(std::string_view folded, const Visit& visit) {
  bool all_kept = true;
  const auto visit_address = [&visit](const Network& address) { visit(AddressToken(address)); };
  ForEachToken(folded, [&](std::size_t begin, std::size_t size, std::uint8_t bytes) {
    const std::string_view token = folded.substr(begin, size);
    if (MayHoldV4(token, bytes)) ForEachV4Address(token, visit_address);
    if (size > kShortestHash) ForEachHashIn(token, visit);
    if (size > kMaxTokenBytes)
      all_kept = false;
    else if ((bytes & (kOtherByte | kHighByte)) != 0 || !IsNoise(token))
      visit(token);
  });
  ForEachV6Address(folded, visit_address);
  return all_kept;
}

}  // namespace logvault::query
