#include "evidence/merkle.h"

#include <algorithm>
#include <bit>
#include <string>
#include <utility>

#include "common/check.h"
#include "evidence/sha256_many.h"

namespace logvault::evidence {
namespace {

using namespace std::string_view_literals;

// The largest power of two smaller than `size`.  REQUIRES: size > 1.
std::uint64_t SplitPoint(std::uint64_t size) { return std::bit_floor(size - 1); }

Status Mismatch(std::string_view what) { return Corruption(std::string(what)); }

// The root over leaves [begin, begin + size), where begin is a multiple of the power of two at or above size.
Result<Hash> RootOfRange(std::uint64_t begin, std::uint64_t size, const NodeReader& node) {
  if (std::has_single_bit(size)) {
    auto level = static_cast<std::uint32_t>(std::countr_zero(size));
    return node(level, begin >> level);
  }
  std::uint64_t split = SplitPoint(size);
  Result<Hash> left = RootOfRange(begin, split, node);
  if (!left.ok()) return left;
  Result<Hash> right = RootOfRange(begin + split, size - split, node);
  if (!right.ok()) return right;
  return NodeHash(*left, *right);
}

// RFC 6962 section 2.1.2, SUBPROOF(m, D[begin:begin+size], whole), its hashes appended to `proof`.
Status SubProof(std::uint64_t m, std::uint64_t begin, std::uint64_t size, bool whole,
                const NodeReader& node, std::vector<Hash>& proof) {
  if (m == size) {
    if (whole) return Status::Ok();
    Result<Hash> root = RootOfRange(begin, size, node);
    if (!root.ok()) return root.status();
    proof.push_back(*root);
    return Status::Ok();
  }
  std::uint64_t split = SplitPoint(size);
  const bool left = m <= split;
  LV_RETURN_IF_ERROR(left ? SubProof(m, begin, split, whole, node, proof)
                          : SubProof(m - split, begin + split, size - split, false, node, proof));
  Result<Hash> sibling =
      left ? RootOfRange(begin + split, size - split, node) : RootOfRange(begin, split, node);
  if (!sibling.ok()) return sibling.status();
  proof.push_back(*sibling);
  return Status::Ok();
}

Hash RootOneByOne(std::span<const Hash> leaves) {
  CompactTree tree;
  for (const Hash& leaf : leaves) tree.Append(leaf);
  return tree.Root();
}

// From one level of a tree to the one above.  A last node without a sibling rises as it is: RFC 6962's tree splits at
// powers of two, which pairs all nodes but that one.
void Rise(std::vector<Hash>& nodes) {
  constexpr std::size_t kPairsAtATime = 1024;
  constexpr std::size_t kMessageSize = 1 + 2 * kHashSize;  // as NodeHash
  const std::size_t pairs = nodes.size() / 2;
  std::string room;
  std::vector<std::string_view> messages;
  room.reserve(std::min(pairs, kPairsAtATime) * kMessageSize);
  for (std::size_t first = 0; first < pairs; first += kPairsAtATime) {
    const std::size_t count = std::min(kPairsAtATime, pairs - first);
    room.clear();
    messages.clear();
    for (std::size_t i = first; i < first + count; ++i) {
      const char* begin = room.data() + room.size();
      room.append("\1"sv).append(nodes[2 * i].view()).append(nodes[2 * i + 1].view());
      messages.emplace_back(begin, kMessageSize);
    }
    Sha256Many(messages, std::span(nodes).subspan(first, count));
  }
  if (nodes.size() % 2 == 1) nodes[pairs] = nodes.back();
  nodes.resize(pairs + nodes.size() % 2);
}

// On which side of a path its next sibling stands.
enum class Side { kLeft, kRight };

// The way from a node up to the root of a tree whose last node of that level is `last`: what RFC 9162
// calls fn and sn.
class PathWalk {
 public:
  PathWalk(std::uint64_t node, std::uint64_t last) : node_(node), last_(last) {}

  [[nodiscard]] bool AtRoot() const { return last_ == 0; }

  // Goes up past every level on which the node is a right child.
  void SkipRightEdges() {
    while ((node_ & 1) != 0) Halve();
  }

  // Goes up past one sibling.  REQUIRES: !AtRoot().
  Side Up() {
    const Side side = (node_ & 1) != 0 || node_ == last_ ? Side::kLeft : Side::kRight;
    // The last node of a level may have no sibling there: its next one stands further up.
    if (side == Side::kLeft) {
      while ((node_ & 1) == 0 && node_ != 0) Halve();
    }
    Halve();
    return side;
  }

 private:
  void Halve() {
    node_ >>= 1;
    last_ >>= 1;
  }

