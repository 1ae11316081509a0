// What each host's batches take of the vault on one day, so that a daily quota holds over a restart too.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/clock.h"
#include "common/status.h"

namespace logvault::storage {

// Days since 1970, UTC.
inline std::int64_t DayOf(UnixNanos time) { return time / (86'400 * kNanosPerSecond); }

struct DayUse {
  std::string host;
  std::int64_t day = 0;     // the newest on which it had a batch committed
  std::uint64_t bytes = 0;  // headers and payloads committed on that day
  bool operator==(const DayUse&) const = default;
};

// Rows of the stream family; see storage/keys.h.
std::string DayUseKey(std::string_view host);
Result<DayUse> ParseDayUseRow(std::string_view key, std::string_view value);
std::string SerializeDayUse(const DayUse& use);

}  // namespace logvault::storage
