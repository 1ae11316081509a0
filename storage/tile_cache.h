// The tree's newest and most asked tiles in memory, with all nodes inside them: so that a receipt's proofs cost no
// read and next to no hashing.  Tiles only grow, so what is cached is always true, if perhaps too short.
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <map>
#include <utility>
#include <vector>

#include "common/mutex.h"
#include "common/status.h"
#include "evidence/hash.h"
#include "storage/keys.h"
#include "storage/tiles.h"

namespace logvault::storage {

class Tables;

inline constexpr std::size_t kCachedTilesMax = 256;  // of at most 16 KiB

// A tile and the complete subtrees within it.
class TileNodes {
 public:
  void Append(const evidence::Hash& hash);
  [[nodiscard]] std::size_t size() const { return heights_[0].size(); }
  // The subtree of 2^height hashes numbered `index` within the tile; nullptr where it is not complete.
  [[nodiscard]] const evidence::Hash* Node(std::uint32_t height, std::uint64_t index) const;

 private:
  std::array<std::vector<evidence::Hash>, kTileHeight + 1> heights_;
};

// Safe from several threads.
class TileCache {
 public:
  // The hash of the complete subtree; `tables` is asked for what is not cached.
  Result<evidence::Hash> Node(const Tables& tables, std::uint32_t level, std::uint64_t index)
      LV_EXCLUDES(mutex_);
  // What a commit added and made durable.
  void Add(const std::vector<TilePieces::Piece>& pieces) LV_EXCLUDES(mutex_);

 private:
  using Name = std::pair<std::uint8_t, std::uint64_t>;  // level, tile
  struct Cached {
    TileNodes nodes;
    std::list<Name>::iterator use;
  };
  Cached& Touch(const Name& name) LV_REQUIRES(mutex_);

  Mutex mutex_;
  std::map<Name, Cached> tiles_ LV_GUARDED_BY(mutex_);
  std::list<Name> uses_ LV_GUARDED_BY(mutex_);  // most recent first
};

}  // namespace logvault::storage