  std::uint64_t node_;
  std::uint64_t last_;
};

}  // namespace

Hash LeafHash(std::string_view entry) { return Sha256({"\0"sv, entry}); }

Hash NodeHash(const Hash& left, const Hash& right) {
  return Sha256({"\1"sv, left.view(), right.view()});
}

Hash EmptyRoot() { return Sha256(""); }

Hash RootOf(std::span<const Hash> leaves) {
  if (leaves.size() < 2 * kManyMessages) return RootOneByOne(leaves);
  std::vector<Hash> nodes(leaves.begin(), leaves.end());
  while (nodes.size() >= 2 * kManyMessages) Rise(nodes);
  return RootOneByOne(nodes);
}

Result<Hash> RootAt(std::uint64_t size, const NodeReader& node) {
  if (size == 0) return EmptyRoot();
  return RootOfRange(0, size, node);
}

Result<std::vector<Hash>> InclusionProof(std::uint64_t index, std::uint64_t size,
                                         const NodeReader& node) {
  LV_CHECK(index < size);
  std::vector<Hash> from_root;
  std::uint64_t begin = 0;
  while (size > 1) {
    std::uint64_t split = SplitPoint(size);
    const bool left = index < split;
    Result<Hash> sibling =
        left ? RootOfRange(begin + split, size - split, node) : RootOfRange(begin, split, node);
    if (!sibling.ok()) return sibling.status();
    from_root.push_back(*sibling);
    if (left) {
      size = split;
    } else {
      begin += split;
      index -= split;
      size -= split;
    }
  }
  return std::vector<Hash>(from_root.rbegin(), from_root.rend());
}

Result<std::vector<Hash>> ConsistencyProof(std::uint64_t size1, std::uint64_t size2,
                                           const NodeReader& node) {
  LV_CHECK(size1 <= size2);
  std::vector<Hash> proof;
  if (size1 == 0 || size1 == size2) return proof;
  LV_RETURN_IF_ERROR(SubProof(size1, 0, size2, true, node, proof));
  return proof;
}

NodeReader NodesOf(std::span<const Hash> leaves) {
  return [leaves](std::uint32_t level, std::uint64_t index) -> Result<Hash> {
    std::uint64_t count = std::uint64_t{1} << level;
    if (index * count + count > leaves.size()) return OutOfRange("no such subtree");
    return RootOf(leaves.subspan(index * count, count));
  };
}

// RFC 9162 section 2.1.3.2.
Status VerifyInclusion(const Hash& leaf, std::uint64_t index, std::uint64_t size,
                       std::span<const Hash> proof, const Hash& root) {
  if (index >= size) return Mismatch("inclusion proof: the index is not in the tree");
  PathWalk walk(index, size - 1);
  Hash hash = leaf;
  for (const Hash& sibling : proof) {
    if (walk.AtRoot()) return Mismatch("inclusion proof: too long");
    hash = walk.Up() == Side::kLeft ? NodeHash(sibling, hash) : NodeHash(hash, sibling);
  }
  if (!walk.AtRoot()) return Mismatch("inclusion proof: too short");
  if (hash != root) return Mismatch("inclusion proof: leads to another root");
  return Status::Ok();
}

// RFC 9162 section 2.1.4.2.
Status VerifyConsistency(std::uint64_t size1, std::uint64_t size2, const Hash& root1,
                         const Hash& root2, std::span<const Hash> proof) {
  if (size1 == 0) return Mismatch("consistency proof: from an empty tree");
  if (size1 > size2) return Mismatch("consistency proof: the tree became smaller");
  if (size1 == size2) {
    if (!proof.empty()) return Mismatch("consistency proof: not empty between equal sizes");
    if (root1 == root2) return Status::Ok();
    return Mismatch("consistency proof: equal sizes with different roots");
  }
  if (proof.empty()) return Mismatch("consistency proof: empty");

  // Where the old tree is complete, its root is the proof's unspoken first hash.
  const bool complete = std::has_single_bit(size1);
  Hash old_root = complete ? root1 : proof.front();
  Hash new_root = old_root;
  PathWalk walk(size1 - 1, size2 - 1);
  walk.SkipRightEdges();
  for (const Hash& sibling : complete ? proof : proof.subspan(1)) {
    if (walk.AtRoot()) return Mismatch("consistency proof: too long");
    if (walk.Up() == Side::kLeft) {
      old_root = NodeHash(sibling, old_root);
      new_root = NodeHash(sibling, new_root);
    } else {
      new_root = NodeHash(new_root, sibling);
    }
  }
  if (!walk.AtRoot()) return Mismatch("consistency proof: too short");
  if (old_root != root1) return Mismatch("consistency proof: does not lead to the old root");
  if (new_root != root2) return Mismatch("consistency proof: does not lead to the new root");
  return Status::Ok();
}

Result<CompactTree> CompactTree::Load(std::uint64_t size, const NodeReader& node) {
  CompactTree tree;
  tree.size_ = size;
  std::uint64_t begin = 0;
  for (int level = 63; level >= 0; --level) {
    if ((size >> level & 1) == 0) continue;
    Result<Hash> peak = node(static_cast<std::uint32_t>(level), begin >> level);
    if (!peak.ok()) return peak.status();
    tree.peaks_.push_back(*peak);
    begin += std::uint64_t{1} << level;
  }
  return tree;
}

void CompactTree::Append(const Hash& leaf, const OnNode& on_node) {
  Hash hash = leaf;
  if (on_node) on_node(0, size_, hash);
  for (std::uint32_t level = 0; (size_ >> level & 1) != 0; ++level) {
    hash = NodeHash(peaks_.back(), hash);
    peaks_.pop_back();
    if (on_node) on_node(level + 1, size_ >> (level + 1), hash);
  }
  peaks_.push_back(hash);
  ++size_;
}

bool CompactTree::AppendSubtree(std::uint32_t level, const Hash& root) {
  const std::uint64_t count = level < 64 ? std::uint64_t{1} << level : 0;
  if (count == 0 || size_ % count != 0 || size_ > UINT64_MAX - count) return false;
  Hash hash = root;
  for (; (size_ >> level & 1) != 0; ++level) {
    hash = NodeHash(peaks_.back(), hash);
    peaks_.pop_back();
  }
  peaks_.push_back(hash);
  size_ += count;
  return true;
}

Hash CompactTree::Root() const {
  if (peaks_.empty()) return EmptyRoot();
  Hash root = peaks_.back();
  for (std::size_t i = peaks_.size() - 1; i-- > 0;) root = NodeHash(peaks_[i], root);
  return root;
}

}  // namespace logvault::evidence
