// Settings: which vault, and with whose credentials.  A flag goes before the environment, and that before the
// configuration file.
#pragma once

#include <string>

#include "common/status.h"

namespace logvault::cli {

struct Settings {
  std::string vault;        // HOST:PORT; empty: not given
  std::string credentials;  // a folder with ca.pem cert.pem key.pem vault.pub; empty: not given
  std::string offline;      // a vault's folder; empty: ask the vault at `vault`
};

// `flags` filled up from LOGVAULT_VAULT, LOGVAULT_CREDENTIALS and $XDG_CONFIG_HOME/logvault/config.yaml (keys
// `vault` and `credentials`).  kInvalidArgument naming the file and the line of a mistake in it.
Result<Settings> CompleteSettings(Settings flags);

// $XDG_STATE_HOME/logvault, or ~/.local/state/logvault.  kFailedPrecondition where neither can be told.
Result<std::string> StateDir();

}  // namespace logvault::cli
