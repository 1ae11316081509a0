#include "storage/verify_pass.h"

#include <algorithm>
#include <thread>

#include "storage/keys.h"
#include "storage/retention.h"
#include "storage/tables.h"

namespace logvault::storage {
namespace {

using evidence::BlockKind;

constexpr std::size_t kPayloadBytesInFlight = 32u << 20;
constexpr unsigned kThreadsMax = 8;
constexpr std::uint64_t kBlocksPerProgress = 1024;

}  // namespace

VerifyPass::VerifyPass(const Tables& tables, const VerifyOptions& options,
                       evidence::VerifierKey key, std::vector<Witness> witnesses,
                       Findings& findings, Damage& damage)
    : tables_(tables),
      options_(options),
      key_(std::move(key)),
      witnesses_(std::move(witnesses)),
      findings_(findings),
      damage_(damage),
      auditor_(options.certificate_check,
               [this](evidence::Finding finding) {
                 if (!missing_reason_.empty()) finding.reason = missing_reason_;
                 findings_.Add(std::move(finding));
               }),
      tree_(tables, findings),
      streams_(tables, findings),
      blocks_(tables.Scan(tables.block())),
      checkpoints_(tables.Scan(tables.checkpoint())),
      pool_(std::min(std::thread::hardware_concurrency(), kThreadsMax), kPayloadBytesInFlight) {
  for (rocksdb::ColumnFamilyHandle* family : tables.PayloadFamilies()) {
    payloads_.push_back(
        {family, family->GetName(), std::make_unique<NumberCursor>(tables.Scan(family))});
  }
}

void VerifyPass::Run(VerifyReport& report) {
  const std::uint64_t end = FindEnd(report);
  if (end == 0) return;  // said by FindEnd: there is nothing to hold the rows against
  ForeseeGoverning(end);
  for (std::uint64_t index = 0; index < end; ++index) {
    CheckCheckpoint(index);
    CheckWitnesses(index);
    CheckBlock(index);
    if (options_.on_progress && index % kBlocksPerProgress == 0) options_.on_progress(index, end);
  }
  CheckCheckpoint(end);
  CheckWitnesses(end);
  Finish(end);
  if (options_.on_progress) options_.on_progress(end, end);
  report.blocks = stored_blocks_;
  report.records = auditor_.records();
  report.payload_bytes = payload_bytes_;
  report.seals_checked = auditor_.seals_checked();
  report.deleted_payloads = deleted_payloads_;
  report.claims = auditor_.claims();
}

// How many blocks there must be: what the newest checkpoint says, of the vault's own and of the
// witnesses'.
std::uint64_t VerifyPass::FindEnd(VerifyReport& report) {
  std::uint64_t end = 0;
  const std::unique_ptr<rocksdb::Iterator> rows = tables_.Seek(tables_.checkpoint());
  rows->SeekToLast();
  for (bool is_last = true; rows->Valid(); rows->Prev(), is_last = false) {
    Result<evidence::Checkpoint> checkpoint = evidence::OpenCheckpoint(ToView(rows->value()), key_);
    if (!checkpoint.ok()) continue;  // CheckCheckpoint reports it
    end = checkpoint->size;
    if (is_last) newest_stored_ = end;
    report.note = ToView(rows->value());
    break;
  }
  if (report.note.empty()) {
    findings_.Add(0, "no stored checkpoint is signed by " + key_.ToString() +
                         (witnesses_.empty() ? ": nothing else can be checked" : ""));
  }
  for (const Witness& witness : witnesses_) end = std::max(end, witness.checkpoint.size);
  return end;
}

// A governing block that cannot be read is a finding when its turn comes.
void VerifyPass::ForeseeGoverning(std::uint64_t end) {
  std::map<std::uint64_t, std::string> blocks;
  const Status read =
      ForEachGoverning(tables_, end, [&blocks](std::uint64_t index, Result<std::string> bytes) {
        if (bytes.ok()) blocks.emplace(index, *std::move(bytes));
        return Status::Ok();
      });
  if (!read.ok()) findings_.Add(0, "the list of governing blocks " + Unreadable(read));
  auditor_.ForeseeGoverning(blocks);
}

std::string VerifyPass::Unreadable(const Status& status) {
  damage_.AddFrom(status.message());
  return "cannot be read: " + status.message();
}

void VerifyPass::CheckBlock(std::uint64_t index) {
  const auto passed = [this](std::uint64_t number) {
    findings_.Add(number, "a block's row out of place");
  };
  switch (blocks_.MoveTo(index, passed)) {
    case NumberCursor::Found::kRow:
      AddBlock(index, blocks_.value());
      return;
    case NumberCursor::Found::kNothing: {
      // RocksDB 7.8.3's iterator may pass over a damaged table in silence: only a lookup knows.
      Result<std::string> bytes = tables_.Get(tables_.block(), NumberKey(index));
      if (bytes.ok()) return AddBlock(index, *bytes);
      missing_reason_ = bytes.status().code() == StatusCode::kNotFound
                            ? "the block is missing"
                            : "the block " + Unreadable(bytes.status());
      break;
    }
    case NumberCursor::Found::kUnreadable:
      missing_reason_ = "the block " + Unreadable(blocks_.status());
      break;
  }
  auditor_.AddMissingBlock();
  missing_reason_.clear();
  tree_.AddLeaf(std::nullopt);
  PassPayloadsOf(index);
}

void VerifyPass::AddBlock(std::uint64_t index, std::string_view bytes) {
  ++stored_blocks_;
  stored_end_ = index + 1;
  auditor_.AddBlock(bytes);
  tree_.AddLeaf(evidence::LeafHash(bytes));
  Result<evidence::BlockHeader> block = evidence::BlockHeader::Parse(bytes);
  if (!block.ok()) return PassPayloadsOf(index);  // the auditor reports it
  block->index = index;
  if (block->kind == BlockKind::kRecords) return AddRecordsBlock(*block);
  if (block->kind == BlockKind::kKey) return AddKeyBlock(*block);
  if (block->kind == BlockKind::kSilence) return streams_.AddSilence(*block);
  if (block->kind != BlockKind::kStream) return;
  Result<evidence::StreamBody> body = evidence::StreamBody::Parse(block->body);
  if (body.ok()) streams_.AddStream(*block, *body);
}

void VerifyPass::AddKeyBlock(const evidence::BlockHeader& block) {
  Result<evidence::KeyBody> body = evidence::KeyBody::Parse(block.body);
  if (!body.ok()) return;
  streams_.AddKey(block, *body);
  Result<std::string> k0 = tables_.Get(tables_.secret(), SealKeyKey(body->host, body->epoch));
  Status status = k0.ok() ? auditor_.GiveSealKey(body->host, body->epoch, *k0) : k0.status();
  if (status.ok()) return;
  evidence::Finding finding;
  finding.block = block.index;
  finding.host = body->host;
  finding.reason = "the seals of epoch " + std::to_string(body->epoch) +
                   " cannot be checked: " + status.message();
  findings_.Add(std::move(finding));
}

void VerifyPass::AddRecordsBlock(const evidence::BlockHeader& block) {
  Result<evidence::BatchHeader> batch = evidence::BatchHeader::Parse(block.body);
  if (!batch.ok()) return PassPayloadsOf(block.index);
  streams_.AddRecords(block, *batch);
  CheckPayloadOf(block, *batch);
}

void VerifyPass::CheckPayloadOf(const evidence::BlockHeader& block,
                                const evidence::BatchHeader& batch) {
  std::string reason = "the payload is missing";
  bool found = false;
  for (const PayloadFamily& family : payloads_) {
    const auto orphan = [this](std::uint64_t number) {
      findings_.Add(number, "a payload is stored for a block that is no batch");
    };
    const NumberCursor::Found row = family.rows->MoveTo(block.index, orphan);
    Result<std::string> unchecked = NotFound("");
    const bool its_month = family.name.ends_with("." + MonthOf(block.commit_time));
    if (row == NumberCursor::Found::kUnreadable ||
        (row == NumberCursor::Found::kNothing && its_month)) {
      unchecked = LookUpPayload(family, block.index, reason);
    }
    if (row != NumberCursor::Found::kRow && !unchecked.ok()) continue;
    if (found || !its_month) {
      findings_.Add(auditor_.Describe(block.index, &batch, "its payload lies in " + family.name));
    }
    found = true;
    CheckLater(block.index, batch, unchecked.ok() ? *unchecked : family.rows->value());
  }
  if (found) return;
  if (auditor_.DeletedBy(batch, block.commit_time).has_value()) {
    ++deleted_payloads_;
  } else {
    findings_.Add(auditor_.Describe(block.index, &batch, reason));
  }
}

// A payload that the pass over its family did not meet.  An iterator may pass over a damaged table in
// silence, and RocksDB's checksum covers many payloads: a lookup without it finds the frame, and the
// frame's own hash tells whether it is the one that was altered.
Result<std::string> VerifyPass::LookUpPayload(const PayloadFamily& family, std::uint64_t block,
                                              std::string& reason) {
  Result<std::string> checked = tables_.Get(family.handle, NumberKey(block));
  if (checked.ok() || checked.status().code() == StatusCode::kNotFound) return checked;
  reason = "the payload " + Unreadable(checked.status());
  return tables_.GetUnchecked(family.handle, NumberKey(block));
}

void VerifyPass::CheckLater(std::uint64_t block, const evidence::BatchHeader& batch,
                            std::string_view frame) {
  payload_bytes_ += frame.size();
  // Host and source are named now: the auditor is not for several threads.
  pool_.Add(frame.size(),
            [this, block, batch, frame = std::string(frame), dictionaries = auditor_.dictionaries(),
             finding = auditor_.Describe(block, &batch, "")]() mutable {
              const Status status =
                  evidence::Auditor::CheckPayload(block, batch, frame, *dictionaries).status();
              if (status.ok()) return;
              finding.reason = status.message();
              findings_.Add(std::move(finding));
            });
}

// A block that cannot be read may well have a payload: that is no orphan.
void VerifyPass::PassPayloadsOf(std::uint64_t index) {
  for (const PayloadFamily& family : payloads_) {
    static_cast<void>(family.rows->MoveTo(index, [this](std::uint64_t number) {
      findings_.Add(number, "a payload is stored for a block that is no batch");
    }));
  }
}

void VerifyPass::CheckCheckpoint(std::uint64_t size) {
  const auto passed = [this](std::uint64_t number) {
    findings_.Add(number, "a checkpoint's row out of place");
  };
  const NumberCursor::Found found = checkpoints_.MoveTo(size, passed);
  if (found == NumberCursor::Found::kNothing) return;
  const std::uint64_t block = size == 0 ? 0 : size - 1;
  const std::string name = "the stored checkpoint of size " + std::to_string(size);
  if (found == NumberCursor::Found::kUnreadable) {
    damage_.AddFrom(checkpoints_.status().message());
    return;  // Finish reports it once for the family
  }
  Result<evidence::Checkpoint> checkpoint = evidence::OpenCheckpoint(checkpoints_.value(), key_);
  if (!checkpoint.ok()) {
    return findings_.Add(block, name + ": " + checkpoint.status().message());
  }
  if (checkpoint->size != size || size == 0) {
    return findings_.Add(block, name + " is one of " + std::to_string(checkpoint->size));
  }
  tree_.Check(checkpoint->root, name);
}

void VerifyPass::CheckWitnesses(std::uint64_t size) {
  for (const Witness& witness : witnesses_) {
    if (witness.checkpoint.size != size || tree_.Matches(witness.checkpoint.root)) continue;
    findings_.Add(size == 0 ? 0 : size - 1, "the vault's first " + std::to_string(size) +
                                                " blocks are not the ones that " + witness.what +
                                                " has seen");
  }
}

void VerifyPass::Finish(std::uint64_t end) {
  if (newest_stored_ && stored_end_ > *newest_stored_) {
    findings_.Add(*newest_stored_, "the newest stored checkpoint ends before this block");
  }
  blocks_.Finish([this](std::uint64_t number) {
    findings_.Add(number, "a block is stored beyond the newest checkpoint");
  });
  checkpoints_.Finish([this, end](std::uint64_t number) {
    findings_.Add(end, "a checkpoint is stored for size " + std::to_string(number) +
                           ", which no valid one reaches");
  });
  for (const PayloadFamily& family : payloads_) {
    family.rows->Finish([this](std::uint64_t number) {
      findings_.Add(number, "a payload is stored for a block that is no batch");
    });
  }
  tree_.Finish();
  streams_.Finish();
  pool_.Wait();
  CheckOtherFamilies();
}

// Every row of the small families is read once, so that a damaged file among them shows too.
void VerifyPass::CheckOtherFamilies() {
  for (rocksdb::ColumnFamilyHandle* family : tables_.SmallFamilies()) {
    const std::unique_ptr<rocksdb::Iterator> rows = tables_.Scan(family);
    for (rows->SeekToFirst(); rows->Valid(); rows->Next()) {
    }
    if (rows->status().ok()) continue;
    findings_.Add(0,
                  "the family " + family->GetName() + " " + Unreadable(FromRocks(rows->status())));
  }
}

}  // namespace logvault::storage
