// The vault's own keys in a CA's folder when they are changed: `logvault pki rotate|retire`.  What the vault makes of it is
// evidence/governance.h's.
#pragma once

#include <string>

#include "common/status.h"

namespace logvault::pki {

// Makes new keys in the CA's folder `dir`: vault.key begins with them and keeps those before; vault.pub names both.
// kFailedPrecondition while the change before is not finished.
Status RotateVaultKey(const std::string& dir);

// Takes the file `vault_pub`, written once the older key was retired, as the folder's, and drops the private halves of
// retired signing keys from vault.key.  X25519 keys stay: registrations that wait in a spool are sealed to them.
// kInvalidArgument where it is not of the key that the folder holds.
Status RetireVaultKey(const std::string& dir, const std::string& vault_pub);

}  // namespace logvault::pki
