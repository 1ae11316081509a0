#include "query/literal.h"

#include <algorithm>
#include <cstring>

namespace logvault::query {
namespace {

bool IsLetter(char folded) { return folded >= 'a' && folded <= 'z'; }

// How common a byte is in logs, roughly: blanks, digits and the frequent letters first.  Only speed
// hangs on it.
int Commonness(char folded) {
  static constexpr std::string_view kCommonFirst =
      "0123 456789etaoinsrldcumpfg.-:/=\"vwbyhk,_x[]()jzq";
  std::size_t rank = kCommonFirst.find(folded);
  return rank == std::string_view::npos ? 0 : static_cast<int>(kCommonFirst.size() - rank);
}

// 16 bytes at once; the compiler turns this into whatever the machine has.
using Lanes = std::uint8_t __attribute__((vector_size(16)));

Lanes Load(const char* from) {
  Lanes lanes;
  std::memcpy(&lanes, from, sizeof lanes);
  return lanes;
}

Lanes Spread(std::uint8_t byte) {
  Lanes lanes = {};
  return lanes + byte;
}

bool Any(const Lanes& lanes) {
  std::array<std::uint64_t, 2> words;
  std::memcpy(words.data(), &lanes, sizeof words);
  return (words[0] | words[1]) != 0;
}

// A byte to look for: its folded form, and 0x20 where it is a letter.  (byte | mask) == folded
// holds for exactly the two cases of a letter and for nothing else.
struct Probe {
  std::uint8_t folded;
  std::uint8_t mask;
  explicit Probe(char c) : folded(static_cast<std::uint8_t>(c)), mask(IsLetter(c) ? 0x20 : 0) {}
};

}  // namespace

void FoldAscii(std::string_view text, std::string& folded) {
  folded.assign(text);
  std::size_t at = 0;
  for (; at + sizeof(Lanes) <= folded.size(); at += sizeof(Lanes)) {
    const Lanes lanes = Load(folded.data() + at);
    const auto capital = (lanes >= Spread('A')) & (lanes <= Spread('Z'));
    Lanes mask;
    std::memcpy(&mask, &capital, sizeof mask);
    const Lanes lower = lanes | (mask & Spread(0x20));
    std::memcpy(folded.data() + at, &lower, sizeof lower);
  }
  for (; at < folded.size(); ++at) folded[at] = FoldAscii(folded[at]);
}

std::string FoldAscii(std::string_view text) {
  std::string folded;
  FoldAscii(text, folded);
  return folded;
}

bool EqualFolded(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           return FoldAscii(x) == FoldAscii(y);
         });
}

Literal::Literal(std::string_view text) : folded_(FoldAscii(text)) {
  auto rarer = [this](std::size_t a, std::size_t b) {
    return Commonness(folded_[a]) < Commonness(folded_[b]);
  };
  for (std::size_t i = 1; i < folded_.size(); ++i) {
    if (rarer(i, rare_[0])) rare_[0] = i;
  }
  rare_[1] = rare_[0] == 0 && folded_.size() > 1 ? 1 : 0;
  for (std::size_t i = 0; i < folded_.size(); ++i) {
    if (i != rare_[0] && rarer(i, rare_[1])) rare_[1] = i;
  }
}

bool Literal::StandsAt(const char* place) const {
  for (std::size_t i = 0; i < folded_.size(); ++i) {
    if (FoldAscii(place[i]) != folded_[i]) return false;
  }
  return true;
}

std::size_t Literal::Find(std::string_view haystack, std::size_t from) const {
  if (from > haystack.size() || folded_.size() > haystack.size() - from)
    return std::string_view::npos;
  if (folded_.empty()) return from;
  const char* const begin = haystack.data();
  const std::size_t last = haystack.size() - folded_.size();  // the last place where it could stand
  const Probe first(folded_[rare_[0]]);
  const Probe second(folded_[rare_[1]]);
  const Lanes first_byte = Spread(first.folded), first_mask = Spread(first.mask);
  const Lanes second_byte = Spread(second.folded), second_mask = Spread(second.mask);

  std::size_t place = from;
  for (; place + sizeof(Lanes) - 1 <= last; place += sizeof(Lanes)) {
    auto both = ((Load(begin + place + rare_[0]) | first_mask) == first_byte) &
                ((Load(begin + place + rare_[1]) | second_mask) == second_byte);
    Lanes hits;
    std::memcpy(&hits, &both, sizeof hits);
    if (!Any(hits)) continue;
    for (std::size_t lane = 0; lane < sizeof(Lanes); ++lane) {
      if (hits[lane] != 0 && StandsAt(begin + place + lane)) return place + lane;
    }
  }
  for (; place <= last; ++place) {
    if (StandsAt(begin + place)) return place;
  }
  return std::string_view::npos;
}

bool GlobMatches(std::string_view pattern, std::string_view text, bool fold_case) {
  auto same = [fold_case](char a, char b) {
    return fold_case ? FoldAscii(a) == FoldAscii(b) : a == b;
  };
  std::size_t p = 0, t = 0;
  std::size_t star = std::string_view::npos,
              star_text = 0;  // the last `*`, and how much it has taken
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_text = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || same(pattern[p], text[t]))) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool HasWildcard(std::string_view text) {
  return text.find_first_of("*?") != std::string_view::npos;
}

}  // namespace logvault::query
