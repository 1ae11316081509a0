#include "forwarder/witness.h"

#include <utility>

#include "evidence/merkle.h"

namespace logvault::forwarder {

namespace {

template <typename Strings>
Result<std::vector<evidence::Hash>> HashesFrom(const Strings& strings) {
  std::vector<evidence::Hash> hashes;
  hashes.reserve(static_cast<std::size_t>(strings.size()));
  for (const std::string& bytes : strings) {
    Result<evidence::Hash> hash = evidence::Hash::FromBytes(bytes);
    if (!hash.ok()) return Integrity("a proof with a hash that is not 32 bytes");
    hashes.push_back(*hash);
  }
  return hashes;
}

}  // namespace

Result<std::unique_ptr<Witness>> Witness::Open(std::string_view kept_note,
                                               const evidence::VerifierKey& key) {
  std::unique_ptr<Witness> witness(new Witness(key));
  if (kept_note.empty()) return witness;
  Result<evidence::Checkpoint> kept = evidence::OpenCheckpoint(kept_note, key);
  if (!kept.ok()) {
    return FailedPrecondition("the spool holds a checkpoint of another vault than " + key.name +
                              ": " + kept.status().message());
  }
  witness->Keep(*kept);
  return witness;
}

bool Witness::IsSigned(std::string_view note) const {
  return evidence::OpenCheckpoint(note, key_).ok();
}

Seen Witness::seen() const {
  MutexLock lock(mutex_);
  return seen_;
}

void Witness::Keep(const evidence::Checkpoint& checkpoint) {
  MutexLock lock(mutex_);
  seen_ = {checkpoint.size, checkpoint.root};
}

Result<evidence::Checkpoint> Witness::CheckProof(std::string_view note,
                                                 const std::vector<std::string>& proof) const {
  Result<evidence::Checkpoint> checkpoint = evidence::OpenCheckpoint(note, key_);
  if (!checkpoint.ok())
    return Integrity("checkpoint not signed by the pinned vault key: " +
                     checkpoint.status().message());
  const Seen kept = seen();
  if (checkpoint->size < kept.size) {
    return Integrity("rollback: the vault shows size " + std::to_string(checkpoint->size) +
                     " after it signed size " + std::to_string(kept.size));
  }
  if (kept.size == 0) return checkpoint;
  if (checkpoint->size == kept.size) {
    if (checkpoint->root == kept.root && proof.empty()) return checkpoint;
    if (checkpoint->root == kept.root)
      return Integrity("a consistency proof where there is nothing to prove");
    return Integrity("fork: two signed checkpoints of size " + std::to_string(kept.size) +
                     " differ");
  }
  Result<std::vector<evidence::Hash>> hashes = HashesFrom(proof);
  if (!hashes.ok()) return hashes.status();
  Status consistent = evidence::VerifyConsistency(kept.size, checkpoint->size, kept.root,
                                                  checkpoint->root, *hashes);
  if (consistent.ok()) return checkpoint;
  return Integrity("fork: the checkpoint of size " + std::to_string(checkpoint->size) +
                   " is not proven to contain that of size " + std::to_string(kept.size) + ": " +
                   consistent.message());
}

Status VerifyReceipt(const v1::ItemReceipt& receipt, evidence::BlockKind kind,
                     std::string_view body, const evidence::Checkpoint& checkpoint) {
  Result<evidence::BlockHeader> block = evidence::BlockHeader::Parse(receipt.block());
  if (!block.ok()) return Integrity("receipt: " + block.status().message());
  if (block->kind != kind || block->body != body)
    return Integrity("receipt: the block is not what was sent");
  Result<std::vector<evidence::Hash>> proof = HashesFrom(receipt.inclusion());
  if (!proof.ok()) return proof.status();
  Status included = evidence::VerifyInclusion(evidence::LeafHash(receipt.block()), block->index,
                                              checkpoint.size, *proof, checkpoint.root);
  if (included.ok()) return included;
  return Integrity("receipt: block " + std::to_string(block->index) +
                   " is not in the checkpoint's tree: " + included.message());
}

}  // namespace logvault::forwarder
