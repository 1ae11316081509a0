#include "storage/tiles.h"

#include <memory>

#include "storage/tables.h"

namespace logvault::storage {
namespace {

Status AppendHashes(std::string_view bytes, std::vector<evidence::Hash>& hashes) {
  if (bytes.empty() || bytes.size() % evidence::kHashSize != 0) {
    return Corruption("a piece of " + std::to_string(bytes.size()) + " bytes");
  }
  for (; !bytes.empty(); bytes.remove_prefix(evidence::kHashSize)) {
    Result<evidence::Hash> hash = evidence::Hash::FromBytes(bytes.substr(0, evidence::kHashSize));
    if (!hash.ok()) return hash.status();
    hashes.push_back(*hash);
  }
  return Status::Ok();
}

std::string NameOf(std::uint8_t level, std::uint64_t tile) {
  return "tile " + std::to_string(level) + "/" + std::to_string(tile);
}

}  // namespace

void TilePieces::OnNode(std::uint32_t level, std::uint64_t index, const evidence::Hash& hash) {
  if (level % kTileHeight != 0) return;
  const auto tile_level = static_cast<std::uint8_t>(level / kTileHeight);
  const auto offset = static_cast<std::uint8_t>(index % kTileWidth);
  const auto open = open_.find(tile_level);
  if (open == open_.end() || offset == 0) {
    open_[tile_level] = pieces_.size();
    pieces_.push_back({TileKey{tile_level, index / kTileWidth, offset}, {}});
  }
  pieces_[open_[tile_level]].hashes.append(hash.view());
}

Result<std::vector<evidence::Hash>> ReadTile(const Tables& tables, std::uint8_t level,
                                             std::uint64_t tile) {
  std::vector<evidence::Hash> hashes;
  const std::unique_ptr<rocksdb::Iterator> rows = tables.Seek(tables.tile());
  for (rows->Seek(TileKey{level, tile, 0}.Serialize()); rows->Valid(); rows->Next()) {
    Result<TileKey> key = TileKey::Parse(ToView(rows->key()));
    if (!key.ok()) return key.status();
    if (key->level != level || key->tile != tile) break;
    if (key->offset != hashes.size()) {
      return Corruption(NameOf(level, tile) + ": a piece at " + std::to_string(key->offset) +
                        " follows " + std::to_string(hashes.size()) + " hashes");
    }
    Status status = AppendHashes(ToView(rows->value()), hashes);
    if (!status.ok()) return status.WithContext(NameOf(level, tile));
    if (hashes.size() > kTileWidth) return Corruption(NameOf(level, tile) + " is too long");
  }
  if (!rows->status().ok()) return FromRocks(rows->status()).WithContext(NameOf(level, tile));
  return hashes;
}

}  // namespace logvault::storage
