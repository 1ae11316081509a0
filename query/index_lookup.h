// Lookup: which blocks of a segment may hold what an IndexQuery asks for.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "common/status.h"
#include "query/index_query.h"
#include "query/index_segment.h"

namespace logvault::query {

// A place for each of Directory::blocks.
using BlockSet = std::vector<bool>;

// Chunk `i` of the directory, checked; nullptr where `part` is known to stand in none of its tokens.  `part` may be empty.
using ChunkSource =
    std::function<Result<std::shared_ptr<const Chunk>>(std::size_t i, std::string_view part)>;

// The blocks to visit.  A failure of `chunks` is returned: then all are.
Result<BlockSet> Lookup(const IndexQuery& query, bool uses_fields, const Directory& directory,
                        const ChunkSource& chunks);

}  // namespace logvault::query
