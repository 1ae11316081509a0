// The names of syslog's severities and facilities (RFC 5424, tables 1 and 2).
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace logvault::formats {

inline constexpr std::array<std::string_view, 8> kSeverities = {
    "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"};
inline constexpr std::array<std::string_view, 24> kFacilities = {
    "kern",   "user",   "mail",     "daemon", "auth",   "syslog", "lpr",    "news",
    "uucp",   "cron",   "authpriv", "ftp",    "ntp",    "audit",  "alert",  "clock",
    "local0", "local1", "local2",   "local3", "local4", "local5", "local6", "local7"};

// Empty for a number without a name.
constexpr std::string_view SeverityName(int number) {
  const auto index = static_cast<std::size_t>(number);
  return index < kSeverities.size() ? kSeverities[index] : std::string_view();
}
constexpr std::string_view FacilityName(int number) {
  const auto index = static_cast<std::size_t>(number);
  return index < kFacilities.size() ? kFacilities[index] : std::string_view();
}

}  // namespace logvault::formats
