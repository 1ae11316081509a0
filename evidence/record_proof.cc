#include "evidence/record_proof.h"

#include <utility>

#include "common/bytes.h"
#include "common/check.h"
#include "evidence/merkle.h"
#include "evidence/tlog_proof.h"

namespace logvault::evidence {
namespace {

constexpr std::string_view kMagic = "logvault/prf/v1\n";

std::string ExtraOf(const RecordProof& proof) {
  LV_CHECK(proof.salt.size() == kSaltSize && proof.record_path.size() <= UINT16_MAX);
  std::string bytes;
  ByteWriter writer(bytes);
  writer.Bytes(kMagic);
  writer.String16(proof.host);
  writer.String16(proof.source);
  writer.String32(proof.block);
  writer.Bytes(proof.salt);
  writer.U64(proof.seq);
  writer.I64(proof.event_time);
  writer.I64(proof.read_time);
  writer.U32(proof.flags);
  writer.String16(proof.origin);
  writer.String32(proof.bytes);
  writer.U16(static_cast<std::uint16_t>(proof.record_path.size()));
  for (const Hash& hash : proof.record_path) writer.Bytes(hash.view());
  return bytes;
}

}  // namespace

Result<RecordProof> RecordProof::Parse(std::string_view text) {
  Result<TlogProof> tlog = TlogProof::Parse(text);
  if (!tlog.ok()) return tlog.status();
  ByteReader reader(tlog->extra);
  if (reader.Bytes(kMagic.size()) != kMagic)
    return Corruption("proof: its extra line does not hold a record of version 1");
  RecordProof proof;
  proof.host = std::string(reader.String16());
  proof.source = std::string(reader.String16());
  proof.block = std::string(reader.String32());
  proof.salt = std::string(reader.Bytes(kSaltSize));
  proof.seq = reader.U64();
  proof.event_time = reader.I64();
  proof.read_time = reader.I64();
  proof.flags = reader.U32();
  proof.origin = std::string(reader.String16());
  proof.bytes = std::string(reader.String32());
  const std::uint16_t hashes = reader.U16();
  for (std::uint16_t i = 0; i < hashes && reader.ok(); ++i) {
    Result<Hash> hash = Hash::FromBytes(reader.Bytes(kHashSize));
    if (hash.ok()) proof.record_path.push_back(*hash);
  }
  if (!reader.Done())
    return Corruption("proof: the extra line is cut off, or longer than its fields");
  proof.index = tlog->index;
  proof.block_path = std::move(tlog->hashes);
  proof.note = std::move(tlog->note);
  return proof;
}

std::string RecordProof::Serialize() const {
  return TlogProof{ExtraOf(*this), index, block_path, note}.Serialize();
}

RecordProof ProveRecord(std::string_view block_bytes, const BatchHeader& batch,
                        const Payload& payload, std::uint64_t seq) {
  LV_CHECK(seq >= batch.first_seq && seq <= batch.last_seq());
  const auto i = static_cast<std::uint32_t>(seq - batch.first_seq);
  RecordProof proof;
  proof.block = std::string(block_bytes);
  proof.salt =
      RecordSalts(payload.batch_key(), payload.record_count()).substr(i * kSaltSize, kSaltSize);
  proof.seq = seq;
  const RecordView record = payload.record(i);
  proof.event_time = record.event_time;
  proof.read_time = record.read_time;
  proof.flags = record.flags;
  proof.origin = std::string(record.origin);
  proof.bytes = std::string(record.bytes);
  const std::vector<Hash> leaves = RecordLeaves(payload, batch.first_seq);
  Result<std::vector<Hash>> path = InclusionProof(i, leaves.size(), NodesOf(leaves));
  LV_CHECK(path.ok());  // the leaves are all there
  proof.record_path = *std::move(path);
  return proof;
}

Result<ProvenRecord> CheckRecordProof(const RecordProof& proof, const VerifierKey& key) {
  Result<Checkpoint> checkpoint = OpenCheckpoint(proof.note, key);
  if (!checkpoint.ok()) return checkpoint.status();
  LV_RETURN_IF_ERROR(VerifyInclusion(LeafHash(proof.block), proof.index, checkpoint->size,
                                     proof.block_path, checkpoint->root)
                         .WithContext("the block"));
  Result<BlockHeader> block = BlockHeader::Parse(proof.block);
  if (!block.ok()) return block.status();
  if (block->index != proof.index)
    return Corruption("the block states another index: " + std::to_string(block->index));
  if (block->kind != BlockKind::kRecords) return Corruption("the block holds no records");
  Result<BatchHeader> batch = BatchHeader::Parse(block->body);
  if (!batch.ok()) return batch.status();
  if (batch->stream_id != StreamId(proof.host, proof.source))
    return Corruption("the block is not of the stream " + proof.host + "/" + proof.source);
  if (proof.seq < batch->first_seq || proof.seq > batch->last_seq())
    return Corruption("the block does not hold record " + std::to_string(proof.seq));
  if (proof.origin.size() > kMaxOriginSize)
    return Corruption("the origin is longer than a record's can be");
  LV_RETURN_IF_ERROR(VerifyInclusion(RecordLeaf(proof.salt, proof.seq, proof.record()),
                                     proof.seq - batch->first_seq, batch->record_count,
                                     proof.record_path, batch->records_root)
                         .WithContext("the record"));
  return ProvenRecord{*std::move(block), *std::move(batch), *std::move(checkpoint)};
}

}  // namespace logvault::evidence
