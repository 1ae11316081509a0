#include "storage/reader.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "storage/keys.h"
#include "storage/retention.h"
#include "storage/tables.h"
#include "storage/tile_cache.h"

namespace logvault::storage {
namespace {

// A row that need not be there.
Result<std::optional<std::string>> Find(const Tables& tables, rocksdb::ColumnFamilyHandle* family,
                                        const std::string& key) {
  Result<std::string> value = tables.Get(family, key);
  if (value.ok()) return std::optional<std::string>(*std::move(value));
  if (value.status().code() == StatusCode::kNotFound) return std::optional<std::string>();
  return value.status();
}

Result<StreamProgress> ReadProgress(const Tables& tables, const evidence::Hash& stream_id) {
  Result<std::optional<std::string>> row = Find(tables, tables.stream(), ProgressKey(stream_id));
  if (!row.ok()) return row.status();
  if (!row->has_value()) return StreamProgress{};
  return StreamProgress::Parse(**row);
}

}  // namespace

Result<Head> Reader::StoredHead() const {
  const std::unique_ptr<rocksdb::Iterator> rows = tables_->Seek(tables_->checkpoint());
  rows->SeekToLast();
  if (!rows->status().ok()) return FromRocks(rows->status()).WithContext("newest checkpoint");
  if (!rows->Valid()) return Corruption("the vault holds no checkpoint");
  Result<std::uint64_t> size = ParseNumberKey(ToView(rows->key()));
  if (!size.ok()) return size.status().WithContext("newest checkpoint");

  Head head;
  head.note = ToView(rows->value());
  Result<evidence::Checkpoint> checkpoint = evidence::UnverifiedCheckpoint(head.note);
  if (!checkpoint.ok()) return checkpoint.status().WithContext("newest checkpoint");
  if (checkpoint->size != *size) {
    return Corruption("the checkpoint stored for size " + std::to_string(*size) + " is one of " +
                      std::to_string(checkpoint->size));
  }
  head.size = checkpoint->size;
  head.root = checkpoint->root;
  return head;
}

Result<std::string> Reader::BlockBytes(std::uint64_t index) const {
  Result<std::string> bytes = tables_->Get(tables_->block(), NumberKey(index));
  if (!bytes.ok()) return bytes.status().WithContext("block " + std::to_string(index));
  return bytes;
}

Result<evidence::BlockHeader> Reader::Block(std::uint64_t index) const {
  Result<std::string> bytes = BlockBytes(index);
  if (!bytes.ok()) return bytes.status();
  Result<evidence::BlockHeader> block = evidence::BlockHeader::Parse(*bytes);
  if (!block.ok()) return block.status().WithContext("block " + std::to_string(index));
  if (block->index != index) {
    return Corruption("block " + std::to_string(index) + " says it is block " +
                      std::to_string(block->index));
  }
  return block;
}

Result<std::string> Reader::Payload(std::uint64_t index, UnixNanos commit_time) const {
  const std::string key = NumberKey(index);
  for (rocksdb::ColumnFamilyHandle* family : tables_->PayloadFamiliesOf(commit_time)) {
    Result<std::string> frame = tables_->GetUnchecked(family, key);
    if (frame.ok()) return frame;
    if (frame.status().code() != StatusCode::kNotFound) {
      return frame.status().WithContext("payload of block " + std::to_string(index));
    }
  }
  Result<std::optional<std::uint64_t>> deleted = DeletedBy(index);
  if (!deleted.ok()) return deleted.status();
  if (deleted->has_value()) {
    return OutOfRange("its records were deleted under the retention policy (RETENTION block " +
                      std::to_string(**deleted) + ")");
  }
  return NotFound("no payload is stored for block " + std::to_string(index));
}

Result<std::optional<std::uint64_t>> Reader::DeletedBy(std::uint64_t index) const {
  Result<std::optional<std::string>> row = Find(*tables_, tables_->stream(), DeletedKey(index));
  if (!row.ok()) return row.status();
  if (!row->has_value()) return std::optional<std::uint64_t>();
  Result<std::uint64_t> retention = ParseNumberKey(**row);
  if (!retention.ok()) return retention.status();
  Result<evidence::BlockHeader> block = Block(*retention);
  if (!block.ok()) return block.status();
  if (block->kind == evidence::BlockKind::kRetention)
    return std::optional<std::uint64_t>(*retention);
  return Corruption("block " + std::to_string(*retention) +
                    " is said to have deleted the payload of block " + std::to_string(index) +
                    ", and is no RETENTION");
}

Result<std::vector<IndexedSegment>> Reader::IndexedSegments() const {
  return ReadIndexedSegments(*tables_);
}

Result<std::string> Reader::IndexDirectory(std::uint64_t first) const {
  return ReadIndexDirectory(*tables_, first);
}

Result<std::string> Reader::IndexChunk(std::uint64_t first, std::uint32_t chunk) const {
  return ReadIndexChunk(*tables_, first, chunk);
}

Result<std::map<std::uint64_t, std::uint64_t>> Reader::DeletedPayloads(std::uint64_t first,
                                                                       std::uint64_t end) const {
  std::map<std::uint64_t, std::uint64_t> deleted;
  const std::unique_ptr<rocksdb::Iterator> rows = tables_->Seek(tables_->stream());
  const std::string behind = DeletedKey(end);
  for (rows->Seek(DeletedKey(first)); rows->Valid() && ToView(rows->key()) < behind; rows->Next()) {
    Result<std::uint64_t> index = ParseNumberKey(ToView(rows->key()).substr(1));
    if (!index.ok()) return index.status();
    Result<std::uint64_t> retention = ParseNumberKey(ToView(rows->value()));
    if (!retention.ok()) return retention.status();
    deleted.emplace(*index, *retention);
  }
  if (!rows->status().ok()) return FromRocks(rows->status()).WithContext("stream family");
  return deleted;
}

Result<std::map<std::uint64_t, std::string>> Reader::GoverningBlocks(std::uint64_t end) const {
  std::map<std::uint64_t, std::string> blocks;
  LV_RETURN_IF_ERROR(
      ForEachGoverning(*tables_, end, [&blocks](std::uint64_t index, Result<std::string> bytes) {
        const std::string name = "block " + std::to_string(index);
        if (bytes.status().code() == StatusCode::kNotFound)
          return Integrity(name + ": the block is missing");
        if (!bytes.ok()) return bytes.status().WithContext(name);
        blocks.emplace(index, *std::move(bytes));
        return Status::Ok();
      }));
  return blocks;
}

Status Reader::ForEachBlock(std::uint64_t first, std::uint64_t end, const Visit& visit) const {
  const std::unique_ptr<rocksdb::Iterator> rows = tables_->Scan(tables_->block());
  for (rows->Seek(NumberKey(first)); rows->Valid(); rows->Next()) {
    Result<std::uint64_t> index = ParseNumberKey(ToView(rows->key()));
    if (!index.ok()) return index.status().WithContext("block family");
    if (*index >= end || !visit(*index, ToView(rows->value()))) return Status::Ok();
  }
  return FromRocks(rows->status()).WithContext("block family");
}

evidence::NodeReader Reader::Nodes() const {
  return [tables = tables_](std::uint32_t level, std::uint64_t index) {
    return tables->tile_cache().Node(*tables, level, index);
  };
}

Result<std::vector<StreamHead>> Reader::Streams() const {
  std::vector<StreamHead> streams;
  const std::string begin = DescriptionKey(evidence::Hash{});
  const std::unique_ptr<rocksdb::Iterator> rows = tables_->Seek(tables_->stream());
  for (rows->Seek(begin); rows->Valid(); rows->Next()) {
    const std::string_view key = ToView(rows->key());
    if (key.empty() || key.front() != begin.front()) break;
    Result<evidence::Hash> stream_id = evidence::Hash::FromBytes(key.substr(1));
    if (!stream_id.ok()) return stream_id.status().WithContext("stream family");
    Result<StreamDescription> description = StreamDescription::Parse(ToView(rows->value()));
    if (!description.ok()) return description.status();
    Result<StreamProgress> progress = ReadProgress(*tables_, *stream_id);
    if (!progress.ok()) return progress.status();
    streams.push_back(ToStreamHead(*description, *progress));
  }
  if (!rows->status().ok()) return FromRocks(rows->status()).WithContext("stream family");
  std::sort(streams.begin(), streams.end(), [](const StreamHead& a, const StreamHead& b) {
    return std::tie(a.host, a.source) < std::tie(b.host, b.source);
  });
  return streams;
}

Result<std::optional<StreamHead>> Reader::Stream(const evidence::Hash& stream_id) const {
  Result<std::optional<std::string>> row =
      Find(*tables_, tables_->stream(), DescriptionKey(stream_id));
  if (!row.ok()) return row.status();
  if (!row->has_value()) return std::optional<StreamHead>();
  Result<StreamDescription> description = StreamDescription::Parse(**row);
  if (!description.ok()) return description.status();
  Result<StreamProgress> progress = ReadProgress(*tables_, stream_id);
  if (!progress.ok()) return progress.status();
  return std::optional<StreamHead>(ToStreamHead(*description, *progress));
}

Result<std::vector<evidence::PositionEntry>> Reader::Position(
    const evidence::Hash& stream_id) const {
  std::vector<evidence::PositionEntry> position;
  const std::string prefix = PositionKey(stream_id, "");
  const std::unique_ptr<rocksdb::Iterator> rows = tables_->Seek(tables_->stream());
  for (rows->Seek(prefix); rows->Valid(); rows->Next()) {
    const std::string_view key = ToView(rows->key());
    if (!key.starts_with(prefix)) break;
    position.push_back({std::string(key.substr(prefix.size())), rows->value().ToString()});
  }
  if (!rows->status().ok()) return FromRocks(rows->status()).WithContext("stream family");
  return position;
}

Result<std::optional<std::uint64_t>> Reader::Locate(const evidence::Hash& stream_id,
                                                    std::uint64_t seq) const {
  const std::string key = SequenceKey(stream_id, seq);
  const std::unique_ptr<rocksdb::Iterator> rows = tables_->Seek(tables_->stream());
  rows->SeekForPrev(key);
  if (!rows->status().ok()) return FromRocks(rows->status()).WithContext("stream family");
  const std::string_view found = rows->Valid() ? ToView(rows->key()) : std::string_view();
  const std::size_t prefix_size = key.size() - sizeof seq;
  if (found.size() != key.size() || !found.starts_with(key.substr(0, prefix_size))) {
    return std::optional<std::uint64_t>();
  }
  Result<std::uint64_t> first_seq = ParseNumberKey(found.substr(prefix_size));
  if (!first_seq.ok()) return first_seq.status();
  Result<BatchPlace> place = BatchPlace::Parse(ToView(rows->value()));
  if (!place.ok()) return place.status();
  if (seq - *first_seq >= place->record_count) return std::optional<std::uint64_t>();
  return std::optional<std::uint64_t>(place->block);
}

Result<std::vector<NumberRange>> Reader::Missing(const evidence::Hash& stream_id,
                                                 std::size_t most) const {
  std::vector<NumberRange> missing;
  const std::string first_key = SequenceKey(stream_id, 0);
  const std::string prefix = first_key.substr(0, first_key.size() - sizeof(std::uint64_t));
  const std::unique_ptr<rocksdb::Iterator> rows = tables_->Seek(tables_->stream());
  std::uint64_t next = 1;
  for (rows->Seek(first_key); rows->Valid() && missing.size() < most; rows->Next()) {
    const std::string_view key = ToView(rows->key());
    if (key.size() != first_key.size() || !key.starts_with(prefix)) break;
    Result<std::uint64_t> first_seq = ParseNumberKey(key.substr(prefix.size()));
    if (!first_seq.ok()) return first_seq.status();
    Result<BatchPlace> place = BatchPlace::Parse(ToView(rows->value()));
    if (!place.ok()) return place.status();
    if (*first_seq > next) missing.push_back({next, *first_seq - 1});
    next = *first_seq + place->record_count;
  }
  if (!rows->status().ok()) return FromRocks(rows->status()).WithContext("stream family");
  return missing;
}

Result<std::optional<EpochRecord>> Reader::Epoch(std::string_view host, std::uint64_t epoch) const {
  Result<std::optional<std::string>> row = Find(*tables_, tables_->stream(), EpochKey(host, epoch));
  if (!row.ok()) return row.status();
  if (!row->has_value()) return std::optional<EpochRecord>();
  Result<EpochRecord> record = ParseEpochRecord(**row);
  if (!record.ok()) return record.status();
  return std::optional<EpochRecord>(*std::move(record));
}

Result<std::optional<EpochRecord>> Reader::NewestEpoch(std::string_view host) const {
  const std::string prefix = EpochPrefix(host);
  const std::unique_ptr<rocksdb::Iterator> rows = tables_->Seek(tables_->stream());
  rows->SeekForPrev(EpochKey(host, UINT64_MAX));
  if (!rows->status().ok()) return FromRocks(rows->status()).WithContext("stream family");
  if (!rows->Valid() || !ToView(rows->key()).starts_with(prefix)) {
    return std::optional<EpochRecord>();
  }
  Result<EpochRecord> record = ParseEpochRecord(ToView(rows->value()));
  if (!record.ok()) return record.status();
  return std::optional<EpochRecord>(*std::move(record));
}

Result<std::optional<evidence::Hash>> Reader::SealKey(std::string_view host,
                                                      std::uint64_t epoch) const {
  Result<std::optional<std::string>> row =
      Find(*tables_, tables_->secret(), SealKeyKey(host, epoch));
  if (!row.ok()) return row.status();
  if (!row->has_value()) return std::optional<evidence::Hash>();
  Result<evidence::Hash> key = evidence::Hash::FromBytes(**row);
  if (!key.ok()) return key.status().WithContext("seal key");
  return std::optional<evidence::Hash>(*key);
}

Result<std::vector<Silence>> Reader::Silences() const {
  std::vector<Silence> silences;
  const std::string begin = SilenceKey("");
  const std::unique_ptr<rocksdb::Iterator> rows = tables_->Seek(tables_->stream());
  for (rows->Seek(begin); rows->Valid(); rows->Next()) {
    const std::string_view key = ToView(rows->key());
    if (key.front() != begin.front()) break;
    Result<Silence> silence = ParseSilenceRow(key, ToView(rows->value()));
    if (!silence.ok()) return silence.status();
    silences.push_back(*std::move(silence));
  }
  if (!rows->status().ok()) return FromRocks(rows->status()).WithContext("stream family");
  return silences;
}

Result<std::vector<DayUse>> Reader::DayUses() const {
  std::vector<DayUse> uses;
  const std::string begin = DayUseKey("");
  const std::unique_ptr<rocksdb::Iterator> rows = tables_->Seek(tables_->stream());
  for (rows->Seek(begin); rows->Valid(); rows->Next()) {
    const std::string_view key = ToView(rows->key());
    if (key.front() != begin.front()) break;
    Result<DayUse> use = ParseDayUseRow(key, ToView(rows->value()));
    if (!use.ok()) return use.status();
    uses.push_back(*std::move(use));
  }
  if (!rows->status().ok()) return FromRocks(rows->status()).WithContext("stream family");
  return uses;
}

Result<evidence::GenesisBody> Reader::Genesis() const {
  Result<evidence::BlockHeader> block = Block(0);
  if (!block.ok()) return block.status();
  if (block->kind != evidence::BlockKind::kGenesis) {
    return Corruption("block 0 is not a GENESIS block");
  }
  return evidence::GenesisBody::Parse(block->body);
}

std::shared_ptr<const evidence::Dictionaries> Reader::dictionaries() const {
  return tables_->dictionaries();
}

std::shared_ptr<const evidence::Dictionaries> DictionariesOf(
    const std::map<std::uint64_t, std::string>& governing_blocks) {
  auto dictionaries = std::make_shared<evidence::Dictionaries>();
  for (const auto& [index, bytes] : governing_blocks) {
    Result<evidence::BlockHeader> block = evidence::BlockHeader::Parse(bytes);
    if (block.ok()) dictionaries->Learn(*block);
  }
  return dictionaries;
}

Result<Reader> OpenReadOnly(const std::string& dir) {
  TablesOptions options;
  options.dir = dir;
  options.mode = TablesMode::kReadOnly;
  Result<std::shared_ptr<Tables>> tables = Tables::Open(options);
  if (!tables.ok()) return tables.status();
  Reader reader(*tables);
  // Where one cannot be read none is there: who asks for what governs the vault is told.
  Result<std::map<std::uint64_t, std::string>> governing = reader.GoverningBlocks(UINT64_MAX);
  if (governing.ok()) (*tables)->SetDictionaries(DictionariesOf(*governing));
  return reader;
}

}  // namespace logvault::storage
