// How a host's newest epoch ended: with a sealed stop record as the last word of the forwarder's
// own stream, or without one, and then what came after its last seal may be missing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/status.h"
#include "storage/reader.h"

namespace logvault::server {

struct EpochEnd {
  std::uint64_t epoch = 0;
  bool clean = false;
  std::uint32_t last_seal = 0;  // the highest seal number of the epoch that is committed here
};

// nullopt where the host has no epoch.
Result<std::optional<EpochEnd>> HowNewestEpochEnded(const storage::Reader& reader,
                                                    const std::string& host);

}  // namespace logvault::server
