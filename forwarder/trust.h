// `logvault-forwarder trust FILE`: this host saw what the vault has lost, and its administrator lets it go on.
#pragma once

#include <string>

#include "common/status.h"
#include "config/forwarder_config.h"

namespace logvault::forwarder {

// Takes the directive in `file` (evidence/rollback.h), if an administrator of this vault's signed it and it gives up all that
// this host saw: the spool goes on from the restored checkpoint and ships again what it kept.  Returns what was done, for a
// person.  kIntegrity where this host saw more, kPermissionDenied where nobody who may has signed,
// kFailedPrecondition where the spool is in use.
Result<std::string> TrustRollback(const config::ForwarderConfig& config, const std::string& file);

}  // namespace logvault::forwarder
