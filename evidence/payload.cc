#include "evidence/payload.h"

#include <zstd.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "common/bytes.h"
#include "evidence/batch.h"
#include "evidence/columns.h"
#include "evidence/leaf_hasher.h"
#include "evidence/merkle.h"

namespace logvault::evidence {
namespace {

constexpr std::size_t kMaxPositionEntries = 100'000;

std::int64_t WrappingAdd(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

struct FreeContext {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

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

}  // namespace

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
  if (reader.U8() != kPayloadVersion) return Corruption("payload: not of version 2");
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
