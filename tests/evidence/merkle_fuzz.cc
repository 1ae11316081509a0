// Fuzzes proof verification: two different proofs never verify for the same statement.
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "common/bytes.h"
#include "evidence/merkle.h"

using namespace logvault::evidence;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  logvault::ByteReader reader({reinterpret_cast<const char*>(data), size});
  const std::uint64_t tree_size = reader.U8() + 1u;
  const std::uint64_t index = reader.U8();
  std::vector<Hash> leaves;
  for (std::uint64_t i = 0; i < tree_size; ++i) leaves.push_back(LeafHash(std::to_string(i)));
  std::vector<Hash> proof;
  while (reader.rest().size() >= kHashSize)
    proof.push_back(*Hash::FromBytes(reader.Bytes(kHashSize)));
  NodeReader nodes = NodesOf(leaves);
  Hash root = RootOf(leaves);
  if (index < tree_size && VerifyInclusion(leaves[index], index, tree_size, proof, root).ok() &&
      proof != *InclusionProof(index, tree_size, nodes)) {
    std::abort();
  }
  if (index > 0 && index <= tree_size) {
    Hash old_root = *RootAt(index, nodes);
    if (VerifyConsistency(index, tree_size, old_root, root, proof).ok() &&
        proof != *ConsistencyProof(index, tree_size, nodes)) {
      std::abort();
    }
  }
  return 0;
}
