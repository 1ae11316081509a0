#include "config/units.h"

#include <array>
#include <charconv>
#include <limits>

namespace logvault::config {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};

constexpr std::int64_t kSecond = 1'000'000'000;
// From small to large.
constexpr std::array<Unit, 4> kDurationUnits = {
    {{"s", kSecond}, {"m", 60 * kSecond}, {"h", 3600 * kSecond}, {"d", 86400 * kSecond}}};
constexpr std::array<Unit, 5> kSizeUnits = {{{"B", 1},
                                             {"KiB", std::int64_t{1} << 10},
                                             {"MiB", std::int64_t{1} << 20},
                                             {"GiB", std::int64_t{1} << 30},
                                             {"TiB", std::int64_t{1} << 40}}};
constexpr std::int64_t kLongestDuration = 36525 * (86400 * kSecond);  // 100 years

// Splits the digits from the unit; false where there are no digits, or more than fit.
bool SplitNumber(std::string_view text, std::int64_t* number, std::string_view* unit) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  if (error != std::errc() || *number < 0 || text.starts_with('-')) return false;
  *unit = text.substr(static_cast<std::size_t>(end - text.data()));
  return true;
}

template <std::size_t N>
const Unit* FindUnit(const std::array<Unit, N>& units, std::string_view name) {
  for (const Unit& unit : units) {
    if (unit.name == name) return &unit;
  }
  return nullptr;
}

// The largest unit that `value` is a whole number of.
template <std::size_t N>
std::string Format(const std::array<Unit, N>& units, std::uint64_t value) {
  const Unit* best = &units.front();
  for (const Unit& unit : units) {
    if (value >= static_cast<std::uint64_t>(unit.factor) &&
        value % static_cast<std::uint64_t>(unit.factor) == 0) {
      best = &unit;
    }
  }
  return std::to_string(value / static_cast<std::uint64_t>(best->factor)) + std::string(best->name);
}

}  // namespace

Result<std::int64_t> ParseDuration(std::string_view text) {
  std::int64_t number = 0;
  std::string_view name;
  const Unit* unit = nullptr;
  if (SplitNumber(text, &number, &name)) unit = FindUnit(kDurationUnits, name);
  if (unit == nullptr) {
    return InvalidArgument("'" + std::string(text) +
                           "' is not a duration: a whole number and s, m, h or d, such as 90s");
  }
  if (number > kLongestDuration / unit->factor) {
    return InvalidArgument("'" + std::string(text) + "' is longer than 100 years");
  }
  return number * unit->factor;
}

Result<std::uint64_t> ParseSize(std::string_view text) {
  std::int64_t number = 0;
  std::string_view name;
  const Unit* unit = nullptr;
  if (SplitNumber(text, &number, &name)) unit = FindUnit(kSizeUnits, name.empty() ? "B" : name);
  if (unit == nullptr) {
    return InvalidArgument(
        "'" + std::string(text) +
        "' is not a size: a whole number and B, KiB, MiB, GiB or TiB, such as 1GiB");
  }
  if (number > std::numeric_limits<std::int64_t>::max() / unit->factor) {
    return InvalidArgument("'" + std::string(text) + "' is more than 2^63 - 1 bytes");
  }
  return static_cast<std::uint64_t>(number * unit->factor);
}

std::string FormatDuration(std::int64_t nanos) {
  if (nanos < 0) return "-" + FormatDuration(nanos == INT64_MIN ? INT64_MAX : -nanos);
  return Format(kDurationUnits, static_cast<std::uint64_t>(nanos - nanos % kSecond));
}

std::string FormatSize(std::uint64_t bytes) { return Format(kSizeUnits, bytes); }

}  // namespace logvault::config
