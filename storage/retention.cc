#include "storage/retention.h"

#include <rocksdb/write_batch.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "common/crash_point.h"
#include "evidence/batch.h"
#include "evidence/block.h"
#include "storage/keys.h"
#include "storage/tables.h"

namespace logvault::storage {
namespace {

using evidence::Deletable;
using evidence::Governance;

constexpr std::uint64_t kPayloadsPerWrite = 1000;

// A batch as its block has it.
struct StoredBatch {
  std::uint64_t first_seq = 0;
  std::uint64_t block = 0;
  Deletable deletable;
};

// What is deleted of one payload family, from the least block to the greatest.
struct DeletedRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};

// One stream's batches, oldest first, from the first that may not be deleted yet.
class OldBatches {
 public:
  OldBatches(const Tables& tables, std::string_view host, std::string_view source)
      : tables_(tables),
        host_(host),
        source_(source),
        stream_id_(evidence::StreamId(host, source)),
        rows_(tables.Seek(tables.stream())) {}

  // Calls `visit` with each batch committed before `before` that is not the stream's newest and not deleted; an error of
  // `visit` ends it.
  Status ForEach(UnixNanos before, const std::function<Status(const StoredBatch&)>& visit);
  [[nodiscard]] const evidence::Hash& stream_id() const { return stream_id_; }

 private:
  Result<StoredBatch> Read(std::string_view key, std::string_view value) const;

  const Tables& tables_;
  const std::string_view host_, source_;
  const evidence::Hash stream_id_;
  const std::unique_ptr<rocksdb::Iterator> rows_;
};

Status OldBatches::ForEach(UnixNanos before,
                           const std::function<Status(const StoredBatch&)>& visit) {
  Result<std::string> progress_row = tables_.Get(tables_.stream(), ProgressKey(stream_id_));
  if (progress_row.status().code() == StatusCode::kNotFound) return Status::Ok();
  if (!progress_row.ok()) return progress_row.status();
  Result<StreamProgress> progress = StreamProgress::Parse(*progress_row);
  if (!progress.ok()) return progress.status();
  std::uint64_t from = 0;
  if (Result<std::string> kept = tables_.Get(tables_.stream(), KeptFromKey(stream_id_));
      kept.ok()) {
    Result<std::uint64_t> number = ParseNumberKey(*kept);
    if (number.ok()) from = *number;
  }
  const std::string prefix = SequenceKey(stream_id_, 0).substr(0, 1 + evidence::kHashSize);
  for (rows_->Seek(SequenceKey(stream_id_, from)); rows_->Valid(); rows_->Next()) {
    const std::string_view key = ToView(rows_->key());
    if (!key.starts_with(prefix)) break;
    Result<StoredBatch> batch = Read(key.substr(prefix.size()), ToView(rows_->value()));
    if (!batch.ok()) return batch.status();
    if (batch->deletable.commit_time >= before || batch->block == progress->last_block) break;
    const Status deleted = tables_.Get(tables_.stream(), DeletedKey(batch->block)).status();
    if (deleted.ok()) continue;
    if (deleted.code() != StatusCode::kNotFound) return deleted;
    LV_RETURN_IF_ERROR(visit(*batch));
  }
  return FromRocks(rows_->status());
}

Result<StoredBatch> OldBatches::Read(std::string_view key, std::string_view value) const {
  Result<std::uint64_t> first_seq = ParseNumberKey(key);
  if (!first_seq.ok()) return first_seq.status();
  Result<BatchPlace> place = BatchPlace::Parse(value);
  if (!place.ok()) return place.status();
  Result<std::string> bytes = tables_.Get(tables_.block(), NumberKey(place->block));
  if (!bytes.ok()) return bytes.status();
  Result<evidence::BlockHeader> block = evidence::BlockHeader::Parse(*bytes);
  if (!block.ok()) return block.status();
  Result<evidence::BatchHeader> batch = evidence::BatchHeader::Parse(block->body);
  if (!batch.ok()) return batch.status();
  return StoredBatch{*first_seq, place->block,
                     Deletable::Of(*batch, host_, source_, block->commit_time)};
}

// Deletes payloads and remembers where, so that their room can be freed.
class Deleter {
 public:
  Deleter(const Tables& tables, std::uint64_t retention) : tables_(tables), retention_(retention) {}

