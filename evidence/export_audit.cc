#include "evidence/export_audit.h"

#include <algorithm>
#include <bit>
#include <tuple>
#include <variant>

#include "common/check.h"
#include "evidence/payload.h"

namespace logvault::evidence {
namespace {

// The body of the ALERT that the vault appends behind the batch in `block`: docs/FORMAT.md, "Block header".
std::string GapNotice(const ExportedStream& stream, std::uint64_t block) {
  const auto& [first, last] = stream.missing.back();
  return R"({"type":"gap","host":")" + stream.host + R"(","source":")" + stream.source +
         R"(","first_seq":)" + std::to_string(first) + ",\"last_seq\":" + std::to_string(last) +
         ",\"block\":" + std::to_string(block) + "}";
}

}  // namespace

std::vector<ExportedStream> SortedStreams(const std::map<Hash, ExportedStream>& streams) {
  std::vector<ExportedStream> sorted;
  sorted.reserve(streams.size());
  for (const auto& [id, stream] : streams) sorted.push_back(stream);
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return std::tie(a.host, a.source) < std::tie(b.host, b.source);
  });
  return sorted;
}

ExportAudit::ExportAudit(VerifierKey key, Checkpoint checkpoint, CertificateCheck certificate_check,
                         Auditor::OnFinding on_finding)
    : key_(std::move(key)),
      checkpoint_(std::move(checkpoint)),
      certificate_check_(std::move(certificate_check)),
      on_finding_(std::move(on_finding)),
      prev_(Hash{}) {}

void ExportAudit::Report(std::uint64_t block, const BatchHeader* batch, std::string reason) {
  Finding finding;
  finding.block = block;
  finding.reason = std::move(reason);
  if (batch != nullptr) {
    finding.first_seq = batch->first_seq;
    finding.last_seq = batch->last_seq();
    if (auto name = names_.find(batch->stream_id); name != names_.end())
      std::tie(finding.host, finding.source) = name->second;
  }
  on_finding_(finding);
}

Result<std::uint64_t> ExportAudit::AddLine(std::string_view text) {
  if (awaited_ > 0) return Corruption("records that a line before states are not there");
  Result<ExportLine> line = ParseExportLine(text);
  if (!line.ok()) return line.status();
  LV_RETURN_IF_ERROR(std::visit([this](const auto& known) { return Add(known); }, *line));
  return awaited_;
}

Status ExportAudit::Add(const PrunedLine& line) {
  if (batch_) return Corruption("the records of the block before are not all accounted for");
  if (!std::has_single_bit(line.count) || line.first != tree_.size() ||
      line.count > checkpoint_.size - tree_.size() ||
      !tree_.AppendSubtree(static_cast<std::uint32_t>(std::countr_zero(line.count)), line.hash)) {
    return Corruption("pruned blocks " + std::to_string(line.first) +
                      " and on are not the next of the tree");
  }
  CheckGapNotice(nullptr);
  prev_.reset();
  return Status::Ok();
}

Status ExportAudit::Add(const BlockLine& line) {
  if (batch_) return Corruption("the records of the block before are not all accounted for");
  if (line.index != tree_.size() || line.index >= checkpoint_.size)
    return Corruption("block " + std::to_string(line.index) + " is not the next of the tree");
  CheckBlock(line);
  const Hash leaf = LeafHash(line.bytes);
  tree_.Append(leaf);
  prev_ = leaf;
  if (line.contents && !batch_)
    return Corruption("block " + std::to_string(line.index) + " cannot have contents");
  return Status::Ok();
}

Status ExportAudit::CheckNext(std::uint64_t first_seq, std::uint64_t count) const {
  if (!batch_) return Corruption("records that belong to no block");
  const std::uint64_t done = batch_->records.size();
  if (first_seq != batch_->header.first_seq + done || count == 0 ||
      count > batch_->header.record_count - done) {
    return Corruption("record " + std::to_string(first_seq) + " is not the next of block " +
                      std::to_string(batch_->block));
  }
  return Status::Ok();
}

Status ExportAudit::Add(const WithheldLine& line) {
  LV_RETURN_IF_ERROR(CheckNext(line.first_seq, line.count));
  if (!std::has_single_bit(line.count) ||
      !batch_->records.AppendSubtree(static_cast<std::uint32_t>(std::countr_zero(line.count)),
                                     line.hash)) {
    return Corruption("withheld records " + std::to_string(line.first_seq) +
                      " and on are no node of their batch's tree");
  }
  RangeOf(batch_->header).withheld += line.count;
  CloseBatchIfWhole();
  return Status::Ok();
}

