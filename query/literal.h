// Literal: a text to be found in others, ASCII letters in either case, all other bytes exactly:
// what `LC_ALL=C grep -i -F` finds.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace logvault::query {

constexpr char FoldAscii(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }
std::string FoldAscii(std::string_view text);
// The same into `folded`, whose memory is used again.
void FoldAscii(std::string_view text, std::string& folded);
bool EqualFolded(std::string_view a, std::string_view b);

// A value; safe from several threads.
class Literal {
 public:
  explicit Literal(std::string_view text);

  // The first place at or after `from` where the text stands; npos for none.  Empty is found
  // everywhere.
  [[nodiscard]] std::size_t Find(std::string_view haystack, std::size_t from = 0) const;
  [[nodiscard]] bool In(std::string_view haystack) const {
    return Find(haystack) != std::string_view::npos;
  }

  [[nodiscard]] const std::string& folded() const { return folded_; }
  bool operator==(const Literal&) const = default;

 private:
  [[nodiscard]] bool StandsAt(const char* place) const;

  std::string folded_;
  // Two positions of the text whose bytes are rare in logs: a place is looked at closely only where
  // both fit.
  std::size_t rare_[2] = {0, 0};
};

// Whether all of `text` fits `pattern`, in which `*` is any bytes and `?` is any one byte.
// Linear-time in practice: never worse than the product of the lengths.
bool GlobMatches(std::string_view pattern, std::string_view text, bool fold_case);
// Whether `text` has a wildcard in it.
bool HasWildcard(std::string_view text);

}  // namespace logvault::query
