#include "storage/index_rows.h"

#include <rocksdb/convenience.h>
#include <rocksdb/write_batch.h>

#include <memory>

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

// Rows of the segment that begins at `first` lie in [begin, end).
struct RowsOf {
  explicit RowsOf(std::uint64_t first)
      : begin(IndexDirectoryKey(first)), end(IndexDirectoryKey(first + 1)) {}
  std::string begin, end;
};

// Whether a file holds rows between those of the segment, or may.
bool HasFilesOf(const Tables& tables, const RowsOf& segment) {
  rocksdb::ColumnFamilyMetaData family;
  tables.db().GetColumnFamilyMetaData(tables.index(), &family);
  for (const rocksdb::LevelMetaData& level : family.levels) {
    for (const rocksdb::SstFileMetaData& file : level.files) {
      if (file.largestkey >= segment.begin && file.smallestkey < segment.end) return true;
    }
  }
  return false;
}

// Drops the files that hold the segment's rows and no others, without reading them: a damaged one must not come into a compaction,
// after whose failure RocksDB takes no write of any family.  It drops files of level 1 only, into which CompactRange moves them
// as they are where nothing there overlaps.
Status DropFilesOf(const Tables& tables, const RowsOf& segment) {
  const rocksdb::Slice begin(segment.begin), end(segment.end);
  rocksdb::CompactRangeOptions move;
  move.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kSkip;
  LV_RETURN_IF_ERROR(
      FromRocks(rocksdb::DeleteFilesInRange(&tables.db(), tables.index(), &begin, &end, false)));
  if (!HasFilesOf(tables, segment)) return Status::Ok();
  LV_RETURN_IF_ERROR(FromRocks(tables.db().CompactRange(move, tables.index(), &begin, &end)));
  return FromRocks(rocksdb::DeleteFilesInRange(&tables.db(), tables.index(), &begin, &end, false));
}

// Adds to `rows` the removal of the segment's chunks from number `count` on.
Status RemoveChunksFrom(const Tables& tables, std::uint64_t first, std::uint32_t count,
                        rocksdb::WriteBatch& rows) {
  const RowsOf segment(first);
  const std::unique_ptr<rocksdb::Iterator> row = tables.Scan(tables.index());
  for (row->Seek(IndexChunkKey(first, count)); row->Valid() && ToView(row->key()) < segment.end;
       row->Next())
    LV_RETURN_IF_ERROR(FromRocks(rows.Delete(tables.index(), row->key())));
  if (!row->status().ok()) return FromRocks(row->status()).WithContext("index family");
  return Status::Ok();
}

// Leaves in no file what the segment held before.
Status Rewrite(const Tables& tables, std::uint64_t first) {
  rocksdb::CompactRangeOptions options;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  const RowsOf segment(first);
  const rocksdb::Slice begin(segment.begin), end(segment.end);
  return FromRocks(tables.db().CompactRange(options, tables.index(), &begin, &end));
}

// `what` and not RocksDB's word for a key that it does not have.  Whoever asks for rows again keeps them (query/index_cache.h).
Result<std::string> Row(const Tables& tables, const std::string& key, const char* what) {
  Result<std::string> row = tables.GetOnce(tables.index(), key);
  if (!row.ok() && row.status().code() == StatusCode::kNotFound) return NotFound(what);
  return row;
}

}  // namespace

Result<std::vector<IndexedSegment>> ReadIndexedSegments(const Tables& tables) {
  std::vector<IndexedSegment> segments;
  if (tables.rollup() == nullptr) return segments;
  const std::unique_ptr<rocksdb::Iterator> rows = tables.Scan(tables.rollup());
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
  if (!rows->status().ok()) return FromRocks(rows->status()).WithContext("rollup family");
  return segments;
}

Result<std::string> ReadIndexDirectory(const Tables& tables, std::uint64_t first) {
  if (tables.index() == nullptr) return NotFound("no index");
  return Row(tables, IndexDirectoryKey(first), "its directory is missing");
}

Result<std::string> ReadIndexChunk(const Tables& tables, std::uint64_t first, std::uint32_t chunk) {
  if (tables.index() == nullptr) return NotFound("no index");
  return Row(tables, IndexChunkKey(first, chunk), "a chunk of it is missing");
}

// The rows of the segment are in a file before the one that says that they are there: a crash between them leaves rows that
// nobody asks for, until the segment is built again.
Status WriteIndexSegment(const Tables& tables, const IndexedSegment& segment,
                         const std::string& directory, const std::vector<std::string>& chunks) {
  rocksdb::ColumnFamilyHandle* const family = tables.index();
  if (family == nullptr || tables.rollup() == nullptr)
    return FailedPrecondition("this vault has no `index` or no `rollup` family");
  const RowsOf there(segment.first);
  bool replaces = HasFilesOf(tables, there);
  if (replaces) {
    LV_RETURN_IF_ERROR(DropFilesOf(tables, there));
    replaces = HasFilesOf(tables, there);  // where one holds other segments' rows too
  }
  rocksdb::WriteBatch rows;
  for (std::uint32_t i = 0; i < chunks.size(); ++i)
    LV_RETURN_IF_ERROR(FromRocks(rows.Put(family, IndexChunkKey(segment.first, i), chunks[i])));
  if (replaces)
    LV_RETURN_IF_ERROR(
        RemoveChunksFrom(tables, segment.first, static_cast<std::uint32_t>(chunks.size()), rows));
  LV_RETURN_IF_ERROR(FromRocks(rows.Put(family, IndexDirectoryKey(segment.first), directory)));
  rocksdb::WriteOptions options;
  options.disableWAL = true;
  LV_RETURN_IF_ERROR(FromRocks(tables.db().Write(options, &rows)));
  LV_RETURN_IF_ERROR(FromRocks(tables.db().Flush(rocksdb::FlushOptions(), family)));
  LV_RETURN_IF_ERROR(WriteIndexBlock(tables, segment));
  // What the segment held before may be of records that were deleted.
  return replaces ? Rewrite(tables, segment.first) : Status::Ok();
}

Status WriteIndexBlock(const Tables& tables, const IndexedSegment& segment) {
  return FromRocks(tables.db().Put(rocksdb::WriteOptions(), tables.rollup(),
                                   IndexSummaryKey(segment.first), SummaryRow(segment)));
}

}  // namespace logvault::storage
