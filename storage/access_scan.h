// The calls that a vault recorded, newest first: each ACCESS block with the ACCESS_END block that names it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "common/clock.h"
#include "common/status.h"
#include "storage/reader.h"

namespace logvault::storage {

struct AccessScope {
  std::optional<UnixNanos> since;  // commit time of the ACCESS block, inclusive
  std::optional<UnixNanos> until;  // exclusive
  std::uint64_t limit = 0;         // the newest so many; 0: all
  std::uint64_t tree_size = 0;     // calls recorded at or past it are left out
  std::uint64_t ends_size = 0;     // and so are ends at or past this, which is tree_size or more
};

struct AccessRecord {
  std::uint64_t asked = 0;  // index of the ACCESS block
  std::string asked_bytes;  // as stored
  std::uint64_t ended = 0;  // index of the ACCESS_END block
  std::string ended_bytes;  // empty: there is none
};

// Calls `visit` until it returns false.  Returns how many blocks could not be read, each of which may have been a call
// or an end; bodies are not checked (the auditor does that).  Reads every block from the newest to `since`.
std::uint64_t ForEachAccess(const Reader& reader, const AccessScope& scope,
                            const std::function<bool(const AccessRecord&)>& visit);

}  // namespace logvault::storage
