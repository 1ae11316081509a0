#include "evidence/payload.h"

#include <openssl/evp.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <future>
#include <unordered_map>

#include "common/bytes.h"
#include "common/check.h"
#include "common/worker.h"
#include "evidence/batch.h"
#include "evidence/columns.h"
#include "evidence/merkle.h"
#include "evidence/sha256_many.h"

namespace logvault::evidence {
namespace {

constexpr std::uint8_t kVersion = 2;
// Level 3 makes batches of this size 1.7 % smaller and takes 1.7 times as long (docs/performance.md).
constexpr int kZstdLevel = 1;
// Half the level's own table of places seen, which the processor's nearest cache then holds, and matches from 6 bytes on instead
// of 7: 0.4 % smaller in as much time (docs/performance.md).
constexpr int kZstdHashLog = 13;
constexpr int kZstdMinMatch = 6;
// From here on a batch's leaves are computed beside its compression: below, a thread costs more than it saves.
constexpr std::size_t kParallelBytes = 64u << 10;
constexpr std::size_t kMaxPositionEntries = 100'000;
// Of a batch from the one size on its columns are put before the records' bytes where these are, in so much room.
constexpr std::size_t kColumnsBesideBytes = 64u << 10, kColumnsRoom = 64u << 10;

std::int64_t WrappingSub(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}

std::int64_t WrappingAdd(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
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
    Set(ZSTD_c_hashLog, kZstdHashLog);
    Set(ZSTD_c_minMatch, kZstdMinMatch);
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

struct Decompressed {
  std::unique_ptr<char[]> bytes;
  std::size_t size;
};

Result<Decompressed> Decompress(std::string_view frame, const Dictionaries& dictionaries) {
  thread_local std::unique_ptr<ZSTD_DCtx, FreeContext> context(ZSTD_createDCtx());
  unsigned long long size = ZSTD_getFrameContentSize(frame.data(), frame.size());
  if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR) {
    return Corruption("payload: not a zstd frame of stated size");
  }
  if (size > kMaxPayloadSize) return Corruption("payload: more than 20 MiB decompressed");
  const std::uint32_t named = DictionaryOf(frame);
  const Dictionary* dictionary = dictionaries.Find(named);
  if (named != 0 && dictionary == nullptr)
    return Corruption("payload: compressed with dictionary " + std::to_string(named) +
                      ", which is not there");
  auto bytes = std::make_unique_for_overwrite<char[]>(size);
  const std::size_t got = ZSTD_decompress_usingDDict(
      context.get(), bytes.get(), size, frame.data(), frame.size(),
      dictionary == nullptr ? nullptr : &dictionary->for_decompression());
  if (ZSTD_isError(got) != 0)
    return Corruption(std::string("payload: zstd: ") + ZSTD_getErrorName(got));
  if (got != size) return Corruption("payload: the zstd frame is shorter than stated");
  return Decompressed{std::move(bytes), size};
}

// The fixed part of a record leaf, leading 0x00 included, up to the length of the origin.
constexpr std::size_t kLeafPrefixSize = 1 + kSaltSize + 8 + 8 + 8 + 4 + 2;

template <std::size_t kSize>
char* PutBigEndian(std::uint64_t value, char* out) {
  for (std::size_t i = 0; i < kSize; ++i)
    out[i] = static_cast<char>(value >> (8 * (kSize - 1 - i)));
  return out + kSize;
}

std::array<char, kLeafPrefixSize> LeafPrefix(std::string_view salt, std::uint64_t seq,
                                             const RecordView& record) {
  std::array<char, kLeafPrefixSize> prefix{};
  char* out = std::copy(salt.begin(), salt.end(), prefix.data() + 1);
  out = PutBigEndian<8>(seq, out);
  out = PutBigEndian<8>(static_cast<std::uint64_t>(record.event_time), out);
  out = PutBigEndian<8>(static_cast<std::uint64_t>(record.read_time), out);
  out = PutBigEndian<4>(record.flags, out);
  PutBigEndian<2>(record.origin.size(), out);
  return prefix;
}

std::string_view SaltOf(std::string_view salts, std::uint32_t i) {
  return salts.substr(i * kSaltSize, kSaltSize);
}

// Hashes a batch's record leaves, as many at a time as a room has place for that the processor's cache holds.
class LeafHasher {
 public:
  explicit LeafHasher(std::uint32_t record_count) {
    leaves_.reserve(record_count);
    room_.reserve(kRoomBytes);
  }

