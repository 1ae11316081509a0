// Finds the tokens of a folded text 64 bytes at a time: what ForEachToken (index_token.h) finds, but for short numbers; a test
// compares them.
#pragma once

#include <bit>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "query/index_token.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace logvault::query {

inline constexpr std::size_t kScanBytes = 64;

// The lowest `count` of them, at most kScanBytes.
constexpr std::uint64_t FirstBits(std::size_t count) {
  return count == kScanBytes ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
}

// What stands where in up to 64 bytes: bit i is of byte i.
struct ByteMasks {
  std::uint64_t digits = 0;
  std::uint64_t dots = 0;
  std::uint64_t letters = 0;  // lower case, and `_`
  std::uint64_t high = 0;     // from 0x80 up
  std::uint64_t colons = 0;

  [[nodiscard]] std::uint64_t token() const { return digits | dots | letters | high; }
  // Of the first `count` bytes alone.
  [[nodiscard]] ByteMasks First(std::size_t count) const {
    const std::uint64_t bits = FirstBits(count);
    return {digits & bits, dots & bits, letters & bits, high & bits, colons & bits};
  }
};

// REQUIRES: kScanBytes can be read at `from`, and no letter is in upper case.
inline ByteMasks MasksOf(const char* from) {
  ByteMasks masks;
#ifdef __SSE2__
  const auto load = [from](std::size_t i) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from) + i);
  };
  const __m128i lanes[] = {load(0), load(1), load(2), load(3)};
  const auto where = [&lanes](auto&& is) {
    const auto bits = [&](int i) {
      const int some = _mm_movemask_epi8(is(lanes[i]));
      return static_cast<std::uint64_t>(static_cast<std::uint32_t>(some)) << (sizeof(__m128i) * i);
    };
    return bits(0) | bits(1) | bits(2) | bits(3);
  };
  const auto all = [](int byte) { return _mm_set1_epi8(static_cast<char>(byte)); };
  // What is moved to where the least of numbers is, since only signed ones can be compared.
  const auto between = [all](__m128i bytes, char first, char last) {
    const __m128i moved = _mm_sub_epi8(bytes, all(first - SCHAR_MIN));
    return _mm_cmplt_epi8(moved, all(SCHAR_MIN + last - first + 1));
  };
  const auto equal = [all](__m128i bytes, char c) { return _mm_cmpeq_epi8(bytes, all(c)); };
  masks.digits = where([&](__m128i bytes) { return between(bytes, '0', '9'); });
  masks.dots = where([&](__m128i bytes) { return equal(bytes, '.'); });
  masks.letters = where(
      [&](__m128i bytes) { return _mm_or_si128(between(bytes, 'a', 'z'), equal(bytes, '_')); });
  masks.high = where([](__m128i bytes) { return bytes; });
  masks.colons = where([&](__m128i bytes) { return equal(bytes, ':'); });
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

  // `before`: whether the byte before these is one.
  void Take(std::uint64_t bits, bool before) {
    if (bits == 0) return;
    two_side_by_side |= ((bits << 1 | (before ? 1u : 0u)) & bits) != 0;
    count += CountUpTo(kColonsCounted - count, bits);
  }
};

// The masks of what stands from `at` on, the text's end observed.
inline ByteMasks MasksAt(std::string_view folded, std::size_t at) {
  const ByteMasks masks = MasksOf(folded.data() + at);
  const std::size_t left = folded.size() - at;
  return left < kScanBytes ? masks.First(left) : masks;
}

// A token of kScanBytes and more.
inline FoundToken LongTokenAt(std::string_view folded, std::size_t begin) {
  FoundToken token;
  token.begin = begin;
  for (std::size_t at = begin; at < folded.size(); at += kScanBytes) {
    const ByteMasks masks = MasksAt(folded, at);
    const auto run = static_cast<std::size_t>(std::countr_one(masks.token()));
    if (run > 0) token.GoOn(masks, FirstBits(run), run);
    if (run < kScanBytes) break;
  }
  return token;
}

// Calls, from left to right, `visit_word(text)` for each token of `folded` that is of letters and digits, at least one of them a letter,
// and shorter than kScanBytes; and `visit_other(FoundToken)` for each other one but for numbers shorter than that: digits alone, a
// third of a log's tokens.  REQUIRES: kScanBytes bytes behind the end of `folded` can be read.
template <typename VisitWord, typename VisitOther>
Colons ScanTokens(std::string_view folded, const VisitWord& visit_word,
                  const VisitOther& visit_other) {
  Colons colons;
  bool colon_before = false;
  for (std::size_t base = 0; base < folded.size();) {
    const ByteMasks masks = MasksAt(folded, base);
    const std::uint64_t own = masks.token();
    const std::uint64_t begins = own & ~(own << 1), ends = ~own & own << 1;
    // A sum carries from a token's begin to behind its end where all of its bytes are in the other summand.
    const std::uint64_t numbers = (masks.digits + begins) & ends;
    const std::uint64_t words = ((masks.digits | masks.letters) + begins) & ends & ~numbers;
    for (std::uint64_t left = ends & ~numbers; left != 0; left &= left - 1) {
      const std::uint64_t end_bit = left & -left;
      const auto begin = static_cast<std::size_t>(std::bit_width(begins & (end_bit - 1)) - 1);
      const std::size_t size = static_cast<std::size_t>(std::countr_zero(left)) - begin;
      if ((words & end_bit) != 0) {
        visit_word(std::string_view(folded.data() + base + begin, size));
        continue;
      }
      FoundToken token;
      token.begin = base + begin;
      token.GoOn(masks, (end_bit - 1) & ~FirstBits(begin), size);
      visit_other(std::as_const(token));
    }
    // A token that may go on is looked at again from its begin.
    const bool goes_on = own >> (kScanBytes - 1) != 0;
    const std::size_t seen =
        goes_on ? static_cast<std::size_t>(std::bit_width(begins) - 1) : kScanBytes;
    colons.Take(masks.colons & FirstBits(seen), colon_before);
    colon_before = masks.colons >> (kScanBytes - 1) != 0;
    base += seen;
    if (seen > 0) continue;
    const FoundToken token = LongTokenAt(folded, base);
    visit_other(token);
    base += token.size;
  }
  return colons;
}

}  // namespace logvault::query
