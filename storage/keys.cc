#include "storage/keys.h"

#include <chrono>
#include <cstdio>

#include "common/bytes.h"
#include "evidence/directive.h"

namespace logvault::storage {
namespace {

constexpr char kDescriptionTag = 'd';
constexpr char kProgressTag = 'h';
constexpr char kSequenceTag = 's';
constexpr char kPositionTag = 'p';
constexpr char kEpochTag = 'e';
constexpr char kSealKeyTag = 'k';
constexpr char kGoverningTag = 'g';
constexpr char kDeletedTag = 'x';
constexpr char kKeptFromTag = 'w';
constexpr char kIndexSummaryTag = 's';

std::string StreamKey(char tag, const evidence::Hash& stream_id) {
  std::string key(1, tag);
  key.append(stream_id.view());
  return key;
}

std::string TaggedNumber(char tag, std::uint64_t number) {
  std::string key(1, tag);
  ByteWriter(key).U64(number);
  return key;
}

std::string HostKey(char tag, std::string_view host) {
  std::string key(1, tag);
  ByteWriter(key).String16(host);
  return key;
}

evidence::Hash ReadHash(ByteReader& in) {
  Result<evidence::Hash> hash = evidence::Hash::FromBytes(in.Bytes(evidence::kHashSize));
  if (!hash.ok()) {
    in.Fail();
    return {};
  }
  return *hash;
}

}  // namespace

std::string MonthOf(UnixNanos time) {
  using namespace std::chrono;
  const auto day = floor<days>(sys_time<nanoseconds>(nanoseconds(time)));
  const year_month_day date(day);
  char text[32];
  std::snprintf(text, sizeof text, "%04d-%02u", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()));
  return text;
}

std::string RetentionClass(std::optional<std::uint64_t> keep_ns) {
  if (!keep_ns || *keep_ns == evidence::kKeepForever) return std::string(kDefaultRetentionClass);
  return "keep" + std::to_string(*keep_ns / kNanosPerSecond) + "s";
}

std::string PayloadFamily(std::string_view retention_class, UnixNanos commit_time) {
  std::string name(kPayloadFamilyPrefix);
  return name.append(retention_class).append(".").append(MonthOf(commit_time));
}

std::string NumberKey(std::uint64_t number) {
  std::string key;
  ByteWriter(key).U64(number);
  return key;
}

Result<std::uint64_t> ParseNumberKey(std::string_view key) {
  ByteReader in(key);
  const std::uint64_t number = in.U64();
  if (!in.Done()) return Corruption("a key of " + std::to_string(key.size()) + " bytes, want 8");
  return number;
}

Result<TileKey> TileKey::Parse(std::string_view key) {
  ByteReader in(key);
  TileKey result;
  result.level = in.U8();
  result.tile = in.U64();
  result.offset = in.U8();
  if (!in.Done()) return Corruption("a tile key of " + std::to_string(key.size()) + " bytes");
  return result;
}

std::string TileKey::Serialize() const {
  std::string key;
  ByteWriter out(key);
  out.U8(level);
  out.U64(tile);
  out.U8(offset);
  return key;
}

std::string DescriptionKey(const evidence::Hash& stream_id) {
  return StreamKey(kDescriptionTag, stream_id);
}

std::string ProgressKey(const evidence::Hash& stream_id) {
  return StreamKey(kProgressTag, stream_id);
}

std::string SequenceKey(const evidence::Hash& stream_id, std::uint64_t first_seq) {
  std::string key = StreamKey(kSequenceTag, stream_id);
  ByteWriter(key).U64(first_seq);
  return key;
}

std::string GoverningKey(std::uint64_t index) { return kGoverningTag + NumberKey(index); }
std::string DeletedKey(std::uint64_t index) { return kDeletedTag + NumberKey(index); }
std::string KeptFromKey(const evidence::Hash& stream_id) {
  return StreamKey(kKeptFromTag, stream_id);
}

std::string PositionKey(const evidence::Hash& stream_id, std::string_view key) {
  return StreamKey(kPositionTag, stream_id).append(key);
}

std::string EpochPrefix(std::string_view host) { return HostKey(kEpochTag, host); }

std::string EpochKey(std::string_view host, std::uint64_t epoch) {
  std::string key = EpochPrefix(host);
  ByteWriter(key).U64(epoch);
  return key;
}

std::string SealKeyKey(std::string_view host, std::uint64_t epoch) {
  std::string key = HostKey(kSealKeyTag, host);
  ByteWriter(key).U64(epoch);
  return key;
}

