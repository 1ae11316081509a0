#include "query/index_token.h"

#include <algorithm>

#include "query/literal.h"

namespace logvault::query {

bool IsNoise(std::string_view token) {
  if (!token.empty() && FoldAscii(token.back()) == 'z') token.remove_suffix(1);
  int dots = 0;
  return std::all_of(token.begin(), token.end(), [&dots](char c) {
    return (c >= '0' && c <= '9') || (c == '.' && ++dots == 1);
  });
}

bool Fits(const Fragment& fragment, std::string_view token) {
  const std::string_view text = fragment.text;
  if (fragment.open_left && fragment.open_right) return token.find(text) != std::string_view::npos;
  if (fragment.open_left) return token.ends_with(text);
  if (fragment.open_right) return token.starts_with(text);
  return token == text;
}

std::vector<Fragment> FragmentsOf(std::string_view literal) {
  std::vector<Fragment> fragments;
  ForEachToken(literal, [&](std::size_t begin, std::size_t size) {
    const std::string_view text = literal.substr(begin, size);
    if (IsNoise(text)) return;
    fragments.push_back({FoldAscii(text), begin == 0, begin + size == literal.size()});
  });
  return fragments;
}

}  // namespace logvault::query
