// Durations and sizes as people write them: a whole number and one unit, nothing between.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/status.h"

namespace logvault::config {

// "90s", "15m", "2h", "7d" in nanoseconds: also the command line's ages, --ttl and --timeout.
// kInvalidArgument without a unit, and beyond 100 years.
Result<std::int64_t> ParseDuration(std::string_view text);

// "20GiB" in bytes; B, KiB, MiB, GiB and TiB, a bare number is bytes.  kInvalidArgument past 2^63
// - 1.
Result<std::uint64_t> ParseSize(std::string_view text);

// The shortest exact form: "90s", "2h", "1GiB"; a rest below one second is cut off.
std::string FormatDuration(std::int64_t nanos);
std::string FormatSize(std::uint64_t bytes);

}  // namespace logvault::config