std::string IndexSummaryKey(std::uint64_t first) { return TaggedNumber(kIndexSummaryTag, first); }
std::string IndexDirectoryKey(std::uint64_t first) { return NumberKey(first); }
std::string IndexChunkKey(std::uint64_t first, std::uint32_t chunk) {
  std::string key = NumberKey(first);
  ByteWriter(key).U32(chunk);
  return key;
}

Result<StreamDescription> StreamDescription::Parse(std::string_view bytes) {
  ByteReader in(bytes);
  StreamDescription result;
  result.host = in.String16();
  result.source = in.String16();
  result.format = in.String16();
  result.descriptor = in.String32();
  result.stream_block = in.U64();
  if (!in.Done()) return Corruption("a stream's description cannot be read");
  return result;
}

std::string StreamDescription::Serialize() const {
  std::string bytes;
  ByteWriter out(bytes);
  out.String16(host);
  out.String16(source);
  out.String16(format);
  out.String32(descriptor);
  out.U64(stream_block);
  return bytes;
}

Result<StreamProgress> StreamProgress::Parse(std::string_view bytes) {
  ByteReader in(bytes);
  StreamProgress result;
  result.last_seq = in.U64();
  result.head_hash = ReadHash(in);
  result.last_block = in.U64();
  result.records = in.U64();
  result.batches = in.U64();
  result.missing_records = in.U64();
  result.first_time = in.I64();
  result.last_time = in.I64();
  result.last_read_time = in.I64();
  result.last_commit_time = in.I64();
  if (!in.Done()) return Corruption("a stream's head cannot be read");
  return result;
}

std::string StreamProgress::Serialize() const {
  std::string bytes;
  ByteWriter out(bytes);
  out.U64(last_seq);
  out.Bytes(head_hash.view());
  out.U64(last_block);
  out.U64(records);
  out.U64(batches);
  out.U64(missing_records);
  out.I64(first_time);
  out.I64(last_time);
  out.I64(last_read_time);
  out.I64(last_commit_time);
  return bytes;
}

StreamHead ToStreamHead(const StreamDescription& description, const StreamProgress& progress) {
  StreamHead head;
  head.host = description.host;
  head.source = description.source;
  head.format = description.format;
  head.descriptor = description.descriptor;
  head.stream_block = description.stream_block;
  head.last_seq = progress.last_seq;
  head.head_hash = progress.head_hash;
  head.last_block = progress.last_block;
  head.records = progress.records;
  head.batches = progress.batches;
  head.missing_records = progress.missing_records;
  head.first_time = progress.first_time;
  head.last_time = progress.last_time;
  head.last_read_time = progress.last_read_time;
  head.last_commit_time = progress.last_commit_time;
  return head;
}

StreamDescription DescriptionOf(const StreamHead& head) {
  return {head.host, head.source, head.format, head.descriptor, head.stream_block};
}

StreamProgress ProgressOf(const StreamHead& head) {
  return {head.last_seq,       head.head_hash,       head.last_block, head.records,
          head.batches,        head.missing_records, head.first_time, head.last_time,
          head.last_read_time, head.last_commit_time};
}

Result<BatchPlace> BatchPlace::Parse(std::string_view bytes) {
  ByteReader in(bytes);
  BatchPlace place;
  place.block = in.U64();
  place.record_count = in.U32();
  if (!in.Done()) return Corruption("a batch's place cannot be read");
  return place;
}

std::string BatchPlace::Serialize() const {
  std::string bytes;
  ByteWriter out(bytes);
  out.U64(block);
  out.U32(record_count);
  return bytes;
}

Result<EpochRecord> ParseEpochRecord(std::string_view bytes) {
  ByteReader in(bytes);
  EpochRecord record;
  record.epoch = in.U64();
  record.key_block = in.U64();
  record.commit_time = in.I64();
  record.public_key = in.Bytes(evidence::kPublicKeySize);
  record.k0_hash = ReadHash(in);
  if (!in.Done()) return Corruption("an epoch's record cannot be read");
  return record;
}

std::string SerializeEpochRecord(const EpochRecord& record) {
  std::string bytes;
  ByteWriter out(bytes);
  out.U64(record.epoch);
  out.U64(record.key_block);
  out.I64(record.commit_time);
  out.Bytes(record.public_key);
  out.Bytes(record.k0_hash.view());
  return bytes;
}

}  // namespace logvault::storage
