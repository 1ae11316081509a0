// The Merkle tree of RFC 6962 section 2.1 over SHA-256: hashes, roots, and the verification of inclusion
// and consistency proofs (RFC 9162 sections 2.1.3.2 and 2.1.4.2).
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "common/status.h"
#include "evidence/hash.h"

namespace logvault::evidence {

Hash LeafHash(std::string_view entry);               // SHA-256(0x00 || entry)
Hash NodeHash(const Hash& left, const Hash& right);  // SHA-256(0x01 || left || right)
Hash EmptyRoot();                                    // SHA-256("")
Hash RootOf(std::span<const Hash> leaves);

// The hash of the complete subtree over leaves [index << level, (index + 1) << level).
using NodeReader = std::function<Result<Hash>(std::uint32_t level, std::uint64_t index)>;

// The root of the first `size` leaves.
Result<Hash> RootAt(std::uint64_t size, const NodeReader& node);
// Leaf's sibling first, root's child last.  REQUIRES: index < size.
Result<std::vector<Hash>> InclusionProof(std::uint64_t index, std::uint64_t size,
                                         const NodeReader& node);
// Empty where size1 is 0 or equals size2.  REQUIRES: size1 <= size2.
Result<std::vector<Hash>> ConsistencyProof(std::uint64_t size1, std::uint64_t size2,
                                           const NodeReader& node);
// A reader over leaves in memory.  `leaves` must outlive it.
NodeReader NodesOf(std::span<const Hash> leaves);

// OK, or kCorruption saying what does not fit.
Status VerifyInclusion(const Hash& leaf, std::uint64_t index, std::uint64_t size,
                       std::span<const Hash> proof, const Hash& root);
// Refuses size1 == 0: a caller without an earlier state has nothing to compare.
Status VerifyConsistency(std::uint64_t size1, std::uint64_t size2, const Hash& root1,
                         const Hash& root2, std::span<const Hash> proof);

// A tree that only grows, kept as the roots of its complete subtrees: at most 64 hashes.
class CompactTree {
 public:
  CompactTree() = default;
  // The tree of `size` leaves, its complete subtrees read from `node`.
  static Result<CompactTree> Load(std::uint64_t size, const NodeReader& node);

  // `on_node`, where given, is told of each complete subtree that `leaf` finishes, the leaf itself first.
  using OnNode = std::function<void(std::uint32_t level, std::uint64_t index, const Hash& hash)>;
  void Append(const Hash& leaf, const OnNode& on_node = nullptr);

  // The next 2^level leaves at once, as the root over them.  False, and nothing appended, where they do not begin at a
  // multiple of their number: then that root is no node of the tree.
  bool AppendSubtree(std::uint32_t level, const Hash& root);

  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] Hash Root() const;
  bool operator==(const CompactTree&) const = default;

 private:
  std::uint64_t size_ = 0;
  std::vector<Hash> peaks_;  // largest subtree first, one for each set bit of size_
};

}  // namespace logvault::evidence
