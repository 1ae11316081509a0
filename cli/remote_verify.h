// Verifying a vault over the network: every block and payload is fetched and recomputed here; of the vault's word
// only its signatures are taken.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/remote_vault.h"
#include "evidence/auditor.h"
#include "query/index_recheck.h"

namespace logvault::cli {

struct VerifySummary {
  std::uint64_t blocks = 0;
  std::uint64_t records = 0;
  std::uint64_t payload_bytes = 0;
  std::uint64_t findings = 0;
  double seconds = 0;
  std::vector<evidence::Finding> claims;  // hosts' words only; none where there are findings
  std::uint64_t deleted_payloads = 0;     // gone by a RETENTION block that was lawful
  // Gone, the vault says, by a RETENTION block that was not reached.
  std::uint64_t deleted_meanwhile = 0;
  bool interrupted = false;
  Status lost;  // why it ended before the last block
};

// `on_finding` hears of everything that is wrong.  `anchor` is a checkpoint kept elsewhere.  Where payloads are deleted
// while it goes on, the history is followed to the RETENTION blocks that say why.  `index`, where there is one, is given every
// block.
VerifySummary VerifyRemote(RemoteVault& vault, const std::optional<evidence::Checkpoint>& anchor,
                           const evidence::Auditor::OnFinding& on_finding,
                           query::IndexRecheck* index);

}  // namespace logvault::cli
