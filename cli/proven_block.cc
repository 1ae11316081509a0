#include "cli/proven_block.h"

#include "evidence/merkle.h"

namespace logvault::cli {

Result<evidence::BlockHeader> Proven(const std::string& bytes,
                                     const std::vector<evidence::Hash>& inclusion,
                                     const evidence::Checkpoint& tree) {
  Result<evidence::BlockHeader> block = evidence::BlockHeader::Parse(bytes);
  if (!block.ok()) return block;
  if (block->index >= tree.size) return Corruption("it lies past the checkpoint's end");
  LV_RETURN_IF_ERROR(evidence::VerifyInclusion(evidence::LeafHash(bytes), block->index, tree.size,
                                               inclusion, tree.root));
  return block;
}

Result<evidence::BlockHeader> Proven(const v1::ProvenBlock& proven,
                                     const evidence::Checkpoint& tree) {
  std::vector<evidence::Hash> inclusion;
  for (const std::string& bytes : proven.inclusion()) {
    Result<evidence::Hash> hash = evidence::Hash::FromBytes(bytes);
    if (!hash.ok()) return hash.status();
    inclusion.push_back(*hash);
  }
  return Proven(proven.block(), inclusion, tree);
}

}  // namespace logvault::cli