  void Add(std::string_view salt, std::uint64_t seq, const RecordView& record) {
    const std::size_t size = kLeafPrefixSize + record.origin.size() + record.bytes.size();
    if (room_.size() + size > kRoomBytes) HashRoom();
    if (size > kRoomBytes) {
      leaves_.push_back(RecordLeaf(salt, seq, record));
      return;
    }
    const std::array<char, kLeafPrefixSize> prefix = LeafPrefix(salt, seq, record);
    const char* begin = room_.data() + room_.size();
    room_.append(prefix.data(), prefix.size()).append(record.origin).append(record.bytes);
    messages_.emplace_back(begin, size);
  }

  std::vector<Hash> Finish() {
    HashRoom();
    return std::move(leaves_);
  }

 private:
  static constexpr std::size_t kRoomBytes = 96u << 10;

  void HashRoom() {
    const std::size_t hashed = leaves_.size();
    leaves_.resize(hashed + messages_.size());
    Sha256Many(messages_, std::span(leaves_).subspan(hashed));
    messages_.clear();
    room_.clear();
  }

  std::string room_;
  std::vector<std::string_view> messages_;  // in room_
  std::vector<Hash> leaves_;
};

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
  writer.U8(kVersion);
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
  if (encoded.size() > room) {
    writer.Bytes(blob());
    return encoded;
  }
  const std::size_t begin = room - encoded.size();
  std::copy(encoded.begin(), encoded.end(), bytes.data() + begin);
  return std::string_view(bytes).substr(begin);
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

Result<Payload> Payload::Parse(std::string_view frame, const Dictionaries& dictionaries) {
  Result<Decompressed> decompressed = Decompress(frame, dictionaries);
  if (!decompressed.ok()) return decompressed.status();
  Payload payload;
  payload.bytes_ = std::move(decompressed->bytes);
  LV_RETURN_IF_ERROR(payload.ParseColumns({payload.bytes_.get(), decompressed->size}));
  return payload;
}

Status Payload::ParseColumns(std::string_view bytes) {
  ByteReader reader(bytes);
  if (reader.U8() != kVersion) return Corruption("payload: not of version 1");
  const std::uint64_t count = reader.Varint();
  // A row takes at least three bytes of columns, so that a count cannot make us allocate more than
  // was sent.
  if (count == 0 || count > kMaxRecordsPerBatch || count > reader.rest().size() / 3) {
    return Corruption("payload: no sensible record count");
  }
  rows_.resize(count);
  std::vector<RecordEnd> ends;
  ends.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) ends.push_back(RecordEnd::Read(reader));
  const std::vector<UnixNanos> event_times = ReadTimes(reader, count);
  if (!reader.ok()) return Corruption("payload: a column of ends or times is not in order");
  for (std::size_t i = 0; i < count; ++i) rows_[i].event_time = event_times[i];
  UnixNanos time = 0;
  for (Row& row : rows_) row.read_time = time = WrappingAdd(time, reader.SignedVarint());
  LV_RETURN_IF_ERROR(ParseFlags(reader));
  LV_RETURN_IF_ERROR(ParseOrigins(reader));
  batch_key_ = reader.Bytes(kBatchKeySize);
  LV_RETURN_IF_ERROR(ParsePosition(reader));
  if (!reader.ok()) return Corruption("payload: the columns are cut off");
  blob_ = reader.rest();
  return CutBlob(ends);
}

Status Payload::CutBlob(std::span<const RecordEnd> ends) {
  std::size_t offset = 0;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    const std::size_t size = ends[i].Find(blob_.substr(offset));
    if (size == std::string_view::npos)
      return Corruption("payload: the records are longer than the blob");
    if (size > kMaxRecordSize) return Corruption("payload: a record is longer than 16 MiB");
    rows_[i].offset = static_cast<std::uint32_t>(offset);
    rows_[i].size = static_cast<std::uint32_t>(size);
    offset += size;
  }
  if (offset != blob_.size()) return Corruption("payload: the records are shorter than the blob");
  return Status::Ok();
}

Status Payload::ParseFlags(ByteReader& reader) {
  RunReader runs;
  for (Row& row : rows_) {
    const std::uint64_t value = runs.Next(reader);
    if (value > UINT32_MAX) return Corruption("payload: flags beyond 32 bits");
    row.flags = static_cast<std::uint32_t>(value);
  }
  return runs.Exhausted() ? Status::Ok() : Corruption("payload: a run of flags is too long");
}

