// PayloadBuilder: columns, compression and root of a batch.
#include <zstd.h>

#include <algorithm>
#include <future>
#include <memory>
#include <unordered_map>
#include <utility>

#include "common/bytes.h"
#include "common/check.h"
#include "common/worker.h"
#include "evidence/columns.h"
#include "evidence/leaf_hasher.h"
#include "evidence/merkle.h"
#include "evidence/payload.h"

namespace logvault::evidence {
namespace {

// Level 3 makes batches of this size 1.7 % smaller and takes 1.7 times as long (docs/performance.md).
constexpr int kZstdLevel = 1;
// For batches of more than 256 KiB, for which the level's own are 14 and 7: a table of places seen that the processor's nearest cache
// holds, and matches from 6 bytes on, are 0.4 % smaller in as much time (docs/performance.md).
constexpr std::size_t kLargeBytes = 256u << 10;
constexpr int kZstdHashLog = 13;
constexpr int kZstdMinMatch = 6;
// From here on a batch's leaves are computed beside its compression: below, a thread costs more than it saves.
constexpr std::size_t kParallelBytes = 64u << 10;
// From here on a batch's columns are put before its records' bytes where these are, in a room of kColumnsRoom.
constexpr std::size_t kColumnsBesideBytes = 64u << 10;
constexpr std::size_t kColumnsRoom = 64u << 10;
// While another thread reads the records' bytes, they do not move to make that room.
static_assert(kColumnsBesideBytes <= kParallelBytes);

std::int64_t WrappingSub(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

// What sealing needs beside the batch itself, one of it a thread, however many streams it seals: a megabyte and more of
// fresh memory for each batch would cost more page faults than copying out of it costs time.
struct Scratch {
  std::unique_ptr<ZSTD_CCtx, FreeContext> zstd{ZSTD_createCCtx()};
  std::string columns;     // and behind them the records' bytes, where these are few
  std::string compressed;  // the frame, and what is behind it
  Worker hasher;

  Scratch() {
    LV_CHECK(zstd != nullptr);
    Set(ZSTD_c_compressionLevel, kZstdLevel);
    Set(ZSTD_c_checksumFlag, 1);
  }
  // A huge record's memory is given back.
  void Tidy() {
    for (std::string* room : {&columns, &compressed}) {
      if (room->capacity() > 4 * kTargetBatchSize) std::string().swap(*room);
    }
  }
  // `dictionary` may be nullptr.
  std::string Compress(std::string_view encoded, const Dictionary* dictionary) {
    const bool large = encoded.size() > kLargeBytes;
    Set(ZSTD_c_hashLog, large ? kZstdHashLog : 0);
    Set(ZSTD_c_minMatch, large ? kZstdMinMatch : 0);
    // Its parameters go before the context's own.
    LV_CHECK(ZSTD_isError(ZSTD_CCtx_refCDict(
                 zstd.get(), dictionary == nullptr ? nullptr : &dictionary->for_compression())) ==
             0);
    compressed.resize(std::max(compressed.size(), ZSTD_compressBound(encoded.size())));
    const std::size_t size = ZSTD_compress2(zstd.get(), compressed.data(), compressed.size(),
                                            encoded.data(), encoded.size());
    LV_CHECK(ZSTD_isError(size) == 0);
    return compressed.substr(0, size);
  }

 private:
  void Set(ZSTD_cParameter parameter, int value) {
    LV_CHECK(ZSTD_isError(ZSTD_CCtx_setParameter(zstd.get(), parameter, value)) == 0);
  }
};

Scratch& ThisThreadsScratch() {
  thread_local Scratch scratch;
  return scratch;
}

}  // namespace

// The batch so far, column by column.
struct PayloadBuilder::Columns {
  struct Row {
    UnixNanos event_time, read_time;
    std::uint32_t flags, origin;
    std::size_t size;
  };
  std::vector<Row> rows;
  std::vector<std::string> origins;
  std::unordered_map<std::string, std::uint32_t> origin_index;
  std::string bytes;  // room for columns, then the records'
  std::size_t room = 0;

  [[nodiscard]] std::string_view blob() const { return std::string_view(bytes).substr(room); }

  void AddBytes(std::string_view record) {
    bytes.append(record);
    if (room > 0 || bytes.size() < kColumnsBesideBytes) return;
    room = kColumnsRoom;
    bytes.insert(0, room, '\0');
  }

  std::uint32_t OriginIndex(std::string_view origin) {
    if (!rows.empty() && origins[rows.back().origin] == origin) return rows.back().origin;
    auto [found, added] =
        origin_index.try_emplace(std::string(origin), static_cast<std::uint32_t>(origins.size()));
    if (added) origins.emplace_back(origin);
    return found->second;
  }

  void Clear() {
    rows.clear();
    origins.clear();
    origin_index.clear();
    bytes.clear();
    room = 0;
    // A single huge record must not keep its memory for ever.
    if (bytes.capacity() > 4 * kTargetBatchSize) std::string().swap(bytes);
  }