Status ExportAudit::Add(const RedactedLine& line) {
  LV_RETURN_IF_ERROR(CheckNext(line.seq, 1));
  batch_->records.Append(line.hash);
  ++RangeOf(batch_->header).redacted;
  CloseBatchIfWhole();
  return Status::Ok();
}

Status ExportAudit::Add(const ShownLine& line) {
  LV_RETURN_IF_ERROR(CheckNext(line.first_seq, line.count));
  awaited_ = line.count;
  return Status::Ok();
}

void ExportAudit::AddRecord(const RecordLine& record, std::string_view bytes) {
  LV_CHECK(awaited_ > 0 && batch_);
  --awaited_;
  const std::uint64_t seq = batch_->header.first_seq + batch_->records.size();
  ExportedStream& range = RangeOf(batch_->header);
  auto report = [&](std::string reason) {
    batch_->named = true;
    on_finding_({batch_->block, range.host, range.source, seq, seq, std::move(reason)});
  };
  if (record.host != range.host || record.source != range.source || record.seq != seq ||
      record.block != batch_->block) {
    report("records.jsonl has " + record.host + "/" + record.source + "/" +
           std::to_string(record.seq) + " of block " + std::to_string(record.block) +
           " in its place");
  }
  const Hash leaf = RecordLeaf(
      record.salt, seq, {record.event_time, record.read_time, record.flags, record.origin, bytes});
  if (leaf != record.leaf)
    report("its bytes, times, flags or origin are not those of its leaf hash");
  batch_->records.Append(leaf);
  ++range.shown;
  CloseBatchIfWhole();
}

void ExportAudit::CloseBatchIfWhole() {
  const OpenBatch& batch = *batch_;
  if (batch.records.size() < batch.header.record_count) return;
  if (batch.records.Root() != batch.header.records_root && !batch.named) {
    Report(batch.block, &batch.header, "its records do not lead to the root that its host signed");
  }
  batch_.reset();
}

void ExportAudit::CheckBlock(const BlockLine& line) {
  Result<BlockHeader> block = BlockHeader::Parse(line.bytes);
  CheckGapNotice(block.ok() ? &*block : nullptr);
  if (!block.ok()) return Report(line.index, nullptr, block.status().message());
  if (block->index != line.index)
    Report(line.index, nullptr, "the block states another index: " + std::to_string(block->index));
  if (prev_ && block->prev != *prev_)
    Report(line.index, nullptr, "prev is not the hash of the block before");
  if (block->commit_time <= last_commit_time_)
    Report(line.index, nullptr, "the commit time does not rise");
  last_commit_time_ = std::max(last_commit_time_, block->commit_time);
  if ((block->kind == BlockKind::kGenesis) != (line.index == 0))
    Report(line.index, nullptr, "GENESIS is block 0 and no other");
  if (block->kind == BlockKind::kGenesis) return CheckGenesis(*block);
  if (block->kind == BlockKind::kStream) return CheckStream(*block);
  if (block->kind == BlockKind::kKey) return CheckKey(*block);
  if (block->kind == BlockKind::kRecords) return CheckRecords(*block, line.contents);
  // The others are statements, bound by the tree.
  if (block->kind == BlockKind::kAccess) access_blocks_.push_back(line.index);
}

void ExportAudit::CheckGenesis(const BlockHeader& block) {
  Result<GenesisBody> body = GenesisBody::Parse(block.body);
  if (!body.ok()) return Report(block.index, nullptr, body.status().message());
  if (body->origin != key_.name || body->vault_public_key != key_.first_public_key())
    Report(block.index, nullptr, "GENESIS is of another vault: " + body->origin);
  genesis_ = *std::move(body);
}

void ExportAudit::CheckStream(const BlockHeader& block) {
  Result<StreamBody> body = StreamBody::Parse(block.body);
  if (!body.ok()) return Report(block.index, nullptr, body.status().message());
  names_[StreamId(body->host, body->source)] = {body->host, body->source};
}

