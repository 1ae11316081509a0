#include "query/time_argument.h"

#include <algorithm>
#include <string>

#include "config/units.h"

namespace logvault::query {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Reads from the front of a text; a step that does not fit makes everything after it fail.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  int Digits(std::size_t count) {
    if (!ok_ || rest_.size() < count ||
        !std::all_of(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(count), IsDigit)) {
      ok_ = false;
      return 0;
    }
    int value = 0;
    for (char c : rest_.substr(0, count)) value = value * 10 + (c - '0');
    rest_.remove_prefix(count);
    return value;
  }
  void Expect(char c) {
    if (!Take(c)) ok_ = false;
  }
  bool Take(char c) {
    if (!ok_ || rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // ".123456789" as nanoseconds.
  std::int32_t Fraction() {
    if (!Take('.')) return 0;
    std::int32_t nanos = 0;
    int digits = 0;
    for (; !rest_.empty() && IsDigit(rest_.front()) && digits < 9; ++digits) {
      nanos = nanos * 10 + (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    if (digits == 0) ok_ = false;
    for (; digits < 9; ++digits) nanos *= 10;
    return nanos;
  }
  [[nodiscard]] bool AtEnd() const { return ok_ && rest_.empty(); }
  [[nodiscard]] bool ok() const { return ok_; }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

// What a time states of its zone.
struct Stated {
  formats::CivilTime civil;
  bool has_zone = false;
  int seconds_east = 0;
};

void ReadZone(Cursor& cursor, Stated& stated) {
  if (cursor.Take('Z') || cursor.Take('z')) {
    stated.has_zone = true;
    return;
  }
  const int sign = cursor.Take('+') ? 1 : cursor.Take('-') ? -1 : 0;
  if (sign == 0) return;
  stated.has_zone = true;
  const int hours = cursor.Digits(2);
  cursor.Expect(':');
  const int minutes = cursor.Digits(2);
  if (hours > 23 || minutes > 59) cursor.Digits(1'000'000);  // no such offset: fail
  stated.seconds_east = sign * (hours * 3600 + minutes * 60);
}

bool ReadTime(std::string_view text, Stated& stated) {
  Cursor cursor(text);
  formats::CivilTime& civil = stated.civil;
  civil.year = cursor.Digits(4);
  cursor.Expect('-');
  civil.month = cursor.Digits(2);
  cursor.Expect('-');
  civil.day = cursor.Digits(2);
  if (cursor.AtEnd()) return true;
  if (!cursor.Take('T') && !cursor.Take('t')) {
    cursor.Expect(' ');
    while (cursor.Take(' ')) {
    }
  }
  civil.hour = cursor.Digits(2);
  cursor.Expect(':');
  civil.minute = cursor.Digits(2);
  if (cursor.Take(':')) {
    civil.second = cursor.Digits(2);
    civil.nanos = cursor.Fraction();
  }
  ReadZone(cursor, stated);
  return cursor.AtEnd();
}

Status NotATime(std::string_view text) {
  return InvalidArgument(
      "'" + std::string(text) +
      "' is not a time; write 2024-07-11T08:13:55Z, 2024-07-11, '2024-07-11 08:13' "
      "or an age such as 90s, 15m, 2h or 7d");
}

}  // namespace

Result<UnixNanos> ParseTime(std::string_view text, const formats::TimeZone& zone) {
  Stated stated;
  if (!ReadTime(text, stated)) return NotATime(text);
  // Instants are 64-bit nanoseconds: from 1677 to 2262.  A day is kept at each end for the zone.
  if (stated.civil.year < 1678 || stated.civil.year > 2261) {
    return InvalidArgument("'" + std::string(text) + "': years go from 1678 to 2261");
  }
  if (!formats::IsValid(stated.civil)) {
    return InvalidArgument("'" + std::string(text) + "': there is no such date or time of day");
  }
  if (!stated.has_zone) return zone.ToInstant(stated.civil);
  return formats::AsUtc(stated.civil) - stated.seconds_east * kNanosPerSecond;
}

Result<UnixNanos> ParseTimeOrAge(std::string_view text, UnixNanos now,
                                 const formats::TimeZone& zone) {
  const bool age = !text.empty() && IsDigit(text.front()) &&
                   text.find_first_of("-:") == std::string_view::npos && !IsDigit(text.back());
  if (!age) return ParseTime(text, zone);
  Result<std::int64_t> duration = config::ParseDuration(text);
  if (!duration.ok()) return NotATime(text);
  return now - *duration;
}

}  // namespace logvault::query
