// The line that opens a record of several lines: GeoServer's and ERRORLOG's.  The framer, the event
// time and the fields all see it through these functions, so that they never disagree about what a
// header is.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace logvault::formats {

// A header is recognised by its first bytes; what does not show itself within so many is not a
// header.
inline constexpr std::size_t kHeaderBytesMax = 1024;

// log4j 1 `2017-11-17 10:11:43,386 WARN [logger] - message`, or
// log4j 2 `16 Sep 15:44:36 CONFIG [logger] - message`, with the month in any language.  Log4j 2's ISO8601 writes the
// first with a T for the blank.
struct GeoserverHeader {
  std::string_view time;  // "2017-11-17 10:11:43,386" or "16 Sep 15:44:36"
  std::string_view level;
  std::string_view logger;   // may hold brackets
  std::string_view message;  // what follows on the line, and the rest of the text
  bool has_year = false;     // the full date
};
std::optional<GeoserverHeader> ParseGeoserverHeader(std::string_view text);

// `2024-06-19 00:11:06.55 Server      message`
struct SqlserverHeader {
  std::string_view time;     // 22 characters
  std::string_view source;   // "Server", "spid9s", "Logon"
  std::string_view message;  // the rest of the text
};
std::optional<SqlserverHeader> ParseSqlserverHeader(std::string_view text);

}  // namespace logvault::formats
