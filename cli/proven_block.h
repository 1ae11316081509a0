// A block of an answer and the proof that it lies in the signed tree, checked.
#pragma once

#include <string>
#include <vector>

#include "common/status.h"
#include "evidence/block.h"
#include "evidence/checkpoint.h"
#include "proto/logvault.pb.h"

namespace logvault::cli {

// The block, where `inclusion` proves `bytes` at the index that they state.  kCorruption where not.  Pure.
Result<evidence::BlockHeader> Proven(const std::string& bytes,
                                     const std::vector<evidence::Hash>& inclusion,
                                     const evidence::Checkpoint& tree);
Result<evidence::BlockHeader> Proven(const v1::ProvenBlock& proven,
                                     const evidence::Checkpoint& tree);

}  // namespace logvault::cli
