#include "forwarder/position.h"

#include "common/bytes.h"

namespace logvault::forwarder {

namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kHasBanner = 1;
constexpr std::uint8_t kContinues = 2;
constexpr std::uint8_t kUtf16Le = 4;

std::string KeyOf(const FileId& id) {
  std::string key;
  ByteWriter writer(key);
  writer.U8('f');
  writer.U64(id.device);
  writer.U64(id.inode);
  return key;
}

}  // namespace

evidence::PositionEntry FilePosition::Removal() const { return {KeyOf(id), {}}; }

evidence::PositionEntry FilePosition::ToEntry() const {
  std::string value;
  ByteWriter writer(value);
  writer.U8(kVersion);
  writer.U8(static_cast<std::uint8_t>((banner_offset.has_value() ? kHasBanner : 0) |
                                      (continues ? kContinues : 0) |
                                      (encoding == formats::Encoding::kUtf16Le ? kUtf16Le : 0)));
  writer.VarString(path);
  writer.Varint(offset);
  writer.Bytes(head_hash.view());
  writer.Bytes(tail_hash.view());
  writer.SignedVarint(banner_offset.value_or(0));
  writer.SignedVarint(seen);
  return {KeyOf(id), value};
}

Result<FilePosition> FilePosition::Parse(const evidence::PositionEntry& entry) {
  FilePosition position;
  ByteReader key(entry.key);
  bool is_file = key.U8() == 'f';
  position.id.device = key.U64();
  position.id.inode = key.U64();
  if (!is_file || !key.Done()) return Corruption("position: not a file's key");
  ByteReader value(entry.value);
  if (value.U8() != kVersion) return Corruption("position: unknown version");
  std::uint8_t flags = value.U8();
  position.path = value.VarString();
  position.offset = value.Varint();
  std::string_view head = value.Bytes(evidence::kHashSize);
  std::string_view tail = value.Bytes(evidence::kHashSize);
  std::int64_t banner = value.SignedVarint();
  position.seen = value.SignedVarint();
  if (!value.Done()) return Corruption("position: cut short");
  position.head_hash = *evidence::Hash::FromBytes(head);
  position.tail_hash = *evidence::Hash::FromBytes(tail);
  if ((flags & kHasBanner) != 0) position.banner_offset = static_cast<int>(banner);
  position.continues = (flags & kContinues) != 0;
  if ((flags & kUtf16Le) != 0) position.encoding = formats::Encoding::kUtf16Le;
  return position;
}

}  // namespace logvault::forwarder
