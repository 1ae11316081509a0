// Is the checkpoint that a batch says its host saw one of ours?  The batch is signed by the host alone, so a checkpoint
// that is not ours is that host's claim: the vault records it and goes on.  A note with the vault's own signature is
// proof, and is judged where a session opens.
#pragma once

#include <optional>
#include <utility>

#include "common/status.h"
#include "evidence/batch.h"
#include "storage/vault.h"

namespace logvault::server {

// For one call.
class SeenCheck {
 public:
  enum class Verdict { kOurs, kOtherRoot, kAhead };

  // `vault`'s head is at or past what the host was ever told.  A checkpoint of a history that an administrator gave up
  // counts as ours: what was sealed before comes again.
  Result<Verdict> Check(const evidence::BatchHeader& batch, const storage::Vault& vault);

 private:
  // Batches of one call mostly saw the same.
  std::optional<std::pair<std::uint64_t, evidence::Hash>> last_;
};

}  // namespace logvault::server
