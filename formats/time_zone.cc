// Time zones, over the tz database as absl reads it.  absl's string_view is not std's on Debian 12,
// so absl stays in this file.
#include "formats/time_zone.h"

#include <absl/strings/string_view.h>
#include <absl/time/civil_time.h>
#include <absl/time/time.h>

#include <array>
#include <chrono>
#include <cstdio>

namespace logvault::formats {
namespace {

// Every time of these years, in any zone, fits into UnixNanos.
constexpr int kFirstYear = 1678;
constexpr int kLastYear = 2261;

std::chrono::year_month_day DateOf(const CivilTime& time) {
  return std::chrono::year(time.year) / std::chrono::month(static_cast<unsigned>(time.month)) /
         std::chrono::day(static_cast<unsigned>(time.day));
}

struct Instant {
  std::int64_t seconds;
  std::int32_t nanos;
};

// Rounds towards the past, so that `nanos` is never negative.
Instant Split(UnixNanos instant) {
  std::int64_t seconds = instant / kNanosPerSecond;
  std::int64_t nanos = instant % kNanosPerSecond;
  if (nanos < 0) {
    --seconds;
    nanos += kNanosPerSecond;
  }
  return {seconds, static_cast<std::int32_t>(nanos)};
}

bool IsZoneName(std::string_view name) {
  if (name.empty() || name.size() > 64 || name.front() == '/' || name.front() == '.') return false;
  if (name.find("..") != std::string_view::npos) return false;
  constexpr std::string_view kAllowed =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/.";
  return name.find_first_not_of(kAllowed) == std::string_view::npos;
}

}  // namespace

struct TimeZone::Data {
  absl::TimeZone zone;

  static absl::TimeZone Of(const Data* data) { return data ? data->zone : absl::UTCTimeZone(); }
};

bool IsValid(const CivilTime& time) {
  if (time.year < kFirstYear || time.year > kLastYear) return false;
  if (time.month < 1 || time.month > 12 || time.day < 1 || time.day > 31) return false;
  if (!DateOf(time).ok()) return false;
  return time.hour >= 0 && time.hour <= 23 && time.minute >= 0 && time.minute <= 59 &&
         time.second >= 0 && time.second <= 60 && time.nanos >= 0 && time.nanos < kNanosPerSecond;
}

UnixNanos AsUtc(const CivilTime& time) {
  const auto days = std::chrono::sys_days(DateOf(time)).time_since_epoch().count();
  const std::int64_t seconds =
      ((static_cast<std::int64_t>(days) * 24 + time.hour) * 60 + time.minute) * 60 + time.second;
  return seconds * kNanosPerSecond + time.nanos;
}

TimeZone TimeZone::Utc() { return {}; }

TimeZone TimeZone::Local() {
  TimeZone result;
  result.data_ = std::make_shared<const Data>(Data{absl::LocalTimeZone()});
  return result;
}

Result<TimeZone> TimeZone::Load(std::string_view name) {
  absl::TimeZone zone;
  if (!IsZoneName(name) ||
      !absl::LoadTimeZone(absl::string_view(name.data(), name.size()), &zone)) {
    return InvalidArgument("unknown time zone '" + std::string(name) +
                           "': use a name like Europe/Berlin or UTC");
  }
  TimeZone result;
  result.data_ = std::make_shared<const Data>(Data{zone});
  return result;
}

UnixNanos TimeZone::ToInstant(const CivilTime& local) const {
  // A leap second is the first second of the next minute, as absl normalises it.
  const absl::CivilSecond civil(local.year, local.month, local.day, local.hour, local.minute,
                                local.second);
  return absl::ToUnixSeconds(Data::Of(data_.get()).At(civil).pre) * kNanosPerSecond + local.nanos;
}

CivilTime TimeZone::ToCivil(UnixNanos instant) const {
  const Instant split = Split(instant);
  const absl::CivilSecond civil = Data::Of(data_.get()).At(absl::FromUnixSeconds(split.seconds)).cs;
  return {static_cast<int>(civil.year()),
          civil.month(),
          civil.day(),
          civil.hour(),
          civil.minute(),
          civil.second(),
          split.nanos};
}

std::string TimeZone::name() const { return Data::Of(data_.get()).name(); }

std::string FormatUtc(UnixNanos instant) {
  const Instant split = Split(instant);
  const auto time = std::chrono::sys_seconds(std::chrono::seconds(split.seconds));
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%09dZ",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()), split.nanos);
  return text.data();
}

}  // namespace logvault::formats
