#include "server/proofs.h"

#include <string>
#include <vector>

#include "evidence/merkle.h"

namespace logvault::server {
namespace {

Status AddHashes(const Result<std::vector<evidence::Hash>>& hashes, ProofField& proof) {
  if (!hashes.ok()) return hashes.status().WithContext("proof");
  for (const evidence::Hash& hash : *hashes) proof.Add(std::string(hash.view()));
  return Status::Ok();
}

}  // namespace

Status AddInclusion(const storage::Reader& reader, std::uint64_t index, const storage::Head& head,
                    ProofField& proof) {
  return AddHashes(evidence::InclusionProof(index, head.size, reader.Nodes()), proof);
}

Status AddConsistency(const storage::Reader& reader, std::uint64_t have_size,
                      const storage::Head& head, ProofField& proof) {
  if (have_size == 0) return Status::Ok();
  if (have_size > head.size) {
    return FailedPrecondition("a tree of " + std::to_string(have_size) +
                              " blocks is ahead of this vault's " + std::to_string(head.size));
  }
  return AddHashes(evidence::ConsistencyProof(have_size, head.size, reader.Nodes()), proof);
}

}  // namespace logvault::server
