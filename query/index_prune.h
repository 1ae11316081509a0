// Prune: leaves out of a plan the blocks that the index rules out.  A segment is used only where the INDEX block in the chain
// states its directory's hash; one that is missing or damaged rules nothing out, and is named.  What is newer than the index is
// ruled out by what earlier queries saw of it.
#pragma once

#include <map>
#include <stop_token>

#include "evidence/index_body.h"
#include "query/index_cache.h"
#include "query/plan.h"

namespace logvault::query {

// The newest INDEX block of each segment, by the segment's first block.
using StatedSegments = std::map<std::uint64_t, evidence::IndexBody>;

// REQUIRES: plan.blocks ascend by index.  `cache` may be nullptr.
void PruneByIndex(const storage::Reader& reader, const Expression& expression,
                  const StatedSegments& stated, IndexCache* cache, const std::stop_token& stop,
                  Plan& plan);

// Of the blocks that are not indexed yet, those whose filters were kept when they were read (query/scan.h) and rule out each text
// that the expression requires.
void PruneByFilters(const Expression& expression, IndexCache& cache, Plan& plan);

}  // namespace logvault::query
