#include "cli/access_receipt.h"

#include <vector>

#include "evidence/access.h"
#include "evidence/block.h"
#include "evidence/merkle.h"

namespace logvault::cli {
namespace {

using HashField = google::protobuf::RepeatedPtrField<std::string>;

Result<std::vector<evidence::Hash>> HashesOf(const HashField& field) {
  std::vector<evidence::Hash> hashes;
  for (const std::string& bytes : field) {
    Result<evidence::Hash> hash = evidence::Hash::FromBytes(bytes);
    if (!hash.ok()) return hash.status();
    hashes.push_back(*hash);
  }
  return hashes;
}

Status CheckBody(const evidence::BlockHeader& block, const OwnCall& call, std::uint64_t scope) {
  if (block.kind != evidence::BlockKind::kAccess) return Corruption("it is no ACCESS block");
  if (block.index < scope) return Corruption("it is older than what it is about");
  Result<evidence::AccessBody> body = evidence::AccessBody::Parse(block.body);
  if (!body.ok()) return body.status();
  if (body->certificate != call.certificate) return Corruption("it names another caller");
  if (body->call != call.call || body->query_hash != evidence::Sha256(call.text)) {
    return Corruption("it records another question");
  }
  if (body->tree_size != scope) return Corruption("it is about another tree size");
  return Status::Ok();
}

Status CheckProofs(const v1::AccessReceipt& receipt, const evidence::BlockHeader& block,
                   const evidence::Checkpoint& scope, const evidence::Checkpoint& tree) {
  if (tree.size <= block.index) return Corruption("its tree ends before it");
  Result<std::vector<evidence::Hash>> inclusion = HashesOf(receipt.inclusion());
  if (!inclusion.ok()) return inclusion.status();
  LV_RETURN_IF_ERROR(evidence::VerifyInclusion(evidence::LeafHash(receipt.block()), block.index,
                                               tree.size, *inclusion, tree.root));
  Result<std::vector<evidence::Hash>> consistency = HashesOf(receipt.consistency());
  if (!consistency.ok()) return consistency.status();
  return evidence::VerifyConsistency(scope.size, tree.size, scope.root, tree.root, *consistency);
}

Result<evidence::Checkpoint> Verify(const v1::AccessReceipt& receipt, const OwnCall& call,
                                    const evidence::Checkpoint& scope,
                                    const evidence::VerifierKey& key) {
  if (receipt.scope() != scope.size) return Corruption("it is about another tree size");
  Result<evidence::BlockHeader> block = evidence::BlockHeader::Parse(receipt.block());
  if (!block.ok()) return block.status();
  LV_RETURN_IF_ERROR(CheckBody(*block, call, scope.size));
  Result<evidence::Checkpoint> tree = evidence::OpenCheckpoint(receipt.checkpoint(), key);
  if (!tree.ok()) return tree.status();
  LV_RETURN_IF_ERROR(CheckProofs(receipt, *block, scope, *tree));
  return tree;
}

}  // namespace

Result<evidence::Checkpoint> VerifyAccess(const v1::AccessReceipt& receipt, const OwnCall& call,
                                          const evidence::Checkpoint& scope,
                                          const evidence::VerifierKey& key) {
  Result<evidence::Checkpoint> tree = Verify(receipt, call, scope, key);
  if (tree.ok()) return tree;
  return Integrity(
      "the vault does not prove that it recorded this call, so its answer is not taken: " +
      tree.status().message());
}

}  // namespace logvault::cli
