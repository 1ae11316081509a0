// Loads who this host is and which vault it trusts, from the files that the configuration names.
#pragma once

#include "common/status.h"
#include "config/forwarder_config.h"
#include "forwarder/epoch.h"
#include "pki/vault_files.h"

namespace logvault::forwarder {

struct LoadedIdentity {
  HostIdentity host;
  pki::VaultPublic vault;
};

// kFailedPrecondition or kInvalidArgument saying which file does not fit, and why.
Result<LoadedIdentity> LoadIdentity(const config::ForwarderConfig& config);

}  // namespace logvault::forwarder