Status Payload::ParseOrigins(ByteReader& reader) {
  const std::uint64_t count = reader.Varint();
  if (count == 0 || count > rows_.size()) {
    return Corruption("payload: no sensible count of origins");
  }
  for (std::uint64_t i = 0; i < count; ++i) {
    origins_.push_back(reader.VarString());
    if (origins_.back().size() > kMaxOriginSize) {
      return Corruption("payload: an origin is longer than 4 KiB");
    }
  }
  RunReader runs;
  for (Row& row : rows_) {
    const std::uint64_t value = runs.Next(reader);
    if (value >= count) return Corruption("payload: a record names an origin that is not there");
    row.origin = static_cast<std::uint32_t>(value);
  }
  return runs.Exhausted() ? Status::Ok() : Corruption("payload: a run of origins is too long");
}

Status Payload::ParsePosition(ByteReader& reader) {
  const std::uint64_t count = reader.Varint();
  if (count > kMaxPositionEntries || count > reader.rest().size() / 2) {
    return Corruption("payload: no sensible count of position entries");
  }
  for (std::uint64_t i = 0; i < count; ++i) {
    std::string key(reader.VarString());
    position_.push_back({std::move(key), std::string(reader.VarString())});
  }
  return Status::Ok();
}

RecordView Payload::record(std::uint32_t i) const {
  const Row& row = rows_[i];
  return {row.event_time, row.read_time, row.flags, origins_[row.origin],
          blob_.substr(row.offset, row.size)};
}

std::string RecordSalts(std::string_view batch_key, std::uint32_t record_count) {
  LV_CHECK(batch_key.size() == kBatchKeySize);
  std::unique_ptr<EVP_CIPHER_CTX, FreeContext> context(EVP_CIPHER_CTX_new());
  static constexpr unsigned char kZeroIv[16] = {};
  std::string salts(record_count * kSaltSize, '\0');
  auto* bytes = reinterpret_cast<unsigned char*>(salts.data());
  int size = 0;
  LV_CHECK(EVP_EncryptInit_ex2(context.get(), EVP_aes_256_ctr(),
                               reinterpret_cast<const unsigned char*>(batch_key.data()), kZeroIv,
                               nullptr) == 1);
  LV_CHECK(EVP_EncryptUpdate(context.get(), bytes, &size, bytes, static_cast<int>(salts.size())) ==
           1);
  LV_CHECK(static_cast<std::size_t>(size) == salts.size());
  return salts;
}

Hash RecordLeaf(std::string_view salt, std::uint64_t seq, const RecordView& record) {
  LV_CHECK(salt.size() == kSaltSize);
  LV_CHECK(record.origin.size() <= kMaxOriginSize);
  const std::array<char, kLeafPrefixSize> prefix = LeafPrefix(salt, seq, record);
  return Sha256({{prefix.data(), prefix.size()}, record.origin, record.bytes});
}

std::vector<Hash> RecordLeaves(const Payload& payload, std::uint64_t first_seq) {
  std::string salts = RecordSalts(payload.batch_key(), payload.record_count());
  LeafHasher hasher(payload.record_count());
  for (std::uint32_t i = 0; i < payload.record_count(); ++i) {
    hasher.Add(SaltOf(salts, i), first_seq + i, payload.record(i));
  }
  return hasher.Finish();
}

Result<Payload> OpenPayload(const BatchHeader& header, std::string_view frame,
                            const Dictionaries& dictionaries) {
  if (Sha256(frame) != header.payload_hash)
    return Corruption("the payload's hash is not the one in the batch header");
  Result<Payload> payload = Payload::Parse(frame, dictionaries);
  if (!payload.ok()) return payload;
  if (payload->record_count() != header.record_count)
    return Corruption("the payload's record count is not the header's");

  UnixNanos read_first = INT64_MAX, read_last = INT64_MIN, event_min = kNoTime, event_max = kNoTime;
  for (std::uint32_t i = 0; i < payload->record_count(); ++i) {
    RecordView record = payload->record(i);
    read_first = std::min(read_first, record.read_time);
    read_last = std::max(read_last, record.read_time);
    if (record.event_time == kNoTime) continue;
    event_max = std::max(event_max, record.event_time);
    event_min = event_min == kNoTime ? record.event_time : std::min(event_min, record.event_time);
  }
  if (read_first != header.read_time_first || read_last != header.read_time_last) {
    return Corruption("the payload's read times are not the header's");
  }
  if (event_min != header.event_time_min || event_max != header.event_time_max) {
    return Corruption("the payload's event times are not the header's");
  }
  if (RootOf(RecordLeaves(*payload, header.first_seq)) != header.records_root) {
    return Corruption("the records' root is not the header's");
  }
  return payload;
}

}  // namespace logvault::evidence
