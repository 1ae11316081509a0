#include "storage/stream_check.h"

#include <algorithm>
#include <utility>

#include "evidence/merkle.h"
#include "storage/tables.h"

namespace logvault::storage {

void StreamCheck::Report(const Stream* stream, std::uint64_t block, std::string reason) {
  evidence::Finding finding;
  finding.block = block;
  finding.reason = std::move(reason);
  if (stream != nullptr) {
    finding.host = stream->description.host;
    finding.source = stream->description.source;
  }
  findings_.Add(std::move(finding));
}

void StreamCheck::Compare(const std::string& key, const std::string& want, const Stream* stream,
                          std::uint64_t block, std::string_view what) {
  Result<std::string> stored = tables_.Get(tables_.stream(), key);
  if (!stored.ok()) {
    return Report(stream, block, std::string(what) + ": " + stored.status().message());
  }
  if (*stored != want) {
    Report(stream, block, std::string(what) + " is not what the blocks add up to");
  }
}

void StreamCheck::AddStream(const evidence::BlockHeader& block, const evidence::StreamBody& body) {
  streams_[evidence::StreamId(body.host, body.source)].description = {
      body.host, body.source, body.format, body.descriptor, block.index};
}

void StreamCheck::AddKey(const evidence::BlockHeader& block, const evidence::KeyBody& body) {
  ++epochs_;
  const EpochRecord want{body.epoch, block.index, block.commit_time, body.epoch_public_key,
                         body.k0_hash};
  Stream host;
  host.description.host = body.host;
  Compare(EpochKey(body.host, body.epoch), SerializeEpochRecord(want), &host, block.index,
          "the row of epoch " + std::to_string(body.epoch));
}

void StreamCheck::AddRecords(const evidence::BlockHeader& block,
                             const evidence::BatchHeader& batch) {
  const auto found = streams_.find(batch.stream_id);
  if (found == streams_.end()) return;  // the auditor reports it
  Stream& stream = found->second;
  Compare(SequenceKey(batch.stream_id, batch.first_seq),
          BatchPlace{block.index, batch.record_count}.Serialize(), &stream, block.index,
          "the row of the batch's place");
  StreamProgress& progress = stream.progress;
  if (batch.first_seq > progress.last_seq) {
    progress.missing_records += batch.first_seq - progress.last_seq - 1;
  }
  progress.last_seq = batch.last_seq();
  progress.head_hash = evidence::LeafHash(block.body);
  progress.last_block = block.index;
  progress.last_commit_time = block.commit_time;
  progress.last_read_time = std::max(progress.last_read_time, batch.read_time_last);
  progress.records += batch.record_count;
  ++progress.batches;
  const bool no_event_time = batch.event_time_min == kNoTime;
  const UnixNanos begin = no_event_time ? batch.read_time_first : batch.event_time_min;
  const UnixNanos end = no_event_time ? batch.read_time_last : batch.event_time_max;
  if (progress.first_time == kNoTime || begin < progress.first_time) progress.first_time = begin;
  if (end > progress.last_time) progress.last_time = end;
}

void StreamCheck::Finish() {
  const std::unique_ptr<rocksdb::Iterator> rows = tables_.Scan(tables_.stream());
  nameless_ = findings_.Nameless();
  for (rows->SeekToFirst(); rows->Valid(); rows->Next()) {
    CheckRow(ToView(rows->key()), ToView(rows->value()));
  }
  findings_.Name(names_);
  const bool all_read = rows->status().ok();  // else the pass over the family reports it
  for (const auto& [stream_id, stream] : streams_) {
    Compare(DescriptionKey(stream_id), stream.description.Serialize(), &stream,
            stream.description.stream_block, "the stream's stored description");
    if (stream.progress.batches == 0) continue;
    Compare(ProgressKey(stream_id), stream.progress.Serialize(), &stream,
            stream.progress.last_block, "the stream's stored head");
    if (all_read && stream.rows != stream.progress.batches) {
      Report(&stream, stream.progress.last_block,
             std::to_string(stream.rows) + " places are stored for " +
                 std::to_string(stream.progress.batches) + " batches");
    }
  }
  CheckSilences(all_read);
  if (all_read && epoch_rows_ != epochs_) {
    Report(nullptr, 0,
           std::to_string(epoch_rows_) + " epochs are stored, " + std::to_string(epochs_) +
               " are registered");
  }
}

void StreamCheck::AddSilence(const evidence::BlockHeader& block) {
  Result<SilenceChange> change = ParseSilence(block.body, block.index);
  if (!change.ok()) return Report(nullptr, block.index, change.status().message());
  for (const Silence& silence : change->hosts) {
    if (change->began) silences_[silence.host] = silence;
    if (!change->began) silences_.erase(silence.host);
  }
}

void StreamCheck::CheckSilences(bool all_read) {
  for (const auto& [name, silence] : silences_) {
    Stream host;
    host.description.host = name;
    Compare(SilenceKey(name), SerializeSilence(silence), &host, silence.block,
            "the row of the host's silence");
  }
  if (all_read && silence_rows_ != silences_.size()) {
    Report(nullptr, 0,
           std::to_string(silence_rows_) + " silences are stored, " +
               std::to_string(silences_.size()) + " last");
  }
}

void StreamCheck::CheckRow(std::string_view key, std::string_view value) {
  if (key.starts_with(SilenceKey("").front())) {
    ++silence_rows_;
    return;
  }
  if (key.starts_with(DayUseKey("").front())) return CheckDayUse(key, value);
  if (key.starts_with(EpochKey("", 0).front())) {
    ++epoch_rows_;
    return;
  }
  // The auditor holds these two to the blocks.
  if (key.starts_with(GoverningKey(0).front()) || key.starts_with(DeletedKey(0).front())) return;
  const std::string_view id = key.empty() ? key : key.substr(1, evidence::kHashSize);
  Result<evidence::Hash> stream_id = evidence::Hash::FromBytes(id);
  const auto found = stream_id.ok() ? streams_.find(*stream_id) : streams_.end();
  if (found == streams_.end()) {
    return Report(nullptr, 0, "a row of a stream that no STREAM block announced");
  }
  CheckPlace(*stream_id, found->second, key, value);
}

// Only a quota hangs on the number; but whoever has a row must have a stream.
void StreamCheck::CheckDayUse(std::string_view key, std::string_view value) {
  Result<DayUse> use = ParseDayUseRow(key, value);
  if (!use.ok()) return Report(nullptr, 0, use.status().message());
  const bool known = std::any_of(streams_.begin(), streams_.end(), [&use](const auto& stream) {
    return stream.second.description.host == use->host;
  });
  if (!known) Report(nullptr, 0, "the row of a day of a host that no STREAM block announced");
}

void StreamCheck::CheckPlace(const evidence::Hash& stream_id, Stream& stream, std::string_view key,
                             std::string_view value) {
  const std::string prefix = SequenceKey(stream_id, 0).substr(0, 1 + evidence::kHashSize);
  if (!key.starts_with(prefix)) return;
  ++stream.rows;
  Result<BatchPlace> place = BatchPlace::Parse(value);
  Result<std::uint64_t> first_seq = ParseNumberKey(key.substr(prefix.size()));
  if (!place.ok() || !first_seq.ok() || !nameless_.contains(place->block)) return;
  evidence::Finding& name = names_[place->block];
  name.host = stream.description.host;
  name.source = stream.description.source;
  name.first_seq = *first_seq;
  name.last_seq = *first_seq + place->record_count - 1;
}

}  // namespace logvault::storage
