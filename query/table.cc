#include "query/table.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

namespace logvault::query {
namespace {

// Whole numbers of 64 bits are exact in it.
std::optional<long double> NumberOf(std::string_view text) {
  if (text.empty() || (text.front() != '-' && (text.front() < '0' || text.front() > '9')))
    return std::nullopt;
  const char* const end = text.data() + text.size();
  std::int64_t whole = 0;
  const auto [whole_end, whole_error] = std::from_chars(text.data(), end, whole);
  if (whole_error == std::errc() && whole_end == end) return static_cast<long double>(whole);
  double real = 0;
  const auto [real_end, real_error] = std::from_chars(text.data(), end, real);
  if (real_error != std::errc() || real_end != end || !std::isfinite(real)) return std::nullopt;
  return static_cast<long double>(real);
}

int Sign(int order) { return order < 0 ? -1 : order > 0 ? 1 : 0; }

std::string_view FirstText(const Value& value) {
  return value.kind == Value::Kind::kList ? std::string_view(value.list.front())
                                          : std::string_view(value.text);
}

}  // namespace

int CompareTexts(std::string_view a, std::string_view b) {
  const std::optional<long double> x = NumberOf(a), y = NumberOf(b);
  if (x && y && *x != *y) return *x < *y ? -1 : 1;
  if (x.has_value() != y.has_value()) return x ? -1 : 1;
  return Sign(a.compare(b));
}

int Compare(const Value& a, const Value& b) {
  const bool none_a = a.kind == Value::Kind::kNone, none_b = b.kind == Value::Kind::kNone;
  if (none_a || none_b) return static_cast<int>(none_a) - static_cast<int>(none_b);
  if (a.kind != Value::Kind::kList && b.kind != Value::Kind::kList)
    return CompareTexts(a.text, b.text);
  if (const int first = CompareTexts(FirstText(a), FirstText(b)); first != 0) return first;
  if (a.list == b.list) return 0;
  return std::lexicographical_compare(a.list.begin(), a.list.end(), b.list.begin(), b.list.end())
             ? -1
             : 1;
}

}  // namespace logvault::query
