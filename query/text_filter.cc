#include "query/text_filter.h"

#include <algorithm>
#include <bit>

namespace logvault::query {
namespace {

constexpr std::size_t kSide = 3;  // bytes side by side
constexpr unsigned kWordBits = 64;
constexpr std::uint32_t kLastThree = 0xffffff;
// Half as many places as a text has bytes, 8 KiB at most.  Of half a megabyte of log lines a word of five random letters passes
// one of two hundred, one of six one of two thousand (measured on bench/corpus.cc).
constexpr unsigned kPlaceBitsMin = 9, kPlaceBitsMax = 16;

unsigned PlaceBitsFor(std::size_t text_size) {
  return std::clamp(static_cast<unsigned>(std::bit_width(text_size / 2)), kPlaceBitsMin,
                    kPlaceBitsMax);
}

// Calls `visit(place)` for each three bytes side by side without a NUL, until it returns false.
template <typename Visit>
bool ForEachPlace(std::string_view text, unsigned place_bits, const Visit& visit) {
  constexpr std::uint32_t kMultiplier = 0x9E3779B1;
  std::uint32_t three = 0;
  std::size_t without_nul = 0;
  for (const char c : text) {
    three = (three << 8 | static_cast<std::uint8_t>(FoldAscii(c))) & kLastThree;
    without_nul = c == '\0' ? 0 : without_nul + 1;
    if (without_nul >= kSide && !visit(three * kMultiplier >> (32 - place_bits))) return false;
  }
  return true;
}

}  // namespace

TextFilter::TextFilter(std::string_view text)
    : place_bits_(PlaceBitsFor(text.size())),
      places_((std::size_t{1} << place_bits_) / kWordBits, 0) {
  ForEachPlace(text, place_bits_, [this](std::uint32_t place) {
    places_[place / kWordBits] |= std::uint64_t{1} << place % kWordBits;
    return true;
  });
}

bool TextFilter::MayHold(std::string_view part) const {
  return ForEachPlace(part, place_bits_, [this](std::uint32_t place) {
    return (places_[place / kWordBits] >> place % kWordBits & 1) != 0;
  });
}

bool TextFilter::MayHoldOneOf(const std::vector<Literal>& parts) const {
  return std::any_of(parts.begin(), parts.end(),
                     [this](const Literal& part) { return MayHold(part.folded()); });
}

std::size_t TextFilter::memory_bytes() const {
  return sizeof *this + places_.size() * sizeof(std::uint64_t);
}

}  // namespace logvault::query
