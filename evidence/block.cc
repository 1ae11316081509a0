#include "evidence/block.h"

#include "common/bytes.h"
#include "common/check.h"

namespace logvault::evidence {
namespace {

constexpr std::string_view kMagic = "logvault/blk/v1\n";

}  // namespace

std::string_view ToString(BlockKind kind) {
  switch (kind) {
    case BlockKind::kGenesis:
      return "GENESIS";
    case BlockKind::kStream:
      return "STREAM";
    case BlockKind::kKey:
      return "KEY";
    case BlockKind::kRecords:
      return "RECORDS";
    case BlockKind::kAccess:
      return "ACCESS";
    case BlockKind::kAccessEnd:
      return "ACCESS_END";
    case BlockKind::kIndex:
      return "INDEX";
    case BlockKind::kAlert:
      return "ALERT";
    case BlockKind::kSilence:
      return "SILENCE";
    case BlockKind::kConflict:
      return "CONFLICT";
    case BlockKind::kRetention:
      return "RETENTION";
    case BlockKind::kRetentionDone:
      return "RETENTION_DONE";
    case BlockKind::kHold:
      return "HOLD";
    case BlockKind::kConfig:
      return "CONFIG";
  }
  return "UNKNOWN";
}

Result<BlockHeader> BlockHeader::Parse(std::string_view bytes) {
  if (bytes.size() < kBlockPrefixSize)
    return Corruption("block header: shorter than its 72-byte prefix");
  ByteReader reader(bytes);
  if (reader.Bytes(kMagic.size()) != kMagic) return Corruption("block header: not of version 1");
  BlockHeader header;
  header.index = reader.U64();
  header.prev = *Hash::FromBytes(reader.Bytes(kHashSize));
  header.commit_time = reader.I64();
  header.kind = static_cast<BlockKind>(reader.U16());
  header.flags = reader.U16();
  std::uint32_t size = reader.U32();
  if (size > kMaxBlockBodySize) return Corruption("block header: the body is longer than 60 KiB");
  header.body = std::string(reader.Bytes(size));
  if (!reader.Done()) return Corruption("block header: the body is not as long as stated");
  if (ToString(header.kind) == "UNKNOWN") {
    return Corruption("block header: unknown kind " +
                      std::to_string(static_cast<unsigned>(header.kind)));
  }
  return header;
}

std::string BlockHeader::Serialize() const {
  LV_CHECK(body.size() <= kMaxBlockBodySize);
  std::string bytes;
  bytes.reserve(kBlockPrefixSize + body.size());
  ByteWriter writer(bytes);
  writer.Bytes(kMagic);
  writer.U64(index);
  writer.Bytes(prev.view());
  writer.U64(static_cast<std::uint64_t>(commit_time));
  writer.U16(static_cast<std::uint16_t>(kind));
  writer.U16(flags);
  writer.U32(static_cast<std::uint32_t>(body.size()));
  writer.Bytes(body);
  return bytes;
}

}  // namespace logvault::evidence
