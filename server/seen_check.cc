#include "server/seen_check.h"

#include "evidence/merkle.h"

namespace logvault::server {

Result<SeenCheck::Verdict> SeenCheck::Check(const evidence::BatchHeader& batch,
                                            const storage::Vault& vault) {
  if (batch.seen_size == 0 || vault.governance()->WasLost(batch.seen_size)) return Verdict::kOurs;
  if (batch.seen_size > vault.head().size) return Verdict::kAhead;
  if (!last_.has_value() || last_->first != batch.seen_size) {
    Result<evidence::Hash> root = evidence::RootAt(batch.seen_size, vault.reader().Nodes());
    if (!root.ok()) return root.status();
    last_.emplace(batch.seen_size, *root);
  }
  return last_->second == batch.seen_root ? Verdict::kOurs : Verdict::kOtherRoot;
}

}  // namespace logvault::server