  // What is compressed: in `encoded`, or in the columns' room.
  std::string_view Encode(std::string_view batch_key, std::span<const PositionEntry> position,
                          std::string& encoded);
  void WriteColumns(std::string_view batch_key, std::span<const PositionEntry> position,
                    ByteWriter& writer) const;
  [[nodiscard]] std::vector<Hash> Leaves(std::uint64_t first_seq, std::string_view batch_key) const;
};

PayloadBuilder::PayloadBuilder() : columns_(std::make_unique<Columns>()) {}
PayloadBuilder::~PayloadBuilder() = default;

void PayloadBuilder::Add(const RecordView& record) {
  LV_CHECK(record.origin.size() <= kMaxOriginSize && record.bytes.size() <= kMaxRecordSize);
  std::uint32_t origin = columns_->OriginIndex(record.origin);
  columns_->rows.push_back(
      {record.event_time, record.read_time, record.flags, origin, record.bytes.size()});
  columns_->AddBytes(record.bytes);
}

std::uint32_t PayloadBuilder::record_count() const {
  return static_cast<std::uint32_t>(columns_->rows.size());
}

std::size_t PayloadBuilder::raw_bytes() const { return columns_->blob().size(); }

UnixNanos PayloadBuilder::read_time_first() const {
  return columns_->rows.empty() ? kNoTime : columns_->rows.front().read_time;
}

std::string_view PayloadBuilder::Columns::Encode(std::string_view batch_key,
                                                 std::span<const PositionEntry> position,
                                                 std::string& encoded) {
  encoded.clear();
  ByteWriter writer(encoded);
  WriteColumns(batch_key, position, writer);
  if (encoded.size() > room) {
    writer.Bytes(blob());
    return encoded;
  }
  const std::size_t begin = room - encoded.size();
  std::copy(encoded.begin(), encoded.end(), bytes.data() + begin);
  return std::string_view(bytes).substr(begin);
}

// All that stands before the records' bytes.
void PayloadBuilder::Columns::WriteColumns(std::string_view batch_key,
                                           std::span<const PositionEntry> position,
                                           ByteWriter& writer) const {
  writer.U8(kPayloadVersion);
  writer.Varint(rows.size());
  std::string_view rest = blob();
  for (const Row& row : rows) {
    RecordEnd::Of(rest.substr(0, row.size)).Write(writer);
    rest.remove_prefix(row.size);
  }
  TimeWriter event_times;
  for (const Row& row : rows) event_times.Add(row.event_time);
  event_times.Write(writer);
  UnixNanos previous = 0;
  for (const Row& row : rows) {
    writer.SignedVarint(WrappingSub(row.read_time, previous));
    previous = row.read_time;
  }
  RunWriter flags, origin;
  for (const Row& row : rows) {
    flags.Add(row.flags);
    origin.Add(row.origin);
  }
  flags.Write(writer);
  writer.Varint(origins.size());
  for (const std::string& text : origins) writer.VarString(text);
  origin.Write(writer);
  LV_CHECK(batch_key.size() == kBatchKeySize);
  writer.Bytes(batch_key);
  writer.Varint(position.size());
  for (const PositionEntry& entry : position) {
    writer.VarString(entry.key);
    writer.VarString(entry.value);
  }
}

std::vector<Hash> PayloadBuilder::Columns::Leaves(std::uint64_t first_seq,
                                                  std::string_view batch_key) const {
  std::string salts = RecordSalts(batch_key, static_cast<std::uint32_t>(rows.size()));
  LeafHasher hasher(static_cast<std::uint32_t>(rows.size()));
  std::size_t offset = 0;
  for (std::uint32_t i = 0; i < rows.size(); ++i) {
    const Row& row = rows[i];
    hasher.Add(SaltOf(salts, i), first_seq + i,
               {row.event_time, row.read_time, row.flags, origins[row.origin],
                blob().substr(offset, row.size)});
    offset += row.size;
  }
  return hasher.Finish();
}

PayloadBuilder::Sealed PayloadBuilder::Finish(std::uint64_t first_seq, std::string_view batch_key,
                                              std::span<const PositionEntry> position,
                                              const Dictionary* dictionary) {
  LV_CHECK(!columns_->rows.empty());
  Sealed sealed;
  Scratch& scratch = ThisThreadsScratch();
  const auto root = [&] { return RootOf(columns_->Leaves(first_seq, batch_key)); };
  std::future<Hash> beside;
  if (raw_bytes() >= kParallelBytes) beside = scratch.hasher.Run(root);
  const std::string_view encoded = columns_->Encode(batch_key, position, scratch.columns);
  sealed.frame = scratch.Compress(encoded, nullptr);
  if (dictionary != nullptr && raw_bytes() <= kMaxDictionaryBatch) {
    std::string leaning = scratch.Compress(encoded, dictionary);
    if (leaning.size() < sealed.frame.size()) sealed.frame = std::move(leaning);
  }
  scratch.Tidy();
  sealed.payload_hash = Sha256(sealed.frame);
  sealed.records_root = beside.valid() ? beside.get() : root();
  sealed.record_count = record_count();
  sealed.read_time_first = sealed.read_time_last = columns_->rows.front().read_time;
  for (const Columns::Row& row : columns_->rows) {
    sealed.read_time_first = std::min(sealed.read_time_first, row.read_time);
    sealed.read_time_last = std::max(sealed.read_time_last, row.read_time);
    if (row.event_time == kNoTime) continue;
    sealed.event_time_max = std::max(sealed.event_time_max, row.event_time);
    sealed.event_time_min = sealed.event_time_min == kNoTime
                                ? row.event_time
                                : std::min(sealed.event_time_min, row.event_time);
  }
  columns_->Clear();
  return sealed;
}

}  // namespace logvault::evidence
