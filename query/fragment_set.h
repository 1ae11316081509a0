// FragmentSet: thousands of fragments looked for in one pass over a text.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "query/index_token.h"

namespace logvault::query {

// A value; safe from several threads.
class FragmentSet {
 public:
  explicit FragmentSet(std::vector<Fragment> fragments);

  // Where a fragment stands next in `text`, at or after `from`, as it must stand in a token; npos for nowhere.  `text` is folded;
  // bytes that are no part of a token bound its tokens.
  [[nodiscard]] std::size_t Find(std::string_view text, std::size_t from = 0) const;

 private:
  static constexpr std::size_t kFront = 3;  // bytes by which fragments are told apart
  static std::uint32_t FrontOf(std::string_view text);
  [[nodiscard]] bool StandsAt(std::string_view text, std::size_t at) const;

  std::vector<Fragment> fragments_;  // by FrontOf, those shorter than kFront first
  std::size_t short_count_ = 0;
  std::vector<std::uint32_t> begins_;  // of each front's fragments; the next front's follow
  std::vector<std::uint64_t> marks_;   // which fronts there are, by another hash, a bit each
  std::vector<bool> starts_short_;     // by byte: a short fragment begins with it
};

}  // namespace logvault::query
