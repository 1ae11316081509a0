#include "storage/alert_scan.h"

#include "evidence/governance.h"

namespace logvault::storage {

std::uint64_t ForEachAlert(const Reader& reader, const AlertScope& scope,
                           const std::function<bool(const ScannedBlock&)>& visit) {
  return ScanBackward(reader, scope.tree_size, scope.since, evidence::IsAlert,
                      [&](const ScannedBlock& alert) {
                        const UnixNanos time = alert.header.commit_time;
                        if (scope.since && time < *scope.since) return false;
                        if (scope.until && time >= *scope.until) return true;
                        return visit(alert);
                      });
}

}  // namespace logvault::storage
