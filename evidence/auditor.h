// Auditor: checks a vault's history block by block, from the stored bytes alone.  It is the second path: it
// shares no code with the committer beyond the formats, and is what `logvault verify` runs, remote or offline.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"
#include "evidence/access_check.h"
#include "evidence/batch.h"
#include "evidence/block.h"
#include "evidence/bodies.h"
#include "evidence/directive.h"
#include "evidence/governance.h"
#include "evidence/merkle.h"
#include "evidence/payload.h"
#include "evidence/root_history.h"

namespace logvault::evidence {

// Something that is not as it must be.  Host, source and numbers are empty or 0 where the block names none.
struct Finding {
  std::uint64_t block = 0;
  std::string host;
  std::string source;
  std::uint64_t first_seq = 0;
  std::uint64_t last_seq = 0;
  std::string reason;
  bool operator==(const Finding&) const = default;
};

inline constexpr std::size_t kMaxClaims = 1000;

class Auditor {
 public:
  using OnFinding = std::function<void(const Finding&)>;

  Auditor(CertificateCheck certificate_check, OnFinding on_finding);

  // The governing blocks that stand in the history, as stored, by index: before the first block, since payloads may be
  // gone by what stands further on.  Each must then come under its index; another one is a finding.  Again, where the
  // history is followed further: those that stand before tree() ends count no more.
  void ForeseeGoverning(const std::map<std::uint64_t, std::string>& blocks);

  // The next block of the vault.  Checks its form, index, prev, commit time, the body of its kind, that
  // ACCESS_END blocks end calls that were recorded, and, for RECORDS, signature, stream order and stream_prev.  A block that cannot be parsed is a finding and still
  // counts as a leaf.  `bytes` is what is stored under `tree().size()`.
  void AddBlock(std::string_view bytes);
  // Nothing is stored where the next block must be.
  void AddMissingBlock();

  // K_0 of an epoch, where the caller has it: seals of later batches are then checked.  Call it after the KEY
  // block was added; refuses a key that is not the one whose hash is in the KEY block.
  Status GiveSealKey(std::string_view host, std::uint64_t epoch, std::string_view k0);

  // The RETENTION block by which the payload of `batch`, whose block was added and committed then, may be gone;
  // nullopt: by none, so that a missing one is a finding.
  [[nodiscard]] std::optional<std::uint64_t> DeletedBy(const BatchHeader& batch,
                                                       UnixNanos commit_time) const;

  // The dictionaries of the governing blocks that were foreseen; nothing before GENESIS.
  [[nodiscard]] std::shared_ptr<const Dictionaries> dictionaries() const;
  // Checks `frame` against the RECORDS header that `batch` is, in block `block`: a dictionary that it names comes before
  // it.  Pure; safe from several threads.
  static Result<Payload> CheckPayload(std::uint64_t block, const BatchHeader& batch,
                                      std::string_view frame, const Dictionaries& dictionaries);

  // Names the block: host, source and numbers for RECORDS.
  [[nodiscard]] Finding Describe(std::uint64_t block, const BatchHeader* batch,
                                 std::string reason) const;

  [[nodiscard]] const CompactTree& tree() const { return tree_; }
  [[nodiscard]] const std::optional<GenesisBody>& genesis() const { return genesis_; }
  [[nodiscard]] std::uint64_t records() const { return records_; }
  [[nodiscard]] std::uint64_t seals_checked() const { return seals_checked_; }

  struct StreamState {
    std::string host, source;
    std::uint64_t last_seq = 0;
    Hash head_hash;
    std::uint64_t last_block = 0;
    std::uint64_t records = 0;
    std::uint64_t gaps = 0;
  };
  // What hosts say of checkpoints that they saw and that this history does not have.  A host's word alone: it may lie, or
  // the vault may have shown it another history.  Of use only where nothing else is wrong with the tree.  At most
  // kMaxClaims are kept.
  [[nodiscard]] const std::vector<Finding>& claims() const { return claims_; }
  // By stream id.
  [[nodiscard]] const std::map<Hash, StreamState>& streams() const { return streams_; }

 private:
  struct Epoch {
    std::string public_key;
    Hash k0_hash;
    std::optional<Hash> seal_key;  // K_{seal_index}
    std::uint32_t seal_index = 0;  // the least that the next batch may have
  };

  void Report(const BatchHeader* batch, std::string reason);
  void CheckBody(const BlockHeader& block);
  void CheckGenesis(const BlockHeader& block);
  void CheckStream(const BlockHeader& block);
  void CheckKey(const BlockHeader& block);
  void CheckRecords(const BlockHeader& block);
  void CheckSeal(const BatchHeader& batch, std::string_view bytes, Epoch& epoch);
  void CheckGoverning(const Hash& leaf, const BlockHeader& block);
  void CheckReview();
  void BeginGovernance();
  void Foresee(std::uint64_t index, const std::string& bytes);
  [[nodiscard]] bool SawLostHistory(std::uint64_t seen_size) const;
  void CheckSeen(const BatchHeader& batch);
  void AppendLeaf(const Hash& leaf);

  const CertificateCheck certificate_check_;
  const OnFinding on_finding_;
  AccessCheck access_;
  CompactTree tree_;
  RootHistory roots_;
  std::vector<Finding> claims_;
  std::optional<Hash> prev_;  // unknown after a missing block
  UnixNanos last_commit_time_ = INT64_MIN;
  std::optional<GenesisBody> genesis_;
  std::map<std::uint64_t, std::string> foreseen_;  // until GENESIS tells by what they are judged
  std::map<std::uint64_t, Hash> governing_;        // leaves of those that are still to come
  std::map<std::uint64_t, Status> unlawful_;       // of those, the ones that are not in order
  std::optional<Governance> governance_;
  std::vector<bool> alerts_;  // of each block so far, whether it is one; a bit a block
  std::map<Hash, StreamState> streams_;
  std::map<std::pair<std::string, std::uint64_t>, Epoch> epochs_;  // (host, epoch)
  std::uint64_t records_ = 0;
  std::uint64_t seals_checked_ = 0;
};

}  // namespace logvault::evidence