void ExportAudit::CheckKey(const BlockHeader& block) {
  if (IsDirective(block.body))
    return;  // about the vault's key: vault.pub says what is to be known of it
  Result<KeyBody> body = KeyBody::Parse(block.body);
  if (!body.ok()) return Report(block.index, nullptr, body.status().message());
  auto report = [&](const std::string& reason) {
    on_finding_({block.index, body->host, "", 0, 0,
                 "KEY of epoch " + std::to_string(body->epoch) + ": " + reason});
  };
  if (!genesis_) return report("no GENESIS tells which CA is right");
  Result<std::string> key = certificate_check_(body->certificate_der, genesis_->ca_pem, "forwarder",
                                               body->host, block.commit_time);
  if (!key.ok()) return report(key.status().message());
  if (Status good = VerifyEd25519(*key, body->SignedBytes(), body->signature); !good.ok())
    return report(good.message());
  if (!epochs_.try_emplace({body->host, body->epoch}, body->epoch_public_key).second)
    return report("registered twice");
  keys_.push_back({block.index, body->host, body->epoch, body->certificate_der});
}

void ExportAudit::CheckRecords(const BlockHeader& block, bool contents) {
  Result<BatchHeader> batch = BatchHeader::Parse(block.body);
  if (!batch.ok()) return Report(block.index, nullptr, batch.status().message());
  auto name = names_.find(batch->stream_id);
  if (name == names_.end())
    return Report(block.index, &*batch, "the batch belongs to no stream that the export announces");
  ExportedStream& range = RangeOf(*batch);
  std::tie(range.host, range.source) = name->second;
  auto epoch = epochs_.find({range.host, batch->epoch});
  if (epoch == epochs_.end()) {
    Report(block.index, &*batch, "the batch's epoch has no valid KEY block before it");
  } else if (Status good = VerifyBatchSignature(block.body, epoch->second); !good.ok()) {
    Report(block.index, &*batch, good.message());
  }
  CheckNumbers(block, *batch, range);
  if (contents)
    batch_ = OpenBatch{block.index, block.commit_time, *std::move(batch), {}, false};
  else
    range.withheld += batch->record_count;
}

void ExportAudit::CheckNumbers(const BlockHeader& block, const BatchHeader& batch,
                               ExportedStream& range) {
  const bool gap = (block.flags & kFlagGap) != 0;
  if (range.first_seq == 0) {
    range.first_seq = batch.first_seq;  // where the export begins; what was before it is not in it
  } else {
    const std::uint64_t next = range.last_seq + 1;
    if (batch.first_seq < next) {
      Report(block.index, &batch, "the batch's numbers were used before");
    } else if (batch.first_seq > next && !gap) {
      Report(block.index, &batch,
             "batches are left out: " + std::to_string(next) + ".." +
                 std::to_string(batch.first_seq - 1));
    } else if (!gap && batch.stream_prev != heads_[batch.stream_id]) {
      Report(block.index, &batch, "stream_prev is not the hash of the stream's batch before");
    } else if (gap && batch.first_seq > next) {
      range.missing.emplace_back(next, batch.first_seq - 1);
      gap_notice_.emplace(GapNotice(range, block.index), batch);
    }
  }
  range.last_seq = std::max(range.last_seq, batch.last_seq());
  heads_[batch.stream_id] = LeafHash(block.body);
}

// A batch left out just before a gap would hide in it, had the vault not said in the very next block how wide it is.
void ExportAudit::CheckGapNotice(const BlockHeader* next) {
  if (!gap_notice_) return;
  const auto [notice, batch] = *std::exchange(gap_notice_, std::nullopt);
  if (next != nullptr && next->kind == BlockKind::kAlert && next->body == notice) return;
  Report(tree_.size() - 1, &batch,
         "the numbers missing before it are not those that the vault's ALERT behind it states");
}

void ExportAudit::Finish() {
  CheckGapNotice(nullptr);
  if (awaited_ > 0) Report(batch_->block, &batch_->header, "records of it are not there");
  if (batch_) Report(batch_->block, &batch_->header, "its records are not all accounted for");
  if (tree_.size() != checkpoint_.size) {
    return Report(tree_.size(), nullptr,
                  "blocks.jsonl ends here, and the checkpoint has " +
                      std::to_string(checkpoint_.size) + " blocks");
  }
  if (tree_.Root() != checkpoint_.root)
    Report(0, nullptr,
           "the blocks and hashes in blocks.jsonl do not lead to the checkpoint's root");
  if (!genesis_) Report(0, nullptr, "GENESIS is not there");
}

}  // namespace logvault::evidence
