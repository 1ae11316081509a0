// Retention: finds the payloads that the policy no longer keeps, and deletes what a RETENTION block has announced.  What
// may go is decided by evidence::Governance, as a verifier decides it; headers, tiles and proofs stay.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/status.h"
#include "evidence/governance.h"

namespace logvault::storage {

class Tables;

// Calls `visit` with each governing block below `end`, as stored, in order, until it returns an error, which is returned.
using VisitGoverning = std::function<Status(std::uint64_t index, Result<std::string> bytes)>;
Status ForEachGoverning(const Tables& tables, std::uint64_t end, const VisitGoverning& visit);

// Bodies for RETENTION blocks that would be lawful at `now`.  A stream's newest batch stays, however old it is: it says
// where the stream stands.  Costs a look at the oldest batches of each stream.
Result<std::vector<evidence::RetentionBody>> FindExpired(const Tables& tables,
                                                         const evidence::Governance& governance,
                                                         UnixNanos now);

// Deletes by RETENTION block `retention`, which `governance` has as unfinished.  Each payload goes in one write with
// the row that says by what; a crash between two leaves the rest for the next call.  Then the tables are compacted, so that
// the bytes leave the disk.  kAborted once `stop` is set.
Result<evidence::RetentionDoneBody> DeleteExpired(const Tables& tables,
                                                  const evidence::Governance& governance,
                                                  std::uint64_t retention,
                                                  const std::atomic<bool>& stop);

}  // namespace logvault::storage
