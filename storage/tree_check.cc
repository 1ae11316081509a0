#include "storage/tree_check.h"

#include <algorithm>
#include <utility>

#include "storage/tables.h"
#include "storage/tiles.h"

namespace logvault::storage {
namespace {

// Bounds what waits for a checkpoint; far more than one commit adds.
constexpr std::size_t kUnsettledMax = 1u << 18;

std::string TileName(std::size_t level, std::uint64_t tile) {
  return "tile " + std::to_string(level) + "/" + std::to_string(tile);
}

}  // namespace

void TreeCheck::AddLeaf(const std::optional<evidence::Hash>& leaf) {
  const std::optional<evidence::Hash> stored = StoredLeaf(size());
  Leaf added;
  added.by_block = leaf.value_or(stored.value_or(evidence::Hash{}));
  added.by_tile = stored.value_or(added.by_block);
  by_blocks_.Append(added.by_block);
  by_tiles_.Append(added.by_tile);
  unsettled_.push_back(added);
  if (unsettled_.size() >= kUnsettledMax) Settle(true);
}

bool TreeCheck::Matches(const evidence::Hash& root) const {
  return by_blocks_.Root() == root || by_tiles_.Root() == root;
}

bool TreeCheck::Check(const evidence::Hash& root, const std::string& what) {
  if (by_blocks_.Root() == root) {
    Settle(true);
    return true;
  }
  if (by_tiles_.Root() == root) {
    Settle(false);
    return true;
  }
  if (!lost_) {
    const std::uint64_t first = size() - unsettled_.size();
    findings_.Add(first, "the root that " + what +
                             " signs is not the one of these blocks: one of the blocks " +
                             std::to_string(first) + " to " + std::to_string(size() - 1) +
                             " is not what was signed, and no later root fits");
  }
  lost_ = true;
  Settle(true);
  return false;
}

// A checkpoint, or the want of one, decides which hashes are the tree's; the other tree follows.
void TreeCheck::Settle(bool blocks_are_right) {
  std::uint64_t index = size() - unsettled_.size();
  for (const Leaf& leaf : unsettled_) {
    if (leaf.by_block != leaf.by_tile) {
      findings_.Add(index, blocks_are_right ? TileName(0, index / kTileWidth) +
                                                  " holds another hash than this block's"
                                            : "the block is not the one whose hash was signed");
    }
    AddToTile(0, blocks_are_right ? leaf.by_block : leaf.by_tile);
    ++index;
  }
  unsettled_.clear();
  if (blocks_are_right) {
    by_tiles_ = by_blocks_;
  } else {
    by_blocks_ = by_tiles_;
  }
}

std::optional<evidence::Hash> TreeCheck::StoredLeaf(std::uint64_t index) {
  const std::uint64_t tile = index / kTileWidth;
  if (stored_tile_number_ != tile) {
    Result<std::vector<evidence::Hash>> hashes = ReadTile(tables_, 0, tile);
    stored_tile_number_ = tile;
    stored_tile_.clear();
    if (hashes.ok()) stored_tile_ = *std::move(hashes);
  }
  const std::uint64_t offset = index % kTileWidth;
  if (offset >= stored_tile_.size()) return std::nullopt;
  return stored_tile_[offset];
}

void TreeCheck::AddToTile(std::size_t level, const evidence::Hash& hash) {
  if (levels_.size() <= level) levels_.resize(level + 1);
  levels_[level].hashes.push_back(hash);
  if (levels_[level].hashes.size() < kTileWidth) return;
  CheckTile(level);
  const evidence::Hash root = evidence::RootOf(levels_[level].hashes);
  levels_[level].hashes.clear();
  ++levels_[level].tile;
  AddToTile(level + 1, root);
}

// Level 0 was compared hash by hash, but for its rows' form and for hashes that lie beyond the last
// block.
void TreeCheck::CheckTile(std::size_t level) {
  const Level& want = levels_[level];
  const std::uint64_t block = (want.tile * kTileWidth) << (kTileHeight * level);
  Result<std::vector<evidence::Hash>> stored =
      ReadTile(tables_, static_cast<std::uint8_t>(level), want.tile);
  if (!stored.ok()) return findings_.Add(block, stored.status().message());
  if (stored->size() != want.hashes.size()) {
    return findings_.Add(block, TileName(level, want.tile) + " holds " +
                                    std::to_string(stored->size()) + " hashes, want " +
                                    std::to_string(want.hashes.size()));
  }
  if (level == 0) return;
  const auto [here, there] = std::mismatch(stored->begin(), stored->end(), want.hashes.begin());
  if (here == stored->end()) return;
  findings_.Add(block, TileName(level, want.tile) + ": hash " +
                           std::to_string(here - stored->begin()) + " is not the tree's");
}

void TreeCheck::Finish() {
  Settle(true);
  for (std::size_t level = 0; level < levels_.size(); ++level) {
    if (!levels_[level].hashes.empty()) CheckTile(level);
  }
}

}  // namespace logvault::storage
