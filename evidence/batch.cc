#include "evidence/batch.h"

#include "common/bytes.h"
#include "common/check.h"

namespace logvault::evidence {
namespace {

constexpr std::string_view kMagic = "logvault/bat/v1\n";

}  // namespace

Hash StreamId(std::string_view host, std::string_view source) {
  std::string bytes = "logvault/stream/v1\n";
  ByteWriter writer(bytes);
  writer.String16(host);
  writer.String16(source);
  return Sha256(bytes);
}

Result<BatchHeader> BatchHeader::Parse(std::string_view bytes) {
  if (bytes.size() != kBatchHeaderSize) {
    return Corruption("batch header: has " + std::to_string(bytes.size()) + " bytes, not 336");
  }
  ByteReader reader(bytes);
  if (reader.Bytes(kMagic.size()) != kMagic) return Corruption("batch header: not of version 1");
  auto hash = [&reader] { return *Hash::FromBytes(reader.Bytes(kHashSize)); };
  BatchHeader header;
  header.stream_id = hash();
  header.epoch = reader.U64();
  header.first_seq = reader.U64();
  header.record_count = reader.U32();
  header.seal_index = reader.U32();
  header.read_time_first = reader.I64();
  header.read_time_last = reader.I64();
  header.event_time_min = reader.I64();
  header.event_time_max = reader.I64();
  header.stream_prev = hash();
  header.records_root = hash();
  header.payload_hash = hash();
  header.seen_size = reader.U64();
  header.seen_root = hash();
  header.seal = hash();
  header.signature = std::string(reader.Bytes(kSignatureSize));
  LV_CHECK(reader.Done());
  if (header.first_seq == 0 || header.record_count == 0 ||
      header.first_seq > UINT64_MAX - header.record_count) {
    return Corruption("batch header: no sensible sequence range");
  }
  if (header.read_time_first > header.read_time_last ||
      header.event_time_min > header.event_time_max) {
    return Corruption("batch header: a time range runs backwards");
  }
  return header;
}

std::string SealBatchHeader(const BatchHeader& header, std::string_view seal_key,
                            const SigningKey& epoch_key) {
  std::string bytes;
  bytes.reserve(kBatchHeaderSize);
  ByteWriter writer(bytes);
  writer.Bytes(kMagic);
  writer.Bytes(header.stream_id.view());
  writer.U64(header.epoch);
  writer.U64(header.first_seq);
  writer.U32(header.record_count);
  writer.U32(header.seal_index);
  writer.U64(static_cast<std::uint64_t>(header.read_time_first));
  writer.U64(static_cast<std::uint64_t>(header.read_time_last));
  writer.U64(static_cast<std::uint64_t>(header.event_time_min));
  writer.U64(static_cast<std::uint64_t>(header.event_time_max));
  writer.Bytes(header.stream_prev.view());
  writer.Bytes(header.records_root.view());
  writer.Bytes(header.payload_hash.view());
  writer.U64(header.seen_size);
  writer.Bytes(header.seen_root.view());
  LV_CHECK(bytes.size() == kSealedSize);
  writer.Bytes(HmacSha256(seal_key, bytes).view());
  LV_CHECK(bytes.size() == kSignedSize);
  writer.Bytes(epoch_key.Sign(bytes));
  LV_CHECK(bytes.size() == kBatchHeaderSize);
  return bytes;
}

Status VerifyBatchSeal(std::string_view bytes, std::string_view seal_key) {
  if (bytes.size() != kBatchHeaderSize) return Corruption("batch header: has not 336 bytes");
  Hash expected = HmacSha256(seal_key, bytes.substr(0, kSealedSize));
  if (!EqualSecrets(expected.view(), bytes.substr(kSealedSize, kHashSize))) {
    return Corruption("the batch's seal does not verify");
  }
  return Status::Ok();
}

Status VerifyBatchSignature(std::string_view bytes, std::string_view epoch_public_key) {
  if (bytes.size() != kBatchHeaderSize) return Corruption("batch header: has not 336 bytes");
  return VerifyEd25519(epoch_public_key, bytes.substr(0, kSignedSize), bytes.substr(kSignedSize))
      .WithContext("the batch's signature");
}

}  // namespace logvault::evidence
