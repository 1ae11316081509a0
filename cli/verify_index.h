// `logvault verify --index`: the index built anew from a vault's folder and compared.
#pragma once

#include "cli/command.h"

namespace logvault::cli {

// Each finding is written to env.out, the verdict told; kIntegrity where there is one.
ExitCode VerifyIndexOffline(Environment& env, bool json);

}  // namespace logvault::cli
