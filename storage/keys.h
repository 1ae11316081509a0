// Keys and rows of every column family: the one place that says how the vault lies in RocksDB.
//
// Numbers in keys are big-endian, so that RocksDB's byte order is numeric order.
//
//   family                key                               value
//   block                 index u64                         block header bytes (evidence/block.h)
//   payload.CLASS.MONTH   index u64                         the batch's zstd frame; MONTH is YYYY-MM of
//                                                           its commit time, UTC
//   tile                  level u8, tile u64, offset u8     hashes of the tile's nodes from offset on,
//                                                           32 bytes each
//   checkpoint            size u64                          the signed note
//   stream                'd' stream_id[32]                 StreamDescription
//                         'h' stream_id[32]                 StreamProgress
//                         's' stream_id[32] first_seq u64   block u64, record_count u32
//                         'p' stream_id[32] key             value of a position entry
//                         'e' host (u16 length) epoch u64   EpochRecord
//                         'g' index u64                     empty: the block governs (evidence/governance.h)
//                         'x' index u64                     RETENTION block u64: the block's payload was deleted by it
//                         'w' stream_id[32]                 first_seq u64 of the first batch that may not be deleted yet
//                         'q' host (u16 length)             last_seen i64, SILENCE block u64: a silence that lasts
//                         'u' host (u16 length)             day i64, bytes u64: what it sent on the newest day it sent on
//   secret                'k' host (u16 length) epoch u64   K_0, 32 bytes
//   index                 first u64                         a segment's directory (query/index_segment.h)
//                         first u64 chunk u32               a chunk of its dictionary
//   rollup                's' first u64                     IndexedSegment (storage/index_rows.h)
//
// Tiles are RFC 6962 tiles of height 8 as c2sp.org/tlog-tiles has them: tile t of level l holds the
// roots of the complete subtrees of 256^l leaves numbered 256t..256t+255.  A tile is stored in
// pieces, one for each commit that added to it, so that a row is never rewritten; a piece's key
// holds the offset of its first hash.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/clock.h"
#include "common/status.h"
#include "evidence/hash.h"
#include "storage/reader.h"

namespace logvault::storage {

inline constexpr std::string_view kBlockFamily = "block";
inline constexpr std::string_view kTileFamily = "tile";
inline constexpr std::string_view kCheckpointFamily = "checkpoint";
inline constexpr std::string_view kStreamFamily = "stream";
inline constexpr std::string_view kSecretFamily = "secret";
inline constexpr std::string_view kIndexFamily = "index";
inline constexpr std::string_view kRollupFamily = "rollup";
inline constexpr std::string_view kPayloadFamilyPrefix = "payload.";
inline constexpr std::string_view kDefaultRetentionClass = "default";

inline constexpr std::uint32_t kTileHeight = 8;
inline constexpr std::uint64_t kTileWidth = 1u << kTileHeight;

// "2026-11": the month of `time`, UTC.
std::string MonthOf(UnixNanos time);
// "payload.default.2026-11".
// The retention class of payloads that are kept so long; nullopt: for ever.  "default", "keep2592000s".
std::string RetentionClass(std::optional<std::uint64_t> keep_ns);
std::string PayloadFamily(std::string_view retention_class, UnixNanos commit_time);

std::string NumberKey(std::uint64_t number);  // block, payload, checkpoint
Result<std::uint64_t> ParseNumberKey(std::string_view key);

struct TileKey {
  std::uint8_t level = 0;
  std::uint64_t tile = 0;
  std::uint8_t offset = 0;
  bool operator==(const TileKey&) const = default;

  static Result<TileKey> Parse(std::string_view key);
  [[nodiscard]] std::string Serialize() const;
};

std::string DescriptionKey(const evidence::Hash& stream_id);
std::string ProgressKey(const evidence::Hash& stream_id);
std::string SequenceKey(const evidence::Hash& stream_id, std::uint64_t first_seq);
std::string PositionKey(const evidence::Hash& stream_id, std::string_view key);
std::string EpochKey(std::string_view host, std::uint64_t epoch);
std::string GoverningKey(std::uint64_t index);
std::string DeletedKey(std::uint64_t index);
std::string KeptFromKey(const evidence::Hash& stream_id);
std::string SealKeyKey(std::string_view host, std::uint64_t epoch);
// Of the segment of the index that begins at block `first`.
std::string IndexSummaryKey(std::uint64_t first);
std::string IndexDirectoryKey(std::uint64_t first);
std::string IndexChunkKey(std::uint64_t first, std::uint32_t chunk);
// Where every key of one host's epochs begins.
std::string EpochPrefix(std::string_view host);

// What a STREAM block says of a stream.
struct StreamDescription {
  std::string host;
  std::string source;
  std::string format;
  std::string descriptor;
  std::uint64_t stream_block = 0;
  bool operator==(const StreamDescription&) const = default;

  static Result<StreamDescription> Parse(std::string_view bytes);
  [[nodiscard]] std::string Serialize() const;
};

// What a stream's batches add up to.
struct StreamProgress {
  std::uint64_t last_seq = 0;
  evidence::Hash head_hash;
  std::uint64_t last_block = 0;
  std::uint64_t records = 0;
  std::uint64_t batches = 0;
  std::uint64_t missing_records = 0;
  UnixNanos first_time = kNoTime;
  UnixNanos last_time = kNoTime;
  UnixNanos last_read_time = kNoTime;
  UnixNanos last_commit_time = kNoTime;
  bool operator==(const StreamProgress&) const = default;

  static Result<StreamProgress> Parse(std::string_view bytes);
  [[nodiscard]] std::string Serialize() const;
};

StreamHead ToStreamHead(const StreamDescription& description, const StreamProgress& progress);
StreamDescription DescriptionOf(const StreamHead& head);
StreamProgress ProgressOf(const StreamHead& head);

// Where a batch lies: the row of SequenceKey.
struct BatchPlace {
  std::uint64_t block = 0;
  std::uint32_t record_count = 0;
  bool operator==(const BatchPlace&) const = default;

  static Result<BatchPlace> Parse(std::string_view bytes);
  [[nodiscard]] std::string Serialize() const;
};

Result<EpochRecord> ParseEpochRecord(std::string_view bytes);
std::string SerializeEpochRecord(const EpochRecord& record);

}  // namespace logvault::storage
