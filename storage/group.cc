#include "storage/group.h"

#include <algorithm>
#include <utility>

#include "evidence/bodies.h"
#include "evidence/seal.h"
#include "storage/day_use.h"
#include "storage/notices.h"
#include "storage/silence.h"
#include "storage/tables.h"

namespace logvault::storage {
namespace {

using evidence::BlockKind;

// The span of time that a batch is known to cover: event times, and read times where no record
// states one.
void Extend(StreamProgress& progress, const evidence::BatchHeader& header) {
  const bool timed = header.event_time_min != kNoTime;
  const UnixNanos first = timed ? header.event_time_min : header.read_time_first;
  const UnixNanos last = timed ? header.event_time_max : header.read_time_last;
  progress.first_time =
      progress.first_time == kNoTime ? first : std::min(progress.first_time, first);
  progress.last_time = std::max(progress.last_time, last);
  progress.last_read_time = std::max(progress.last_read_time, header.read_time_last);
}

Status CheckForm(const Entry& entry) {
  if (entry.body.size() > evidence::kMaxBlockBodySize) {
    return InvalidArgument("a body of " + std::to_string(entry.body.size()) + " bytes, at most " +
                           std::to_string(evidence::kMaxBlockBodySize) + " fit a block");
  }
  const bool records = entry.kind == BlockKind::kRecords;
  if (records == entry.payload.empty()) {
    return InvalidArgument(records ? "a batch without its payload"
                                   : "a payload with a block that is no batch");
  }
  return Status::Ok();
}

}  // namespace

Group::Group(Tables& tables, const Reader& reader, const evidence::Governance& governance,
             Chain start, UnixNanos now, std::uint16_t clock_flag)
    : tables_(tables),
      reader_(reader),
      governance_(governance),
      now_(now),
      clock_flag_(clock_flag),
      on_node_([this](std::uint32_t level, std::uint64_t index, const evidence::Hash& hash) {
        tiles_.OnNode(level, index, hash);
      }),
      chain_(std::move(start)) {}

Status Group::Add(const Entry& entry) {
  LV_RETURN_IF_ERROR(CheckForm(entry));
  switch (entry.kind) {
    case BlockKind::kGenesis:
      return InvalidArgument("GENESIS is written when a vault is made, and never again");
    case BlockKind::kStream:
      return AddStream(entry);
    case BlockKind::kKey:
      return evidence::IsDirective(entry.body) ? AddGoverning(entry) : AddKey(entry);
    case BlockKind::kRecords:
      return AddRecords(entry);
    case BlockKind::kSilence:
      return AddSilence(entry);
    case BlockKind::kRetention:
    case BlockKind::kRetentionDone:
    case BlockKind::kHold:
    case BlockKind::kConfig:
      return AddGoverning(entry);
    case BlockKind::kAlert:
      if (evidence::IsDirective(entry.body)) return AddGoverning(entry);
      break;
    case BlockKind::kAccess:
    case BlockKind::kAccessEnd:
    case BlockKind::kIndex:
    case BlockKind::kConflict:
      break;  // statements, stored as they are
  }
  return AddStatement(entry);
}

Status Group::AddStatement(const Entry& entry) {
  Result<Block> block = AddBlock(entry.kind, entry.flags, entry.body);
  if (!block.ok()) return block.status();
  appended_.push_back({Outcome::kCommitted, block->index, std::move(block->bytes), 0});
  return Status::Ok();
}

Status Group::AddSilence(const Entry& entry) {
  Result<SilenceChange> change = ParseSilence(entry.body, chain_.tree.size());
  if (!change.ok()) return change.status();
  LV_RETURN_IF_ERROR(AddStatement(entry));
  for (const Silence& silence : change->hosts) {
    const std::string key = SilenceKey(silence.host);
    LV_RETURN_IF_ERROR(change->began ? Put(tables_.stream(), key, SerializeSilence(silence))
                                     : FromRocks(rows_.Delete(tables_.stream(), key)));
  }
  return Status::Ok();
}

// Judged as a verifier will judge it, so that no block is made that a verifier would not take.
Status Group::AddGoverning(const Entry& entry) {
  if (governing_.has_value()) return Aborted("another governing block is being committed");
  LV_RETURN_IF_ERROR(AddStatement(entry));
  Result<evidence::BlockHeader> block = evidence::BlockHeader::Parse(appended_.back().block_bytes);
  if (!block.ok()) return block.status();
  evidence::Governance after(governance_);
  LV_RETURN_IF_ERROR(after.Add(*block));
  if (block->kind == BlockKind::kAlert) LV_RETURN_IF_ERROR(CheckReviewed(*after.reviews().back()));
  governing_ = *std::move(block);
  return Put(tables_.stream(), GoverningKey(governing_->index), "");
}

// Of blocks that are committed: who reviews them has seen them.
Status Group::CheckReviewed(const evidence::AlertReview& review) const {
  for (const std::uint64_t index : review.alerts) {
    Result<evidence::BlockHeader> block = reader_.Block(index);
    if (block.status().code() == StatusCode::kNotFound)
      return InvalidArgument("there is no block " + std::to_string(index));
    if (!block.ok()) return block.status();
    if (!evidence::IsAlert(*block))
      return InvalidArgument("block " + std::to_string(index) + " is no alert: it is " +
                             std::string(ToString(block->kind)));
  }
  return Status::Ok();
}

Result<std::uint64_t> Group::AddOwn(BlockKind kind, std::string_view body) {
  Result<Block> block = AddBlock(kind, 0, body);
  if (!block.ok()) return block.status();
  return block->index;
}

Status Group::AddStream(const Entry& entry) {
  Result<evidence::StreamBody> body = evidence::StreamBody::Parse(entry.body);
  if (!body.ok()) return InvalidArgument(body.status().message());
  const evidence::Hash stream_id = evidence::StreamId(body->host, body->source);
  Result<Stream*> stream = Find(stream_id);
  if (!stream.ok()) return stream.status();
  if (*stream == nullptr) stream = &streams_[stream_id];

  Result<Block> block = AddBlock(entry.kind, entry.flags, entry.body);
  if (!block.ok()) return block.status();
  (*stream)->description = {body->host, body->source, body->format, body->descriptor, block->index};
  appended_.push_back({Outcome::kCommitted, block->index, std::move(block->bytes), 0});
  return Put(tables_.stream(), DescriptionKey(stream_id), (*stream)->description.Serialize());
}

// The epoch's first registration as this group sees it; nullptr where there is none.
Result<const Group::Registration*> Group::FindEpoch(const evidence::KeyBody& body) {
  const std::pair name(body.host, body.epoch);
  if (auto found = epochs_.find(name); found != epochs_.end()) return &found->second;
  Result<std::optional<EpochRecord>> record = reader_.Epoch(body.host, body.epoch);
  if (!record.ok()) return record.status();
  if (!record->has_value()) return static_cast<const Registration*>(nullptr);
  const std::uint64_t index = (*record)->key_block;
  Result<std::string> bytes = reader_.BlockBytes(index);
  if (!bytes.ok()) return bytes.status();
  Registration stored{**std::move(record), {Outcome::kCommitted, index, *std::move(bytes), 0}};
  return &epochs_.emplace(name, std::move(stored)).first->second;
}

Status Group::AddKey(const Entry& entry) {
  Result<evidence::KeyBody> body = evidence::KeyBody::Parse(entry.body);
  if (!body.ok()) return InvalidArgument(body.status().message());
  if (evidence::Sha256(entry.seal_key) != body->k0_hash) {
    return InvalidArgument("the seal key is not the one whose hash is in the KEY block");
  }
  Result<const Registration*> known = FindEpoch(*body);
  if (!known.ok()) return known.status();
  if (*known == nullptr) return CommitEpoch(entry, *body);
  const EpochRecord& record = (*known)->record;
  if (record.public_key != body->epoch_public_key || record.k0_hash != body->k0_hash) {
    return AddConflict(EpochConflictNotice(body->host, body->epoch, entry.body), 0);
  }
  appended_.push_back((*known)->appended);
  appended_.back().outcome = Outcome::kRepeated;
  return Status::Ok();
}

Status Group::CommitEpoch(const Entry& entry, const evidence::KeyBody& body) {
  Result<Block> block = AddBlock(entry.kind, entry.flags, entry.body);
  if (!block.ok()) return block.status();
  EpochRecord record{body.epoch, block->index, block->commit_time, body.epoch_public_key,
                     body.k0_hash};
  LV_RETURN_IF_ERROR(
      Put(tables_.stream(), EpochKey(body.host, body.epoch), SerializeEpochRecord(record)));
  LV_RETURN_IF_ERROR(Put(tables_.secret(), SealKeyKey(body.host, body.epoch), entry.seal_key));
  appended_.push_back({Outcome::kCommitted, block->index, std::move(block->bytes), 0});
  epochs_.emplace(std::pair(body.host, body.epoch),
                  Registration{std::move(record), appended_.back()});
  return Status::Ok();
}

Status Group::AddRecords(const Entry& entry) {
  Result<evidence::BatchHeader> header = evidence::BatchHeader::Parse(entry.body);
  if (!header.ok()) return InvalidArgument(header.status().message());
  Result<Stream*> found = Find(header->stream_id);
  if (!found.ok()) return found.status();
  if (*found == nullptr) {
    return FailedPrecondition("no STREAM block announced stream " + header->stream_id.Hex());
  }
  Stream& stream = **found;
  const evidence::Hash header_hash = evidence::LeafHash(entry.body);
  const std::uint64_t next = stream.progress.last_seq + 1;
  if (header->first_seq > next ||
      (header->first_seq == next && header->stream_prev == stream.progress.head_hash)) {
    return CommitBatch(entry, *header, header_hash, stream);
  }
  Result<std::optional<Appended>> repeated = FindRepeated(*header, header_hash, stream);
  if (!repeated.ok()) return repeated.status();
  if (repeated->has_value()) {
    appended_.push_back(**std::move(repeated));
    return Status::Ok();
  }
  return AddConflict(
      ConflictNotice(stream.description.host, stream.description.source, *header, entry.body),
      stream.progress.last_seq);
}

Status Group::CommitBatch(const Entry& entry, const evidence::BatchHeader& header,
                          const evidence::Hash& header_hash, Stream& stream) {
  const std::uint64_t next = stream.progress.last_seq + 1;
  const bool gap = header.first_seq > next;
  const auto flags = static_cast<std::uint16_t>((entry.flags & ~evidence::kFlagGap) |
                                                (gap ? evidence::kFlagGap : 0));
  Result<Block> block = AddBlock(entry.kind, flags, entry.body);
  if (!block.ok()) return block.status();
  LV_RETURN_IF_ERROR(AddPayload(*block, stream.description, entry.payload));
  LV_RETURN_IF_ERROR(
      Count(stream.description.host, block->commit_time, entry.body.size() + entry.payload.size()));
  LV_RETURN_IF_ERROR(Put(tables_.stream(), SequenceKey(header.stream_id, header.first_seq),
                         BatchPlace{block->index, header.record_count}.Serialize()));
  for (const evidence::PositionEntry& position : entry.position) {
    const std::string key = PositionKey(header.stream_id, position.key);
    if (!position.value.empty()) {
      LV_RETURN_IF_ERROR(Put(tables_.stream(), key, position.value));
    } else {
      LV_RETURN_IF_ERROR(FromRocks(rows_.Delete(tables_.stream(), key)));
    }
  }
  StreamProgress& progress = stream.progress;
  progress.missing_records += header.first_seq - next;
  progress.last_seq = header.last_seq();
  progress.head_hash = header_hash;
  progress.last_block = block->index;
  progress.records += header.record_count;
  progress.batches += 1;
  progress.last_commit_time = block->commit_time;
  Extend(progress, header);
  stream.progressed = true;

  appended_.push_back(
      {Outcome::kCommitted, block->index, std::move(block->bytes), progress.last_seq});
  stream.batches[header.first_seq] = {header_hash, appended_.back()};
  if (!gap) return Status::Ok();
  return AddOwn(BlockKind::kAlert, GapNotice(stream.description.host, stream.description.source,
                                             next, header.first_seq - 1, block->index))
      .status();
}

Status Group::Count(const std::string& host, UnixNanos commit_time, std::uint64_t bytes) {
  auto use = uses_.find(host);
  if (use == uses_.end()) {
    use = uses_.emplace(host, DayUse{host, 0, 0}).first;
    const std::string key = DayUseKey(host);
    Result<std::string> row = tables_.Get(tables_.stream(), key);
    if (!row.ok() && row.status().code() != StatusCode::kNotFound) return row.status();
    Result<DayUse> stored = row.ok() ? ParseDayUseRow(key, *row) : Result<DayUse>(use->second);
    if (!stored.ok()) return stored.status();
    use->second = *std::move(stored);
  }
  if (use->second.day != DayOf(commit_time)) use->second = {host, DayOf(commit_time), 0};
  use->second.bytes += bytes;
  return Status::Ok();
}

Status Group::AddPayload(const Block& block, const StreamDescription& stream,
                         std::string_view payload) {
  const std::string retention_class =
      RetentionClass(governance_.KeepFor(stream.host, stream.source));
  Result<rocksdb::ColumnFamilyHandle*> family =
      tables_.PayloadFamilyFor(retention_class, block.commit_time);
  if (!family.ok()) return family.status();
  return Put(*family, NumberKey(block.index), payload);
}

Result<std::optional<Appended>> Group::FindRepeated(const evidence::BatchHeader& header,
                                                    const evidence::Hash& header_hash,
                                                    Stream& stream) {
  auto batch = stream.batches.find(header.first_seq);
  if (batch == stream.batches.end()) {
    Result<std::optional<std::uint64_t>> index = reader_.Locate(header.stream_id, header.first_seq);
    if (!index.ok()) return index.status();
    if (!index->has_value()) return std::optional<Appended>();
    Result<std::string> bytes = reader_.BlockBytes(**index);
    if (!bytes.ok()) return bytes.status();
    Result<evidence::BlockHeader> block = evidence::BlockHeader::Parse(*bytes);
    if (!block.ok()) return block.status();
    Batch stored{evidence::LeafHash(block->body), {Outcome::kCommitted, **index, *bytes, 0}};
    if (stored.header_hash != header_hash) return std::optional<Appended>();
    batch = stream.batches.emplace(header.first_seq, std::move(stored)).first;
  }
  if (batch->second.header_hash != header_hash) return std::optional<Appended>();
  Appended repeated = batch->second.appended;
  repeated.outcome = Outcome::kRepeated;
  repeated.stream_last_seq = stream.progress.last_seq;
  return std::optional<Appended>(std::move(repeated));
}

Status Group::AddConflict(std::string_view body, std::uint64_t stream_last_seq) {
  Result<Block> block = AddBlock(BlockKind::kConflict, 0, body);
  if (!block.ok()) return block.status();
  appended_.push_back({Outcome::kConflict, block->index, std::move(block->bytes), stream_last_seq});
  return Status::Ok();
}

Result<Group::Stream*> Group::Find(const evidence::Hash& stream_id) {
  if (auto found = streams_.find(stream_id); found != streams_.end()) return &found->second;
  Result<std::optional<StreamHead>> head = reader_.Stream(stream_id);
  if (!head.ok()) return head.status();
  if (!head->has_value()) return static_cast<Stream*>(nullptr);
  Stream stream;
  stream.description = DescriptionOf(**head);
  stream.progress = ProgressOf(**head);
  return &streams_.emplace(stream_id, std::move(stream)).first->second;
}

Result<Group::Block> Group::AddBlock(BlockKind kind, std::uint16_t flags, std::string_view body) {
  if (body.size() > evidence::kMaxBlockBodySize) {
    return Internal("a body of the vault's own does not fit a block");
  }
  evidence::BlockHeader header;
  header.index = chain_.tree.size();
  header.prev = chain_.prev;
  header.commit_time = std::max(now_, chain_.commit_time + 1);
  header.kind = kind;
  header.flags = static_cast<std::uint16_t>(flags | clock_flag_);
  header.body = body;
  Block block{header.index, header.commit_time, header.Serialize()};
  LV_RETURN_IF_ERROR(Put(tables_.block(), NumberKey(block.index), block.bytes));
  chain_.prev = evidence::LeafHash(block.bytes);
  chain_.commit_time = block.commit_time;
  chain_.tree.Append(chain_.prev, on_node_);
  adds_blocks_ = true;
  return block;
}

Status Group::Finish() {
  for (const TilePieces::Piece& piece : tiles_.pieces()) {
    LV_RETURN_IF_ERROR(Put(tables_.tile(), piece.key.Serialize(), piece.hashes));
  }
  for (const auto& [stream_id, stream] : streams_) {
    if (!stream.progressed) continue;
    LV_RETURN_IF_ERROR(Put(tables_.stream(), ProgressKey(stream_id), stream.progress.Serialize()));
  }
  for (const auto& [host, use] : uses_)
    LV_RETURN_IF_ERROR(Put(tables_.stream(), DayUseKey(host), SerializeDayUse(use)));
  return Status::Ok();
}

Status Group::Put(rocksdb::ColumnFamilyHandle* family, std::string_view key,
                  std::string_view value) {
  return FromRocks(rows_.Put(family, ToSlice(key), ToSlice(value)));
}

}  // namespace logvault::storage
