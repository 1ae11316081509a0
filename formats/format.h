// The log formats logvault understands, by name.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace logvault::formats {

enum class Format { kSyslog, kAuditd, kGeoserver, kAccess, kSqlserver, kJson, kJournal, kPlain };

struct NamedFormat {
  std::string_view name;
  Format format;
};

inline constexpr std::array<NamedFormat, 8> kFormats = {{
    {"syslog", Format::kSyslog},
    {"auditd", Format::kAuditd},
    {"geoserver", Format::kGeoserver},
    {"access", Format::kAccess},
    {"sqlserver", Format::kSqlserver},
    {"json", Format::kJson},
    {"journal", Format::kJournal},
    {"plain", Format::kPlain},
}};

constexpr std::optional<Format> FormatByName(std::string_view name) {
  for (const NamedFormat& known : kFormats) {
    if (known.name == name) return known.format;
  }
  return std::nullopt;
}

constexpr std::string_view NameOf(Format format) {
  for (const NamedFormat& known : kFormats) {
    if (known.format == format) return known.name;
  }
  return {};
}

}  // namespace logvault::formats
