// Blocks of some kinds, newest first: in windows that are read forwards, which RocksDB does best.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "common/clock.h"
#include "evidence/block.h"
#include "storage/reader.h"

namespace logvault::storage {

struct ScannedBlock {
  evidence::BlockHeader header;  // its index is where it is stored
  std::string bytes;             // as stored
};

// Calls `visit` with each block before `end` that is `wanted`, until it returns false.  Whatever is older than `since`
// need not be read; some of it may be visited all the same.  Returns how many blocks could not be read, each of which may
// have been wanted; bodies are not checked (the auditor does that).
std::uint64_t ScanBackward(const Reader& reader, std::uint64_t end, std::optional<UnixNanos> since,
                           const std::function<bool(const evidence::BlockHeader&)>& wanted,
                           const std::function<bool(ScannedBlock&)>& visit);

}  // namespace logvault::storage
