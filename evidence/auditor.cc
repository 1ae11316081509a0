#include "evidence/auditor.h"

#include <algorithm>
#include <utility>

#include "evidence/payload.h"
#include "evidence/seal.h"

namespace logvault::evidence {

Auditor::Auditor(CertificateCheck certificate_check, OnFinding on_finding)
    : certificate_check_(std::move(certificate_check)),
      on_finding_(std::move(on_finding)),
      prev_(Hash{}) {}

Finding Auditor::Describe(std::uint64_t block, const BatchHeader* batch, std::string reason) const {
  Finding finding;
  finding.block = block;
  finding.reason = std::move(reason);
  if (batch == nullptr) return finding;
  finding.first_seq = batch->first_seq;
  finding.last_seq = batch->last_seq();
  if (auto stream = streams_.find(batch->stream_id); stream != streams_.end()) {
    finding.host = stream->second.host;
    finding.source = stream->second.source;
  }
  return finding;
}

// REQUIRES: called while the block at tree_.size() is being checked.
void Auditor::Report(const BatchHeader* batch, std::string reason) {
  on_finding_(Describe(tree_.size(), batch, std::move(reason)));
}

void Auditor::AddMissingBlock() {
  Report(nullptr, "the block is missing");
  access_.AddUnknown();
  alerts_.push_back(false);
  AppendLeaf(LeafHash(""));
  prev_.reset();
}

void Auditor::AppendLeaf(const Hash& leaf) {
  tree_.Append(leaf);
  roots_.Add(tree_.Root());
}

void Auditor::AddBlock(std::string_view bytes) {
  Hash leaf = LeafHash(bytes);
  Result<BlockHeader> block = BlockHeader::Parse(bytes);
  if (!block.ok()) {
    Report(nullptr, block.status().message());
    access_.AddUnknown();
  } else {
    if (block->index != tree_.size()) {
      Report(nullptr, "the block states another index: " + std::to_string(block->index));
    }
    if (prev_.has_value() && block->prev != *prev_)
      Report(nullptr, "prev is not the hash of the block before");
    if (block->commit_time <= last_commit_time_) Report(nullptr, "the commit time does not rise");
    last_commit_time_ = std::max(last_commit_time_, block->commit_time);
    if ((block->kind == BlockKind::kGenesis) != (tree_.size() == 0)) {
      Report(nullptr, "GENESIS is block 0 and no other");
    }
    CheckGoverning(leaf, *block);
    CheckBody(*block);
  }
  alerts_.push_back(block.ok() && IsAlert(*block));
  AppendLeaf(leaf);
  prev_ = leaf;
}

void Auditor::CheckBody(const BlockHeader& block) {
  std::vector<std::string> reasons;
  access_.Add(tree_.size(), block, reasons);
  for (std::string& reason : reasons) Report(nullptr, std::move(reason));
  switch (block.kind) {
    case BlockKind::kGenesis:
      return CheckGenesis(block);
    case BlockKind::kStream:
      return CheckStream(block);
    case BlockKind::kKey:
      return CheckKey(block);
    case BlockKind::kRecords:
      return CheckRecords(block);
    case BlockKind::kAccess:
    case BlockKind::kAccessEnd:  // access_ has looked at these two
    case BlockKind::kIndex:
    case BlockKind::kAlert:
    case BlockKind::kSilence:
    case BlockKind::kConflict:
    case BlockKind::kRetention:
    case BlockKind::kRetentionDone:
    case BlockKind::kHold:
    case BlockKind::kConfig:
      return;  // statements, bound by the tree; the governing ones were judged before
  }
}

void Auditor::CheckGenesis(const BlockHeader& block) {
  Result<GenesisBody> body = GenesisBody::Parse(block.body);
  if (!body.ok()) return Report(nullptr, body.status().message());
  if (genesis_.has_value()) return;
  genesis_ = *std::move(body);
  BeginGovernance();
}

void Auditor::ForeseeGoverning(const std::map<std::uint64_t, std::string>& blocks) {
  if (!governance_.has_value()) {
    foreseen_ = blocks;
    return;
  }
  for (auto block = blocks.lower_bound(tree_.size()); block != blocks.end(); ++block) {
    Foresee(block->first, block->second);
  }
}

void Auditor::BeginGovernance() {
  governance_.emplace(*genesis_, certificate_check_);
  for (const auto& [index, bytes] : foreseen_) Foresee(index, bytes);
  foreseen_.clear();
}

void Auditor::Foresee(std::uint64_t index, const std::string& bytes) {
  governing_.emplace(index, LeafHash(bytes));
  Result<BlockHeader> block = BlockHeader::Parse(bytes);
  Status status = block.ok() ? Status::Ok() : block.status();
  if (status.ok() && block->index != index) status = Corruption("it states another index");
  if (status.ok()) status = governance_->Add(*block);
  if (!status.ok()) unlawful_.emplace(index, status);
}

// REQUIRES: called while the block at tree_.size() is being checked.
void Auditor::CheckGoverning(const Hash& leaf, const BlockHeader& block) {
  const auto foreseen = governing_.find(tree_.size());
  if (foreseen == governing_.end()) {
    if (IsGoverning(block)) {
      Report(nullptr, std::string(ToString(block.kind)) +
                          " is not among the governing blocks that the vault lists");
    }
    return;
  }
  if (foreseen->second != leaf) Report(nullptr, "the vault lists another governing block here");
  governing_.erase(foreseen);
  if (const auto status = unlawful_.find(tree_.size()); status != unlawful_.end()) {
    Report(nullptr, std::string(ToString(block.kind)) + ": " + status->second.message());
  }
  CheckReview();
  for (const Governance::Rollback& rollback : governance_->rollbacks()) {
    if (rollback.block == tree_.size() && rollback.accepted.restored.root != tree_.Root())
      Report(nullptr, "CONFIG: the rollback was accepted for another history");
  }
}

// Where the block at tree_.size() is a review that is in order: that it names alerts and nothing else.
void Auditor::CheckReview() {
  const auto& reviews = governance_->reviews();
  const auto review = std::lower_bound(
      reviews.begin(), reviews.end(), tree_.size(),
      [](const auto& candidate, std::uint64_t block) { return candidate->block < block; });
  if (review == reviews.end() || (*review)->block != tree_.size()) return;
  for (const std::uint64_t alert : (*review)->alerts) {
    if (!alerts_[alert])
      Report(nullptr, "ALERT: reviews block " + std::to_string(alert) + ", which is no alert");
  }
}

std::optional<std::uint64_t> Auditor::DeletedBy(const BatchHeader& batch,
                                                UnixNanos commit_time) const {
  const auto stream = streams_.find(batch.stream_id);
  if (!governance_.has_value() || stream == streams_.end()) return std::nullopt;
  return governance_->DeletedBy(
      Deletable::Of(batch, stream->second.host, stream->second.source, commit_time));
}

void Auditor::CheckStream(const BlockHeader& block) {
  Result<StreamBody> body = StreamBody::Parse(block.body);
  if (!body.ok()) return Report(nullptr, body.status().message());
  StreamState& stream = streams_[StreamId(body->host, body->source)];
  stream.host = body->host;
  stream.source = body->source;
}

void Auditor::CheckKey(const BlockHeader& block) {
  if (IsDirective(block.body)) return;  // about the vault's own key: judged before
  Result<KeyBody> body = KeyBody::Parse(block.body);
  if (!body.ok()) return Report(nullptr, body.status().message());
  auto report = [&](std::string_view reason) {
    Finding finding =
        Describe(tree_.size(), nullptr, "KEY of epoch " + std::to_string(body->epoch) + ": ");
    finding.reason += reason;
    finding.host = body->host;
    on_finding_(finding);
  };
  if (!genesis_.has_value()) return report("no GENESIS tells which CA is right");
  Result<std::string> key = certificate_check_(body->certificate_der, genesis_->ca_pem, "forwarder",
                                               body->host, block.commit_time);
  if (!key.ok()) return report(key.status().message());
  if (Status status = VerifyEd25519(*key, body->SignedBytes(), body->signature); !status.ok()) {
    return report(status.message());
  }
  Epoch epoch;
  epoch.public_key = body->epoch_public_key;
  epoch.k0_hash = body->k0_hash;
  if (!epochs_.try_emplace({body->host, body->epoch}, std::move(epoch)).second)
    report("registered twice");
}

void Auditor::CheckRecords(const BlockHeader& block) {
  Result<BatchHeader> batch = BatchHeader::Parse(block.body);
  if (!batch.ok()) return Report(nullptr, batch.status().message());
  records_ += batch->record_count;
  auto stream = streams_.find(batch->stream_id);
  if (stream == streams_.end())
    return Report(&*batch, "the batch belongs to no stream that was announced");
  StreamState& state = stream->second;
  CheckSeen(*batch);

  auto epoch = epochs_.find({state.host, batch->epoch});
  if (epoch == epochs_.end()) {
    Report(&*batch, "the batch's epoch has no valid KEY block before it");
  } else {
    Status signature = VerifyBatchSignature(block.body, epoch->second.public_key);
    if (!signature.ok()) Report(&*batch, signature.message());
    CheckSeal(*batch, block.body, epoch->second);
  }

  const bool gap = (block.flags & kFlagGap) != 0;
  const std::uint64_t next = state.last_seq + 1;
  if (batch->first_seq < next) {
    Report(&*batch, "the batch's numbers were used before");
  } else if ((batch->first_seq > next) != gap) {
    Report(&*batch, gap ? "flagged GAP, but no number is missing"
                        : "numbers before the batch are missing, without a GAP flag");
  }
  if (!gap && batch->stream_prev != state.head_hash) {
    Report(&*batch, "stream_prev is not the hash of the stream's batch before");
  }
  if (batch->first_seq > next) state.gaps += batch->first_seq - next;
  state.last_seq = std::max(state.last_seq, batch->last_seq());
  state.head_hash = LeafHash(block.body);
  state.last_block = tree_.size();
  state.records += batch->record_count;
}

void Auditor::CheckSeal(const BatchHeader& batch, std::string_view bytes, Epoch& epoch) {
  if (!epoch.seal_key.has_value()) return;
  if (batch.seal_index < epoch.seal_index)
    return Report(&batch, "the seal's index falls within its epoch");
  if (batch.seal_index - epoch.seal_index > kMaxSealSkip)
    return Report(&batch, "the seal's index jumps too far");
  Hash key = SealKeyAt(epoch.seal_key->view(), epoch.seal_index, batch.seal_index);
  epoch.seal_key = key;  // batches that were sealed together share it
  epoch.seal_index = batch.seal_index;
  if (Status seal = VerifyBatchSeal(bytes, key.view()); !seal.ok())
    return Report(&batch, seal.message());
  ++seals_checked_;
}

void Auditor::CheckSeen(const BatchHeader& batch) {
  if (batch.seen_size == 0 || claims_.size() >= kMaxClaims) return;
  const std::optional<Hash> root = roots_.At(batch.seen_size);
  const bool ahead = batch.seen_size > tree_.size();
  if (!ahead && (!root.has_value() || *root == batch.seen_root)) return;
  if (SawLostHistory(batch.seen_size)) return;
  claims_.push_back(Describe(tree_.size(), &batch,
                             "the host says it saw a checkpoint of size " +
                                 std::to_string(batch.seen_size) +
                                 (ahead ? ", which the vault had not reached"
                                        : " with another root: " + batch.seen_root.Hex())));
}

// What was sealed before a rollback that an administrator accepted, and is sent again after it.
bool Auditor::SawLostHistory(std::uint64_t seen_size) const {
  if (!governance_.has_value()) return false;
  for (const Governance::Rollback& rollback : governance_->rollbacks()) {
    if (rollback.block < tree_.size() && seen_size > rollback.accepted.restored.size &&
        seen_size <= rollback.accepted.lost.size) {
      return true;
    }
  }
  return false;
}

Status Auditor::GiveSealKey(std::string_view host, std::uint64_t epoch, std::string_view k0) {
  auto found = epochs_.find({std::string(host), epoch});
  if (found == epochs_.end())
    return NotFound("no KEY block registers epoch " + std::to_string(epoch));
  Result<Hash> key = Hash::FromBytes(k0);
  if (!key.ok()) return key.status();
  if (Sha256(k0) != found->second.k0_hash) {
    return Corruption("the seal key stored for epoch " + std::to_string(epoch) +
                      " is not the one in its KEY block");
  }
  if (!found->second.seal_key.has_value()) found->second.seal_key = *key;
  return Status::Ok();
}

std::shared_ptr<const Dictionaries> Auditor::dictionaries() const {
  return governance_.has_value() ? governance_->dictionaries() : std::make_shared<Dictionaries>();
}

Result<Payload> Auditor::CheckPayload(std::uint64_t block, const BatchHeader& batch,
                                      std::string_view frame, const Dictionaries& dictionaries) {
  Result<Payload> payload = OpenPayload(batch, frame, dictionaries);
  if (!payload.ok()) return payload;
  const std::uint32_t named = DictionaryOf(frame);
  if (named == 0 || dictionaries.HasBefore(named, block)) return payload;
  return Corruption("the payload is compressed with dictionary " + std::to_string(named) +
                    ", which came later");
}

}  // namespace logvault::evidence
