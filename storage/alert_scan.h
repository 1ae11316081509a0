// What a vault raised, newest first: its ALERT, SILENCE and CONFLICT blocks.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "common/clock.h"
#include "storage/backward_scan.h"
#include "storage/reader.h"

namespace logvault::storage {

struct AlertScope {
  std::optional<UnixNanos> since;  // commit time, inclusive
  std::optional<UnixNanos> until;  // exclusive
  std::uint64_t tree_size = 0;     // what was raised at or past it is left out
};

// Calls `visit` until it returns false.  Returns how many blocks could not be read, each of which may have been an alert.
// Reads every block from the newest to `since`.
std::uint64_t ForEachAlert(const Reader& reader, const AlertScope& scope,
                           const std::function<bool(const ScannedBlock&)>& visit);

}  // namespace logvault::storage
