// Times as people write them on the command line and in expressions.
#pragma once

#include <string_view>

#include "common/clock.h"
#include "common/status.h"
#include "formats/time_zone.h"

namespace logvault::query {

// RFC 3339 ("2024-07-11T08:13:55.123Z", "...+02:00"; up to nine digits of a second) or a local time
// in `zone`: "2024-07-11", "2024-07-11 08:13", "2024-07-11 08:13:55[.123]", a 'T' or blanks
// between.  kInvalidArgument with a hint.  Pure.
Result<UnixNanos> ParseTime(std::string_view text, const formats::TimeZone& zone);

// The same, or an age before `now`: "90s", "15m", "2h", "7d".  Pure.
Result<UnixNanos> ParseTimeOrAge(std::string_view text, UnixNanos now,
                                 const formats::TimeZone& zone);

}  // namespace logvault::query
