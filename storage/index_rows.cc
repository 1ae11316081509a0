#include "storage/index_rows.h"

#include <rocksdb/write_batch.h>

#include <memory>
#include <utility>

#include "common/bytes.h"
#include "storage/keys.h"
#include "storage/tables.h"

namespace logvault::storage {
namespace {

std::string SummaryRow(const IndexedSegment& segment) {
  std::string bytes;
  ByteWriter out(bytes);
  out.U64(segment.end);
  out.U64(segment.deleted_payloads);
  out.U32(segment.chunks);
  out.U64(segment.index_block);
  return bytes;
}

Result<IndexedSegment> ParseSummary(std::uint64_t first, std::string_view bytes) {
  ByteReader in(bytes);
  IndexedSegment segment;
  segment.first = first;
  segment.end = in.U64();
  segment.deleted_payloads = in.U64();
  segment.chunks = in.U32();
  segment.index_block = in.U64();
  if (!in.Done()) return Corruption("a summary row of the index is malformed");
  return segment;
}

Status Write(const Tables& tables, rocksdb::WriteBatch& rows) {
  rocksdb::WriteOptions options;
  options.disableWAL = true;
  LV_RETURN_IF_ERROR(FromRocks(tables.db().Write(options, &rows)));
  return FromRocks(tables.db().Flush(rocksdb::FlushOptions(), tables.index()));
}

Status Rewrite(const Tables& tables, std::uint64_t first) {
  rocksdb::CompactRangeOptions options;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  for (const auto& [from, to] : {std::pair(IndexChunkKey(first, 0), IndexChunkKey(first + 1, 0)),
                                 std::pair(IndexDirectoryKey(first), IndexDirectoryKey(first))}) {
    const rocksdb::Slice begin(from), end(to);
    LV_RETURN_IF_ERROR(FromRocks(tables.db().CompactRange(options, tables.index(), &begin, &end)));
  }
  return Status::Ok();
}

}  // namespace

Result<std::vector<IndexedSegment>> ReadIndexedSegments(const Tables& tables) {
  std::vector<IndexedSegment> segments;
  if (tables.index() == nullptr) return segments;
  const std::unique_ptr<rocksdb::Iterator> rows = tables.Scan(tables.index());
  const std::string begin = IndexSummaryKey(0);
  for (rows->Seek(begin); rows->Valid(); rows->Next()) {
    const std::string_view key = ToView(rows->key());
    if (key.front() != begin.front()) break;
    Result<std::uint64_t> first = ParseNumberKey(key.substr(1));
    if (!first.ok()) return first.status();
    Result<IndexedSegment> segment = ParseSummary(*first, ToView(rows->value()));
    if (!segment.ok()) return segment.status();
    segments.push_back(*std::move(segment));
  }
  if (!rows->status().ok()) return FromRocks(rows->status()).WithContext("index family");
  return segments;
}

namespace {

// `what` and not RocksDB's word for a key that it does not have.
Result<std::string> Row(const Tables& tables, const std::string& key, const char* what) {
  Result<std::string> row = tables.Get(tables.index(), key);
  if (!row.ok() && row.status().code() == StatusCode::kNotFound) return NotFound(what);
  return row;
}

}  // namespace

Result<std::string> ReadIndexDirectory(const Tables& tables, std::uint64_t first) {
  if (tables.index() == nullptr) return NotFound("no index");
  return Row(tables, IndexDirectoryKey(first), "its directory is missing");
}

Result<std::string> ReadIndexChunk(const Tables& tables, std::uint64_t first, std::uint32_t chunk) {
  if (tables.index() == nullptr) return NotFound("no index");
  return Row(tables, IndexChunkKey(first, chunk), "a chunk of it is missing");
}

Status WriteIndexSegment(const Tables& tables, const IndexedSegment& segment,
                         const std::string& directory, const std::vector<std::string>& chunks) {
  rocksdb::ColumnFamilyHandle* const family = tables.index();
  if (family == nullptr) return FailedPrecondition("this vault has no `index` family");
  rocksdb::WriteBatch rows;
  std::uint32_t chunks_before = 0;
  const Result<std::string> before = tables.Get(family, IndexSummaryKey(segment.first));
  if (before.ok()) {
    Result<IndexedSegment> summary = ParseSummary(segment.first, *before);
    chunks_before = summary.ok() ? summary->chunks : 0;
  }
  for (std::uint32_t i = 0; i < chunks.size(); ++i) {
    LV_RETURN_IF_ERROR(FromRocks(rows.Put(family, IndexChunkKey(segment.first, i), chunks[i])));
  }
  for (auto i = static_cast<std::uint32_t>(chunks.size()); i < chunks_before; ++i) {
    LV_RETURN_IF_ERROR(FromRocks(rows.Delete(family, IndexChunkKey(segment.first, i))));
  }
  LV_RETURN_IF_ERROR(FromRocks(rows.Put(family, IndexDirectoryKey(segment.first), directory)));
  LV_RETURN_IF_ERROR(
      FromRocks(rows.Put(family, IndexSummaryKey(segment.first), SummaryRow(segment))));
  LV_RETURN_IF_ERROR(Write(tables, rows));
  // What the segment held before may be of records that were deleted: none of it stays in a file.
  return before.ok() ? Rewrite(tables, segment.first) : Status::Ok();
}

Status WriteIndexBlock(const Tables& tables, const IndexedSegment& segment) {
  rocksdb::WriteBatch rows;
  LV_RETURN_IF_ERROR(
      FromRocks(rows.Put(tables.index(), IndexSummaryKey(segment.first), SummaryRow(segment))));
  rocksdb::WriteOptions options;
  options.disableWAL = true;
  return FromRocks(tables.db().Write(options, &rows));
}

}  // namespace logvault::storage
