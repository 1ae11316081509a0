// The window that --since and --until give, of whichever command has them.
#pragma once

#include <optional>
#include <string>

#include "common/clock.h"
#include "common/status.h"
#include "formats/time_zone.h"

namespace logvault::cli {

struct TimeWindow {
  std::optional<UnixNanos> since;  // inclusive
  std::optional<UnixNanos> until;  // exclusive
};

// Empty texts are flags that were not given.  kInvalidArgument naming the flag, or where the window is empty.  Pure.
Result<TimeWindow> ReadTimeWindow(const std::string& since, const std::string& until, UnixNanos now,
                                  const formats::TimeZone& zone = formats::TimeZone::Utc());

}  // namespace logvault::cli
