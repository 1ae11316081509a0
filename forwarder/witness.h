// Witness: holds the vault to what it signed.  Every answer's checkpoint must follow from the newest one kept here.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/mutex.h"
#include "common/status.h"
#include "evidence/block.h"
#include "evidence/checkpoint.h"
#include "evidence/note.h"
#include "forwarder/epoch.h"
#include "proto/logvault.pb.h"

namespace logvault::forwarder {

// Safe from several threads.
class Witness {
 public:
  // `kept_note` is the newest checkpoint kept, or empty.  kFailedPrecondition where `key` did not sign it: it is
  // another vault's.
  static Result<std::unique_ptr<Witness>> Open(std::string_view kept_note,
                                               const evidence::VerifierKey& key);

  [[nodiscard]] Seen seen() const LV_EXCLUDES(mutex_);

  // The checkpoint in `note` if the pinned key signed it and `consistency` proves that it contains the kept one;
  // else kIntegrity.  Keeps nothing.
  template <typename Hashes>
  Result<evidence::Checkpoint> Check(std::string_view note, const Hashes& consistency) const
      LV_EXCLUDES(mutex_) {
    return CheckProof(note, {consistency.begin(), consistency.end()});
  }
  // Whether the pinned key signed `note`: else it proves nothing, whatever key is pinned later.
  [[nodiscard]] bool IsSigned(std::string_view note) const;
  // From now on the newest.  REQUIRES: Check returned it, and it is durably kept.
  void Keep(const evidence::Checkpoint& checkpoint) LV_EXCLUDES(mutex_);

 private:
  explicit Witness(evidence::VerifierKey key) : key_(std::move(key)) {}
  Result<evidence::Checkpoint> CheckProof(std::string_view note,
                                          const std::vector<std::string>& proof) const
      LV_EXCLUDES(mutex_);

  const evidence::VerifierKey key_;
  mutable Mutex mutex_;
  Seen seen_ LV_GUARDED_BY(mutex_);
};

// OK where `receipt` proves that `body` stands in the tree of `checkpoint` as a block of `kind`; else kIntegrity.
Status VerifyReceipt(const v1::ItemReceipt& receipt, evidence::BlockKind kind,
                     std::string_view body, const evidence::Checkpoint& checkpoint);

}  // namespace logvault::forwarder
