#include "storage/recompute.h"

#include <rocksdb/write_batch.h>

#include <map>
#include <string>
#include <utility>

#include "evidence/block.h"
#include "storage/keys.h"
#include "storage/tables.h"

namespace logvault::storage {
namespace {

// Told of each row of a WriteBatch in order.
class RowReader final : public rocksdb::WriteBatch::Handler {
 public:
  RowReader(const Tables& tables, Chain start)
      : block_family_(tables.block()->GetID()),
        tile_family_(tables.tile()->GetID()),
        chain_(std::move(start)) {}

  rocksdb::Status PutCF(std::uint32_t family, const rocksdb::Slice& key,
                        const rocksdb::Slice& value) override {
    if (family == block_family_) TakeBlock(ToView(key), ToView(value));
    if (family == tile_family_) TakeTile(ToView(key), ToView(value));
    return rocksdb::Status::OK();
  }
  rocksdb::Status DeleteCF(std::uint32_t, const rocksdb::Slice&) override {
    return rocksdb::Status::OK();
  }

  Result<Chain> Finish() {
    if (status_.ok() && tiles_ != stored_tiles_) Fail("the tiles are not the tree's");
    if (!status_.ok()) return status_;
    return std::move(chain_);
  }

 private:
  void Fail(std::string why) {
    if (status_.ok()) status_ = Internal("recomputed before signing: " + std::move(why));
  }

  void TakeBlock(std::string_view key, std::string_view bytes) {
    const std::uint64_t index = chain_.tree.size();
    const std::string name = "block " + std::to_string(index);
    Result<evidence::BlockHeader> block = evidence::BlockHeader::Parse(bytes);
    if (!block.ok()) return Fail(name + ": " + block.status().message());
    if (key != NumberKey(index) || block->index != index) return Fail(name + " is out of order");
    if (block->prev != chain_.prev) return Fail(name + " is not linked to the one before");
    if (block->commit_time <= chain_.commit_time) return Fail(name + ": time does not rise");
    chain_.prev = evidence::LeafHash(bytes);
    chain_.commit_time = block->commit_time;
    chain_.tree.Append(chain_.prev,
                       [this](std::uint32_t level, std::uint64_t node, const evidence::Hash& hash) {
                         if (level % kTileHeight == 0)
                           tiles_[{level / kTileHeight, node}] = hash.view();
                       });
  }

  void TakeTile(std::string_view key, std::string_view hashes) {
    Result<TileKey> tile = TileKey::Parse(key);
    if (!tile.ok()) return Fail(tile.status().message());
    std::uint64_t node = tile->tile * kTileWidth + tile->offset;
    for (; !hashes.empty(); hashes.remove_prefix(std::min(hashes.size(), evidence::kHashSize))) {
      stored_tiles_[{tile->level, node++}] = hashes.substr(0, evidence::kHashSize);
    }
  }

  using Nodes = std::map<std::pair<std::uint32_t, std::uint64_t>, std::string>;

  const std::uint32_t block_family_;
  const std::uint32_t tile_family_;
  Chain chain_;
  Nodes tiles_;
  Nodes stored_tiles_;
  Status status_;
};

}  // namespace

Result<Chain> RecomputeChain(const rocksdb::WriteBatch& rows, const Tables& tables, Chain start) {
  RowReader reader(tables, std::move(start));
  LV_RETURN_IF_ERROR(FromRocks(rows.Iterate(&reader)));
  return reader.Finish();
}

}  // namespace logvault::storage
