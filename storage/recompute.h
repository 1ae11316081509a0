// The second path before a signature: a group's blocks and tiles, computed again from the very
// bytes that are about to be written.  A hash that a flipped bit in memory spoiled must never be
// signed: a transparency log died of one.
#pragma once

#include "common/status.h"
#include "storage/vault.h"

namespace rocksdb {
class WriteBatch;
}

namespace logvault::storage {

class Tables;

// The chain after `rows`, whose first block must follow `start`.  kInternal where a block does not
// follow the one before it, or a tile's hash is not the tree's.
Result<Chain> RecomputeChain(const rocksdb::WriteBatch& rows, const Tables& tables, Chain start);

}  // namespace logvault::storage
