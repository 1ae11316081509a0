// Checks the stored tree against the blocks: two trees are grown, one of the blocks' hashes and one
// of the hashes that the tiles hold, and the signed checkpoints decide between them.  So an altered
// block is told from an altered tile, and one bad block does not cast doubt on all that follow.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "evidence/hash.h"
#include "evidence/merkle.h"
#include "storage/findings.h"

namespace logvault::storage {

class Tables;

class TreeCheck {
 public:
  TreeCheck(const Tables& tables, Findings& findings) : tables_(tables), findings_(findings) {}

  // The next block's leaf hash; nullopt where the block is missing or unreadable.
  void AddLeaf(const std::optional<evidence::Hash>& leaf);
  // A signed statement that the tree of the leaves so far has `root`; `what` names it.  False where
  // it has not.
  bool Check(const evidence::Hash& root, const std::string& what);
  // Whether one of the two trees has this root now; decides nothing.
  [[nodiscard]] bool Matches(const evidence::Hash& root) const;
  // Checks the tiles that are not full.
  void Finish();

  [[nodiscard]] std::uint64_t size() const { return by_blocks_.size(); }

 private:
  struct Leaf {
    evidence::Hash by_block;
    evidence::Hash by_tile;
  };
  std::optional<evidence::Hash> StoredLeaf(std::uint64_t index);
  void Settle(bool blocks_are_right);
  void AddToTile(std::size_t level, const evidence::Hash& hash);
  void CheckTile(std::size_t level);

  const Tables& tables_;
  Findings& findings_;
  evidence::CompactTree by_blocks_;
  evidence::CompactTree by_tiles_;
  std::vector<Leaf> unsettled_;              // since the checkpoint before; by_blocks_.size() -
                                             // unsettled_.size() is the first
  bool lost_ = false;                        // neither tree fits any more
  std::vector<evidence::Hash> stored_tile_;  // of level 0
  std::optional<std::uint64_t> stored_tile_number_;
  struct Level {
    std::uint64_t tile = 0;
    std::vector<evidence::Hash> hashes;
  };
  std::vector<Level> levels_;
};

}  // namespace logvault::storage
