#include "query/fragment_set.h"

#include <algorithm>
#include <utility>

namespace logvault::query {
namespace {

constexpr std::uint32_t kFronts = 1u << 14;
constexpr unsigned kMarkBits = 16;
constexpr unsigned kWordBits = 64;

std::uint32_t MarkOf(std::uint32_t three) { return three * 0x9E3779B1u >> (32 - kMarkBits); }
std::uint32_t WithNext(std::uint32_t three, char c) {
  return (three << 8 | static_cast<std::uint8_t>(c)) & 0xffffff;
}

bool Bounded(const Fragment& fragment, std::string_view text, std::size_t at) {
  const std::size_t end = at + fragment.text.size();
  return (fragment.open_left || at == 0 || !IsTokenByte(text[at - 1])) &&
         (fragment.open_right || end == text.size() || !IsTokenByte(text[end]));
}

}  // namespace

// REQUIRES: kFront bytes.
std::uint32_t FragmentSet::FrontOf(std::string_view text) {
  const auto byte = [text](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<std::uint8_t>(text[i]));
  };
  return (byte(0) | byte(1) << 8 | byte(2) << 16) * 0x9E3779B1u >> 18;
}

FragmentSet::FragmentSet(std::vector<Fragment> fragments)
    : fragments_(std::move(fragments)),
      begins_(kFronts + 1, 0),
      marks_((1u << kMarkBits) / kWordBits, 0),
      starts_short_(256, false) {
  const auto key = [](const Fragment& fragment) {
    return fragment.text.size() < kFront ? std::int64_t{-1} : std::int64_t{FrontOf(fragment.text)};
  };
  std::erase_if(fragments_, [](const Fragment& fragment) { return fragment.text.empty(); });
  std::stable_sort(fragments_.begin(), fragments_.end(),
                   [&key](const Fragment& a, const Fragment& b) { return key(a) < key(b); });
  for (const Fragment& fragment : fragments_) {
    if (key(fragment) >= 0) {
      ++begins_[static_cast<std::size_t>(key(fragment)) + 1];
      std::uint32_t three = 0;
      for (std::size_t i = 0; i < kFront; ++i) three = WithNext(three, fragment.text[i]);
      marks_[MarkOf(three) / kWordBits] |= std::uint64_t{1} << MarkOf(three) % kWordBits;
    } else {
      ++short_count_;
      starts_short_[static_cast<std::uint8_t>(fragment.text[0])] = true;
    }
  }
  begins_[0] = static_cast<std::uint32_t>(short_count_);
  for (std::size_t i = 1; i < begins_.size(); ++i) begins_[i] += begins_[i - 1];
}

bool FragmentSet::StandsAt(std::string_view text, std::size_t at) const {
  const std::string_view rest = text.substr(at);
  const auto stands = [&](const Fragment& fragment) {
    return rest.starts_with(fragment.text) && Bounded(fragment, text, at);
  };
  const auto begin = fragments_.begin();
  if (short_count_ > 0 && starts_short_[static_cast<std::uint8_t>(text[at])] &&
      std::any_of(begin, begin + static_cast<std::ptrdiff_t>(short_count_), stands))
    return true;
  if (rest.size() < kFront) return false;
  const std::uint32_t front = FrontOf(rest);
  return std::any_of(begin + begins_[front], begin + begins_[front + 1], stands);
}

std::size_t FragmentSet::Find(std::string_view text, std::size_t from) const {
  if (short_count_ > 0) {
    for (std::size_t at = from; at < text.size(); ++at) {
      if (StandsAt(text, at)) return at;
    }
    return std::string_view::npos;
  }
  // Most places are passed over by a table that stays in the fastest cache.
  std::uint32_t three = 0;
  for (std::size_t end = from; end < text.size(); ++end) {
    three = WithNext(three, text[end]);
    const std::uint32_t mark = MarkOf(three);
    if ((marks_[mark / kWordBits] >> mark % kWordBits & 1) == 0 || end + 1 < from + kFront)
      continue;
    if (StandsAt(text, end + 1 - kFront)) return end + 1 - kFront;
  }
  return std::string_view::npos;
}

}  // namespace logvault::query
