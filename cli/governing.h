// What was said to a vault in directives, fetched and proven; and the way to say something.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "cli/command.h"
#include "cli/offline_vault.h"
#include "cli/remote_vault.h"
#include "common/status.h"
#include "evidence/governance.h"

namespace logvault::cli {

// The governing blocks that the vault lists below checkpoint(), each proven, as stored, by index.  The vault could leave
// one out: `verify` finds that.
Result<std::map<std::uint64_t, std::string>> FetchGoverning(RemoteVault& vault);

// The governing blocks of a vault, one after the other; kIntegrity naming the one that is not in order.
Result<evidence::Governance> JudgeGoverning(const evidence::GenesisBody& genesis,
                                            const std::map<std::uint64_t, std::string>& blocks);

// What is in force, where a connection or a folder is open; as LoadGovernance.
Result<evidence::Governance> GovernanceOf(RemoteVault& vault, const Settings& settings);
Result<evidence::Governance> GovernanceOf(const OfflineVault& vault);

// What is in force: over the network, judged by the CA of the credentials; with --offline by the one in GENESIS.
// kIntegrity where a governing block is not in order.
Result<evidence::Governance> LoadGovernance(const Environment& env);

// Signs `statement` (type, reason and what is ordered are the caller's) with the credentials' key, and has the vault
// append it.  Returns the index of its block, proven.  `make` is given what is in force, and may refuse.
using MakeStatement = std::function<Result<evidence::Statement>(const evidence::Governance&)>;
Result<std::uint64_t> Order(const Environment& env, const MakeStatement& make);

}  // namespace logvault::cli
