// Finds the tokens of a folded text 64 bytes at a time.  It finds what ForEachToken (index_token.h) finds; a test compares them.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "query/index_token.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace logvault::query {

// What stands where in up to 64 bytes: bit i is of byte i.
struct ByteMasks {
  std::uint64_t digits = 0;
  std::uint64_t dots = 0;
  std::uint64_t letters = 0;  // lower case, and `_`
  std::uint64_t high = 0;     // from 0x80 up
  std::uint64_t colons = 0;

  [[nodiscard]] std::uint64_t token() const { return digits | dots | letters | high; }
};

inline constexpr std::size_t kScanBytes = 64;

// REQUIRES: kScanBytes can be read at `from`, and no letter is in upper case.
inline ByteMasks MasksOf(const char* from) {
  ByteMasks masks;
#ifdef __SSE2__
  const auto bits = [](__m128i lanes, std::size_t at) {
    return static_cast<std::uint64_t>(static_cast<std::uint32_t>(_mm_movemask_epi8(lanes))) << at;
  };
  // Signed comparison: bytes from 0x80 up are below all others.
  const auto between = [](__m128i lanes, char first, char last) {
    return _mm_and_si128(_mm_cmpgt_epi8(lanes, _mm_set1_epi8(static_cast<char>(first - 1))),
                         _mm_cmplt_epi8(lanes, _mm_set1_epi8(static_cast<char>(last + 1))));
  };
  const auto equal = [](__m128i lanes, char c) { return _mm_cmpeq_epi8(lanes, _mm_set1_epi8(c)); };
  for (std::size_t at = 0; at < kScanBytes; at += sizeof(__m128i)) {
    const __m128i lanes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + at));
    masks.digits |= bits(between(lanes, '0', '9'), at);
    masks.dots |= bits(equal(lanes, '.'), at);
    masks.letters |= bits(_mm_or_si128(between(lanes, 'a', 'z'), equal(lanes, '_')), at);
    masks.high |= bits(lanes, at);
    masks.colons |= bits(equal(lanes, ':'), at);
  }
#else
  for (std::size_t at = 0; at < kScanBytes; ++at) {
    const std::uint64_t bit = std::uint64_t{1} << at;
    const std::uint8_t byte = TokenByte(from[at]);
    if (byte == kDigitByte) masks.digits |= bit;
    if (byte == kDotByte) masks.dots |= bit;
    if (byte == kLetterByte) masks.letters |= bit;
    if (byte == kHighByte) masks.high |= bit;
    if (from[at] == ':') masks.colons |= bit;
  }
#endif
  return masks;
}

// The least of `limit` and how many bits are set, of which there are few: the oldest amd64 has no instruction for it.
inline unsigned CountUpTo(unsigned limit, std::uint64_t bits) {
  unsigned count = 0;
  for (; bits != 0 && count < limit; bits &= bits - 1) ++count;
  return count;
}

inline constexpr unsigned kDotsCounted = 3;
inline constexpr unsigned kColonsCounted = 6;

struct FoundToken {
  std::size_t begin = 0, size = 0;
  bool has_letters = false;  // `_` is one
  bool has_high = false;
  unsigned dots = 0;  // at most kDotsCounted: more are not counted

  // Goes on over the `bytes` bytes whose bits are in `own`.
  void GoOn(const ByteMasks& masks, std::uint64_t own, std::size_t bytes) {
    size += bytes;
    has_letters |= (masks.letters & own) != 0;
    has_high |= (masks.high & own) != 0;
    if ((masks.dots & own) != 0) dots += CountUpTo(kDotsCounted - dots, masks.dots & own);
  }
};

// What of the colons of a text tells whether an IPv6 address may stand in it.
struct Colons {
  bool two_side_by_side = false;
  unsigned count = 0;  // at most kColonsCounted

  // `before`: whether the byte before these 64 is one.
  void Take(std::uint64_t bits, bool before) {
    if (bits == 0) return;
    two_side_by_side |= ((bits << 1 | (before ? 1u : 0u)) & bits) != 0;
    count += CountUpTo(kColonsCounted - count, bits);
  }
};

// Calls `visit(FoundToken)` for each token of `folded`, from left to right.
template <typename Visit>
Colons ScanTokens(std::string_view folded, const Visit& visit) {
  // Filled up with NULs, which are in no token; of a text that needs none, NULs alone.
  std::array<char, kScanBytes> last{};
  const std::size_t whole = folded.size() / kScanBytes * kScanBytes;
  std::copy(folded.begin() + static_cast<std::ptrdiff_t>(whole), folded.end(), last.begin());

  Colons colons;
  bool colon_before = false;
  FoundToken token;  // of size 0 between tokens
  for (std::size_t base = 0; base <= whole; base += kScanBytes) {
    const ByteMasks masks = MasksOf(base < whole ? folded.data() + base : last.data());
    colons.Take(masks.colons, colon_before);
    colon_before = masks.colons >> (kScanBytes - 1) != 0;

    std::uint64_t left = masks.token();  // without what is behind
    std::size_t at = 0;
    while (token.size > 0 || left != 0) {
      if (token.size == 0) {
        at = static_cast<std::size_t>(std::countr_zero(left));
        token.begin = base + at;
      }
      const auto run = static_cast<std::size_t>(std::countr_one(left >> at));
      if (run > 0) {
        const std::uint64_t own = ~std::uint64_t{0} >> (kScanBytes - run) << at;
        token.GoOn(masks, own, run);
        left &= ~own;
      }
      if (at + run == kScanBytes) break;  // it may go on
      visit(std::as_const(token));
      token = {};
    }
  }
  return colons;
}

}  // namespace logvault::query
