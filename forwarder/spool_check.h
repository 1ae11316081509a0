// What must hold in a spool's file.  The same checks run at every start, in `spool verify`, and over each row that a
// damaged file still gives up.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"
#include "forwarder/spool_tables.h"

namespace logvault::forwarder {

// Where a spool of folder `dir` lives.
std::string SpoolFile(const std::string& dir);

// kCorruption where the row is not what `host` once wrote: a batch's header and payload belong together and to the
// row's numbers, a registration's body and box to each other.  Seals and signatures are the vault's to check.
Status CheckItem(const SpooledItem& item, std::string_view host);

enum class CheckScope { kWaiting, kEverything };

struct SpoolFaults {
  std::vector<std::string> found;  // one sentence each; at most kMaxFaults
  std::uint64_t items_checked = 0;
};
inline constexpr std::size_t kMaxFaults = 100;

// Reads the file at `path` and its log, beside a running forwarder too.  Changes nothing.  Not OK where the file
// cannot be read at all, for a reason that is not damage.
Result<SpoolFaults> FindFaults(const std::string& path, CheckScope scope);

}  // namespace logvault::forwarder
