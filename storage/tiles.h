// Tiles: the tree's hashes as rows of the tile family.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/status.h"
#include "evidence/hash.h"
#include "storage/keys.h"

namespace logvault::storage {

class Tables;

// Collects the tile hashes that a growing tree finishes, as the pieces one commit adds.
class TilePieces {
 public:
  // For CompactTree::Append: keeps the hashes that stand in a tile.
  void OnNode(std::uint32_t level, std::uint64_t index, const evidence::Hash& hash);

  struct Piece {
    TileKey key;
    std::string hashes;
  };
  // In the order in which their first hash was finished.
  [[nodiscard]] const std::vector<Piece>& pieces() const { return pieces_; }

 private:
  std::vector<Piece> pieces_;
  std::map<std::uint8_t, std::size_t> open_;  // level → the piece that its next hash belongs to
};

// The hashes of a stored tile, as many as are there; empty where there is no such tile.
Result<std::vector<evidence::Hash>> ReadTile(const Tables& tables, std::uint8_t level,
                                             std::uint64_t tile);

}  // namespace logvault::storage
