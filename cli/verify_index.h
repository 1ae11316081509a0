// `logvault verify --index`: the index built anew from a vault's blocks and compared.
#pragma once

#include "cli/command.h"
#include "cli/remote_vault.h"
#include "query/index_verify.h"

namespace logvault::cli {

// Each finding is written to env.out, the verdict told; kIntegrity where there is one.
ExitCode ShowIndexReport(const query::IndexReport& report, bool json, Environment& env);
// Of the vault in the folder that the settings name.
ExitCode VerifyIndexOffline(Environment& env, bool json);

// What the vault's INDEX blocks up to its checkpoint are said to state: for query::IndexRecheck, which believes it only once the
// verified blocks say the same.
Result<query::StatedIndex> FetchStatedIndex(RemoteVault& vault);

}  // namespace logvault::cli
