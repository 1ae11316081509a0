#include "storage/tile_cache.h"

#include <string>

#include "evidence/merkle.h"

namespace logvault::storage {
namespace {

constexpr std::uint32_t kMaxLevel = 63;

}  // namespace

void TileNodes::Append(const evidence::Hash& hash) {
  heights_[0].push_back(hash);
  for (std::size_t height = 0; height < kTileHeight && heights_[height].size() % 2 == 0; ++height) {
    const std::vector<evidence::Hash>& below = heights_[height];
    heights_[height + 1].push_back(evidence::NodeHash(below[below.size() - 2], below.back()));
  }
}

const evidence::Hash* TileNodes::Node(std::uint32_t height, std::uint64_t index) const {
  const std::vector<evidence::Hash>& nodes = heights_[height];
  return index < nodes.size() ? &nodes[index] : nullptr;
}

TileCache::Cached& TileCache::Touch(const Name& name) {
  const auto found = tiles_.find(name);
  if (found != tiles_.end()) {
    uses_.splice(uses_.begin(), uses_, found->second.use);
    return found->second;
  }
  if (tiles_.size() >= kCachedTilesMax) {
    tiles_.erase(uses_.back());
    uses_.pop_back();
  }
  uses_.push_front(name);
  Cached& cached = tiles_[name];
  cached.use = uses_.begin();
  return cached;
}

Result<evidence::Hash> TileCache::Node(const Tables& tables, std::uint32_t level,
                                       std::uint64_t index) {
  if (level > kMaxLevel || index > (UINT64_MAX >> level)) {
    return InvalidArgument("no tree has a node at level " + std::to_string(level));
  }
  const std::uint32_t height = level % kTileHeight;
  const std::uint64_t first = index << height;  // among the hashes of that level of tiles
  const Name name(static_cast<std::uint8_t>(level / kTileHeight), first / kTileWidth);
  const std::uint64_t within = first % kTileWidth >> height;
  {
    MutexLock lock(mutex_);
    const auto found = tiles_.find(name);
    if (found != tiles_.end()) {
      if (const evidence::Hash* node = found->second.nodes.Node(height, within)) {
        const evidence::Hash hash = *node;
        Touch(name);
        return hash;
      }
    }
  }
  Result<std::vector<evidence::Hash>> hashes = ReadTile(tables, name.first, name.second);
  if (!hashes.ok()) return hashes.status();
  TileNodes nodes;
  for (const evidence::Hash& hash : *hashes) nodes.Append(hash);
  const evidence::Hash* node = nodes.Node(height, within);
  if (node == nullptr) {
    return Corruption("tile " + std::to_string(name.first) + "/" + std::to_string(name.second) +
                      " has " + std::to_string(nodes.size()) + " hashes, too few for node " +
                      std::to_string(index) + " of level " + std::to_string(level));
  }
  const evidence::Hash hash = *node;
  MutexLock lock(mutex_);
  Cached& cached = Touch(name);
  if (cached.nodes.size() < nodes.size()) cached.nodes = std::move(nodes);
  return hash;
}

void TileCache::Add(const std::vector<TilePieces::Piece>& pieces) {
  MutexLock lock(mutex_);
  for (const TilePieces::Piece& piece : pieces) {
    const Name name(piece.key.level, piece.key.tile);
    const auto found = tiles_.find(name);
    const std::size_t known = found == tiles_.end() ? 0 : found->second.nodes.size();
    if (known != piece.key.offset) continue;  // read when it is asked for
    TileNodes& nodes = Touch(name).nodes;
    for (std::size_t at = 0; at < piece.hashes.size(); at += evidence::kHashSize) {
      Result<evidence::Hash> hash =
          evidence::Hash::FromBytes(std::string_view(piece.hashes).substr(at, evidence::kHashSize));
      if (hash.ok()) nodes.Append(*hash);
    }
  }
}

}  // namespace logvault::storage
