// Time zones by IANA name, and the rule by which local times become instants.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/clock.h"
#include "common/status.h"

namespace logvault::formats {

// A civil time without a zone.
struct CivilTime {
  int year = 1970;
  int month = 1;  // 1..12
  int day = 1;    // 1..31
  int hour = 0;
  int minute = 0;
  int second = 0;  // 0..60
  std::int32_t nanos = 0;
  bool operator==(const CivilTime&) const = default;
};
// False for a date that does not exist, and for years before 1678 or after 2261, which UnixNanos cannot hold.
bool IsValid(const CivilTime& time);

// The instant as if `time` were UTC.  REQUIRES: IsValid(time).
UnixNanos AsUtc(const CivilTime& time);

// A value; cheap to copy; UTC unless loaded.
class TimeZone {
 public:
  static TimeZone Utc();
  static TimeZone Local();                              // the host's
  static Result<TimeZone> Load(std::string_view name);  // "Europe/Berlin"

  // A local time that a clock change skipped or repeated takes the offset in force before the change.
  [[nodiscard]] UnixNanos ToInstant(const CivilTime& local) const;
  [[nodiscard]] CivilTime ToCivil(UnixNanos instant) const;
  [[nodiscard]] std::string name() const;

 private:
  struct Data;
  std::shared_ptr<const Data> data_;
};

// "2026-11-23T15:48:01.123456789Z".
std::string FormatUtc(UnixNanos instant);

}  // namespace logvault::formats
