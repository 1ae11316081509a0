#include "forwarder/position.h"

#include "common/bytes.h"

namespace logvault::forwarder {

namespace {

constexpr std::uint8_t kVersion = 2;
constexpr std::uint8_t kHasBanner = 1;
constexpr std::uint8_t kContinues = 2;
constexpr std::uint8_t kUtf16Le = 4;
constexpr std::uint8_t kOver = 8;
constexpr std::uint8_t kStored = 16;

std::string KeyOf(const FileId& id) {
  std::string key;
  ByteWriter writer(key);
  writer.U8('f');
  writer.U64(id.device);
  writer.U64(id.inode);
  return key;
}

}  // namespace

std::uint64_t FingerprintOf(std::string_view first_bytes) {
  if (first_bytes.size() < kFingerprintBytes) return 0;
  evidence::Hash hash = evidence::Sha256(first_bytes.substr(0, kFingerprintBytes));
  return ByteReader(hash.view()).U64();
}

evidence::PositionEntry FilePosition::Removal() const { return {KeyOf(id), {}}; }

evidence::PositionEntry FilePosition::ToEntry() const {
  std::string value;
  ByteWriter writer(value);
  writer.U8(kVersion);
  writer.U8(static_cast<std::uint8_t>((banner_offset.has_value() ? kHasBanner : 0) |
                                      (continues ? kContinues : 0) | (over ? kOver : 0) |
                                      (stored.has_value() ? kStored : 0) |
                                      (encoding == formats::Encoding::kUtf16Le ? kUtf16Le : 0)));
  writer.VarString(path);
  writer.VarString(live);
  writer.VarString(target);
  writer.Varint(offset);
  writer.Bytes(head_hash.view());
  writer.Bytes(tail_hash.view());
  writer.U64(fingerprint);
  writer.SignedVarint(banner_offset.value_or(0));
  writer.SignedVarint(mtime);
  writer.SignedVarint(born);
  if (stored.has_value()) {
    writer.Varint(stored->size);
    writer.SignedVarint(stored->mtime);
  }
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
  position.live = value.VarString();
  position.target = value.VarString();
  position.offset = value.Varint();
  std::string_view head = value.Bytes(evidence::kHashSize);
  std::string_view tail = value.Bytes(evidence::kHashSize);
  position.fingerprint = value.U64();
  std::int64_t banner = value.SignedVarint();
  position.mtime = value.SignedVarint();
  position.born = value.SignedVarint();
  StoredFile stored;
  if ((flags & kStored) != 0) stored = {value.Varint(), value.SignedVarint()};
  if (!value.Done()) return Corruption("position: cut short");
  position.head_hash = *evidence::Hash::FromBytes(head);
  position.tail_hash = *evidence::Hash::FromBytes(tail);
  if ((flags & kHasBanner) != 0) position.banner_offset = static_cast<int>(banner);
  position.continues = (flags & kContinues) != 0;
  position.over = (flags & kOver) != 0;
  if ((flags & kStored) != 0) position.stored = stored;
  if ((flags & kUtf16Le) != 0) position.encoding = formats::Encoding::kUtf16Le;
  return position;
}

}  // namespace logvault::forwarder