  Status Delete(const StoredBatch& batch);
  // `first_seq` is the first batch of the stream that is not deleted yet.
  Status KeepFrom(const evidence::Hash& stream_id, std::uint64_t first_seq);
  Status Write(bool sync);
  Status FreeRoom();

  [[nodiscard]] std::uint64_t payloads() const { return payloads_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  const Tables& tables_;
  const std::uint64_t retention_;
  rocksdb::WriteBatch rows_;
  std::uint64_t payloads_ = 0;
  std::uint64_t bytes_ = 0;
  std::map<rocksdb::ColumnFamilyHandle*, DeletedRange> ranges_;
};

Status Deleter::Delete(const StoredBatch& batch) {
  const std::string key = NumberKey(batch.block);
  for (rocksdb::ColumnFamilyHandle* family :
       tables_.PayloadFamiliesOf(batch.deletable.commit_time)) {
    Result<std::string> frame = tables_.GetUnchecked(family, key);
    if (!frame.ok()) continue;
    ++payloads_;
    bytes_ += frame->size();
    LV_RETURN_IF_ERROR(FromRocks(rows_.Delete(family, key)));
    DeletedRange& range =
        ranges_.try_emplace(family, DeletedRange{batch.block, batch.block}).first->second;
    range.first = std::min(range.first, batch.block);
    range.last = std::max(range.last, batch.block);
  }
  LV_RETURN_IF_ERROR(
      FromRocks(rows_.Put(tables_.stream(), DeletedKey(batch.block), NumberKey(retention_))));
  return payloads_ % kPayloadsPerWrite == 0 ? Write(false) : Status::Ok();
}

Status Deleter::KeepFrom(const evidence::Hash& stream_id, std::uint64_t first_seq) {
  return FromRocks(rows_.Put(tables_.stream(), KeptFromKey(stream_id), NumberKey(first_seq)));
}

Status Deleter::Write(bool sync) {
  rocksdb::WriteOptions options;
  options.sync = sync;
  LV_RETURN_IF_ERROR(FromRocks(tables_.db().Write(options, &rows_)));
  rows_.Clear();
  return Status::Ok();
}

Status Deleter::FreeRoom() {
  rocksdb::CompactRangeOptions options;
  options.exclusive_manual_compaction = false;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  for (const auto& [family, range] : ranges_) {
    const std::string first = NumberKey(range.first), last = NumberKey(range.last);
    const rocksdb::Slice begin = ToSlice(first), end = ToSlice(last);
    LV_RETURN_IF_ERROR(FromRocks(tables_.db().CompactRange(options, family, &begin, &end)));
  }
  return Status::Ok();
}

Status DeleteOf(const Tables& tables, const Governance& governance,
                const evidence::RetentionBody::Stream& stream, Deleter& deleter,
                const std::atomic<bool>& stop) {
  OldBatches batches(tables, stream.host, stream.source);
  bool all_gone = true;  // of those so far
  std::uint64_t gone_from = 0;
  LV_RETURN_IF_ERROR(batches.ForEach(stream.before, [&](const StoredBatch& batch) {
    if (stop) return Aborted("stopped in the middle of a deletion");
    // A hold that came after the RETENTION block protects too.
    const bool kept = !governance.DeletedBy(batch.deletable) || governance.HeldBy(batch.deletable);
    if (kept && all_gone) gone_from = batch.first_seq;
    if (kept) all_gone = false;
    if (all_gone) gone_from = batch.first_seq + 1;
    return kept ? Status::Ok() : deleter.Delete(batch);
  }));
  return gone_from == 0 ? Status::Ok() : deleter.KeepFrom(batches.stream_id(), gone_from);
}

// Whether anything of the stream goes by what is ordered at present.
Result<bool> AnyExpired(const Tables& tables, const Governance& governance,
                        const StreamDescription& stream, UnixNanos before) {
  OldBatches batches(tables, stream.host, stream.source);
  bool any = false;
  const Status status = batches.ForEach(before, [&](const StoredBatch& batch) {
    any = !governance.HeldBy(batch.deletable).has_value();
    return any ? Cancelled("found one") : Status::Ok();
  });
  if (any || status.ok()) return any;
  return status;
}

}  // namespace

Status ForEachGoverning(const Tables& tables, std::uint64_t end, const VisitGoverning& visit) {
  const std::string begin = GoverningKey(0);
  const std::unique_ptr<rocksdb::Iterator> rows = tables.Seek(tables.stream());
  for (rows->Seek(begin); rows->Valid(); rows->Next()) {
    const std::string_view key = ToView(rows->key());
    if (key.front() != begin.front()) break;
    Result<std::uint64_t> index = ParseNumberKey(key.substr(1));
    if (!index.ok()) return index.status().WithContext("governing blocks");
    if (*index >= end) break;
    LV_RETURN_IF_ERROR(visit(*index, tables.Get(tables.block(), NumberKey(*index))));
  }
  return FromRocks(rows->status()).WithContext("stream family");
}

Result<std::vector<evidence::RetentionBody>> FindExpired(const Tables& tables,
                                                         const Governance& governance,
                                                         UnixNanos now) {
  std::vector<evidence::RetentionBody> bodies;
  if (governance.rules().empty()) return bodies;
  const std::string begin = DescriptionKey(evidence::Hash{});
  const std::unique_ptr<rocksdb::Iterator> rows = tables.Seek(tables.stream());
  for (rows->Seek(begin); rows->Valid(); rows->Next()) {
    if (ToView(rows->key()).front() != begin.front()) break;
    Result<StreamDescription> stream = StreamDescription::Parse(ToView(rows->value()));
    if (!stream.ok()) return stream.status();
    const std::optional<std::uint64_t> keep = governance.KeepFor(stream->host, stream->source);
    if (!keep || *keep > static_cast<std::uint64_t>(now)) continue;
    const UnixNanos before = now - static_cast<UnixNanos>(*keep);
    Result<bool> any = AnyExpired(tables, governance, *stream, before);
    if (!any.ok()) return any.status();
    if (!*any) continue;
    if (bodies.empty() || bodies.back().streams.size() >= evidence::kMaxRetentionStreams) {
      bodies.push_back({governance.rules_block(), {}});
    }
    bodies.back().streams.push_back({stream->host, stream->source, before});
  }
  if (!rows->status().ok()) return FromRocks(rows->status());
  return bodies;
}

Result<evidence::RetentionDoneBody> DeleteExpired(const Tables& tables,
                                                  const Governance& governance,
                                                  std::uint64_t retention,
                                                  const std::atomic<bool>& stop) {
  const auto body = governance.unfinished().find(retention);
  if (body == governance.unfinished().end()) {
    return FailedPrecondition("block " + std::to_string(retention) +
                              " is no RETENTION that is still to be done");
  }
  Deleter deleter(tables, retention);
  for (const evidence::RetentionBody::Stream& stream : body->second.streams) {
    LV_RETURN_IF_ERROR(DeleteOf(tables, governance, stream, deleter, stop));
  }
  LV_CRASH_POINT("retention.delete");
  LV_RETURN_IF_ERROR(deleter.Write(true));
  LV_CRASH_POINT("retention.deleted");
  LV_RETURN_IF_ERROR(deleter.FreeRoom());
  return evidence::RetentionDoneBody{retention, deleter.payloads(), deleter.bytes()};
}

}  // namespace logvault::storage
