// Verifying the index: every segment is built anew from its blocks and compared with what the chain states and with what is
// stored.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "common/status.h"
#include "evidence/block.h"
#include "evidence/index_body.h"
#include "storage/reader.h"

namespace logvault::query {

// What the chain says of a segment.
struct StatedSegment {
  std::uint64_t block = 0;  // the newest INDEX block that speaks of it
  evidence::IndexBody body;
};
using StatedIndex = std::map<std::uint64_t, StatedSegment>;  // by the segments' first blocks

// Puts in what `block` states, if it is an INDEX block of this version.
void NoteStated(const evidence::BlockHeader& block, StatedIndex& stated);
// "the index of blocks 3 to 9: ".
std::string NameOf(const evidence::IndexBody& body);

struct IndexFinding {
  std::uint64_t block = 0;  // the INDEX block
  std::string reason;
};

struct IndexReport {
  std::uint64_t segments = 0;  // that are as they must be
  // Payloads were deleted after it was stated, and it was not built anew yet: nothing can be said of it.
  std::uint64_t outdated = 0;
  // Payloads cannot be read: whoever verifies the blocks names them.
  std::uint64_t unreadable = 0;
  std::uint64_t unindexed_blocks = 0;  // behind the last segment
  std::vector<IndexFinding> findings;
};

IndexFinding NotBehindTheOneBefore(const StatedSegment& segment);

// Of the first `tree_size` blocks.  A Status where the blocks themselves cannot be read: that is for the verifier of blocks.
// `on_progress` may be empty.
Result<IndexReport> VerifyIndex(
    const storage::Reader& reader, std::uint64_t tree_size,
    const std::function<void(std::uint64_t done, std::uint64_t segments)>& on_progress,
    const std::stop_token& stop);

}  // namespace logvault::query
