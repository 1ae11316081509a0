#include "server/seen_check.h"

#include "evidence/merkle.h"

namespace logvault::server {

Result<SeenCheck::Verdict> SeenCheck::Check(const evidence::BatchHeader& batch,
                                            const storage::Reader& reader,
                                            const storage::Head& head) {
  if (batch.seen_size == 0) return Verdict::kOurs;
  if (batch.seen_size > head.size) return Verdict::kAhead;
  if (!last_.has_value() || last_->first != batch.seen_size) {
    Result<evidence::Hash> root = evidence::RootAt(batch.seen_size, reader.Nodes());
    if (!root.ok()) return root.status();
    last_.emplace(batch.seen_size, *root);
  }
  return last_->second == batch.seen_root ? Verdict::kOurs : Verdict::kOtherRoot;
}

}  // namespace logvault::server
