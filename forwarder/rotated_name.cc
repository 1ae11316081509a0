#include "forwarder/rotated_name.h"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include "forwarder/decompressor.h"

namespace logvault::forwarder {

namespace {

constexpr std::array<std::string_view, 2> kWords = {"old", "prev"};
constexpr std::size_t kMaxRankDigits = 4;  // more are a date

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsSeparator(char c) { return c == '.' || c == '-' || c == '_'; }

bool IsToken(std::string_view token) {
  if (std::find(kWords.begin(), kWords.end(), token) != kWords.end()) return true;
  constexpr std::string_view kAllowed = "0123456789._-:T+Z";
  return !token.empty() && IsDigit(token.front()) &&
         token.find_first_not_of(kAllowed) == std::string_view::npos;
}

std::optional<RotatedName> FromAdded(std::string_view added, bool appended) {
  if (added.size() < 2 || !IsSeparator(added.front())) return std::nullopt;
  std::string_view token = added.substr(1);
  if (!IsToken(token)) return std::nullopt;
  RotatedName result{std::string(token), std::nullopt, appended};
  bool number = token.size() <= kMaxRankDigits && std::all_of(token.begin(), token.end(), IsDigit);
  if (number) result.rank = static_cast<unsigned>(std::stoul(result.token));
  return result;
}

}  // namespace

std::optional<RotatedName> ParseRotatedName(std::string_view live, std::string_view name) {
  if (live == name || live.empty()) return std::nullopt;
  std::string_view base = WithoutCompression(name);
  if (base == live) return RotatedName{};
  if (base.starts_with(live)) return FromAdded(base.substr(live.size()), true);
  const std::size_t dot = live.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return std::nullopt;
  std::string_view stem = live.substr(0, dot);
  std::string_view extension = live.substr(dot);
  if (base.size() <= live.size() || !base.starts_with(stem) || !base.ends_with(extension))
    return std::nullopt;
  return FromAdded(base.substr(stem.size(), base.size() - live.size()), false);
}

std::vector<std::string> LiveNamesOf(std::string_view name) {
  const std::string_view base = WithoutCompression(name);
  const std::size_t dot = std::min(base.rfind('.'), base.size());
  std::vector<std::string> names;
  for (std::size_t i = 1; i < base.size(); ++i) {
    if (!IsSeparator(base[i])) continue;
    std::string whole(base.substr(0, i));
    std::string extended = i < dot ? whole + std::string(base.substr(dot)) : std::string();
    for (std::string& live : {std::ref(whole), std::ref(extended)}) {
      if (ParseRotatedName(live, base).has_value()) names.push_back(std::move(live));
    }
  }
  return names;
}

std::vector<std::string> LiveNamesOfPath(std::string_view path) {
  const std::string_view folder = path.substr(0, path.rfind('/') + 1);
  std::vector<std::string> names = LiveNamesOf(path.substr(folder.size()));
  for (std::string& name : names) name.insert(0, folder);
  return names;
}

bool DifferInDigitsOnly(std::string_view a, std::string_view b) {
  a = WithoutCompression(a);
  b = WithoutCompression(b);
  bool any_digit = false;
  while (!a.empty() && !b.empty()) {
    if (IsDigit(a.front()) && IsDigit(b.front())) {
      any_digit = true;
      a.remove_prefix(std::min(a.find_first_not_of("0123456789"), a.size()));
      b.remove_prefix(std::min(b.find_first_not_of("0123456789"), b.size()));
      continue;
    }
    if (a.front() != b.front()) return false;
    a.remove_prefix(1);
    b.remove_prefix(1);
  }
  return a.empty() && b.empty() && any_digit;
}

}  // namespace logvault::forwarder
