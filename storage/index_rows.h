// The rows of the `index` family, and those of `rollup` that tell of them: derived from the blocks, rebuildable, trusted by
// nobody.  What the bytes mean is query/'s to say (query/index_segment.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/status.h"

namespace logvault::storage {

class Tables;

// A segment of the index as it is stored.
struct IndexedSegment {
  std::uint64_t first = 0, end = 0;    // blocks from `first` up to before `end`
  std::uint64_t deleted_payloads = 0;  // of them, when it was built
  std::uint32_t chunks = 0;
  std::uint64_t index_block = 0;  // that states its hash; 0: none yet
  bool operator==(const IndexedSegment&) const = default;
};

// Every segment, by `first`.
Result<std::vector<IndexedSegment>> ReadIndexedSegments(const Tables& tables);
// kNotFound where it is not there.
Result<std::string> ReadIndexDirectory(const Tables& tables, std::uint64_t first);
Result<std::string> ReadIndexChunk(const Tables& tables, std::uint64_t first, std::uint32_t chunk);

// Replaces the segment.  A crash soon after loses it whole, or not at all.
Status WriteIndexSegment(const Tables& tables, const IndexedSegment& segment,
                         const std::string& directory, const std::vector<std::string>& chunks);
// Says which INDEX block states the segment's hash; not synced.
Status WriteIndexBlock(const Tables& tables, const IndexedSegment& segment);

}  // namespace logvault::storage
