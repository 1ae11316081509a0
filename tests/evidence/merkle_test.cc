// The Merkle tree: published vectors, and properties against the recursive definition of RFC 6962.
#include "evidence/merkle.h"

#include <gtest/gtest.h>

#include <bit>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <random>
#include <string>

#include "common/bytes.h"
#include "tests/support/shared_data.h"

namespace logvault::evidence {
namespace {

using nlohmann::json;

json ReadJson(const std::filesystem::path& path) {
  std::ifstream in(path);
  return json::parse(in);
}

std::string FromHex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

// RFC 6962 section 2.1, word for word; the oracle of the properties below.
Hash NaiveRoot(std::span<const Hash> leaves) {
  if (leaves.empty()) return Sha256("");
  if (leaves.size() == 1) return leaves[0];
  std::size_t k = 1;
  while (k * 2 < leaves.size()) k *= 2;
  return NodeHash(NaiveRoot(leaves.first(k)), NaiveRoot(leaves.subspan(k)));
}

std::vector<Hash> SomeLeaves(std::size_t count) {
  std::vector<Hash> leaves;
  for (std::size_t i = 0; i < count; ++i) leaves.push_back(LeafHash("leaf " + std::to_string(i)));
  return leaves;
}

// The published roots of the reference inputs (certificate-transparency's and transparency-dev's test data).
TEST(MerkleTest, EmptyTreeAndFirstLeafHaveThePublishedHashes) {
  EXPECT_EQ(EmptyRoot().Hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(LeafHash("").Hex(), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
  EXPECT_EQ(LeafHash("L123456").Hex(),
            "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56");
}

TEST(MerkleTest, RootsOfTheSharedVectors) {
  auto path = testing::SharedData("vectors/tlog.json");
  if (!path.has_value()) return;
  json tree = ReadJson(*path).at("tree");
  std::vector<Hash> leaves;
  EXPECT_EQ(RootOf(leaves).Hex(), tree.at("roots").at(0));
  for (std::size_t i = 0; i < tree.at("inputs").size(); ++i) {
    leaves.push_back(LeafHash(FromHex(tree.at("inputs").at(i))));
    EXPECT_EQ(RootOf(leaves).Hex(), tree.at("roots").at(i + 1)) << "size " << i + 1;
  }
}

// One case of the shared proof vectors; true where our verifier accepts it.
bool Accepts(const json& c) {
  auto bytes = [](const json& text) {
    return FromBase64(text.is_null() ? "" : text.get<std::string>());
  };
  std::vector<Hash> proof;
  if (!c.at("proof").is_null()) {
    for (const json& text : c.at("proof")) {
      Result<Hash> hash = Hash::FromBytes(*bytes(text));
      if (!hash.ok()) return false;
      proof.push_back(*hash);
    }
  }
  if (c.contains("size1")) {
    Result<Hash> root1 = Hash::FromBytes(*bytes(c.at("root1")));
    Result<Hash> root2 = Hash::FromBytes(*bytes(c.at("root2")));
    return root1.ok() && root2.ok() &&
           VerifyConsistency(c.at("size1"), c.at("size2"), *root1, *root2, proof).ok();
  }
  Result<Hash> root = Hash::FromBytes(*bytes(c.at("root")));
  Result<Hash> leaf = Hash::FromBytes(*bytes(c.at("leafHash")));
  return root.ok() && leaf.ok() &&
         VerifyInclusion(*leaf, c.at("leafIdx"), c.at("treeSize"), proof, *root).ok();
}

// The one case of which we differ on purpose: it calls 12 bytes a root, and every hash of ours has 32.
constexpr std::string_view kTwelveByteRoot = "sizes are equal (one) and proof is empty";

TEST(MerkleTest, EverySharedProofCaseIsAcceptedOrRefusedAsItSays) {
  auto root = testing::SharedData("vectors/merkle");
  if (!root.has_value()) return;
  int cases = 0, refused = 0, differing = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(*root)) {
    if (entry.path().extension() != ".json") continue;
    json c = ReadJson(entry.path());
    ++cases;
    const bool accepted = Accepts(c);
    if (!accepted) ++refused;
    if (c.at("desc") == kTwelveByteRoot) {
      ++differing;
      EXPECT_FALSE(accepted) << entry.path();
    } else {
      EXPECT_EQ(accepted, !c.at("wantErr").get<bool>()) << entry.path();
    }
  }
  std::cout << cases << " proof cases, " << refused << " refused, of these " << differing
            << " for its 12-byte root alone\n";
  EXPECT_GT(cases, 0);
  EXPECT_EQ(differing, 1);
}

TEST(MerkleTest, RootsAndTreesAgreeWithTheDefinition) {
  std::vector<Hash> leaves = SomeLeaves(130);
  CompactTree tree;
  for (std::size_t size = 0; size <= leaves.size(); ++size) {
    std::span<const Hash> prefix = std::span(leaves).first(size);
    Hash expected = NaiveRoot(prefix);
    EXPECT_EQ(RootOf(prefix), expected);
    EXPECT_EQ(tree.Root(), expected);
    EXPECT_EQ(*RootAt(size, NodesOf(leaves)), expected);
    EXPECT_EQ(*CompactTree::Load(size, NodesOf(leaves)), tree);
    if (size < leaves.size()) tree.Append(leaves[size]);
  }
}

// Large trees are hashed level by level, several nodes at a time.
TEST(MerkleTest, RootsOfLargeTreesAgreeWithTheDefinition) {
  const std::vector<Hash> leaves = SomeLeaves(2500);
  for (std::size_t size : {127, 128, 129, 255, 256, 257, 511, 513, 1000, 1023, 1025, 2047, 2048,
                           2049, 2050, 2051, 2499, 2500}) {
    const auto prefix = std::span(leaves).first(size);
    EXPECT_EQ(RootOf(prefix), NaiveRoot(prefix)) << size;
  }
}

TEST(MerkleTest, AppendTellsEachFinishedSubtreeOnce) {
  std::vector<Hash> leaves = SomeLeaves(70);
  CompactTree tree;
  int told = 0;
  for (const Hash& leaf : leaves) {
    tree.Append(leaf, [&](std::uint32_t level, std::uint64_t index, const Hash& hash) {
      ++told;
      std::uint64_t count = std::uint64_t{1} << level;
      EXPECT_EQ(hash, NaiveRoot(std::span(leaves).subspan(index * count, count)));
    });
  }
  EXPECT_EQ(told, 70 + 35 + 17 + 8 + 4 + 2 + 1);
}

TEST(MerkleTest, EveryProofOfEverySizeVerifies) {
  std::vector<Hash> leaves = SomeLeaves(65);
  NodeReader nodes = NodesOf(leaves);
  for (std::uint64_t size = 1; size <= leaves.size(); ++size) {
    Hash root = NaiveRoot(std::span(leaves).first(size));
    for (std::uint64_t i = 0; i < size; ++i) {
      EXPECT_TRUE(VerifyInclusion(leaves[i], i, size, *InclusionProof(i, size, nodes), root).ok())
          << i << " of " << size;
    }
    for (std::uint64_t old = 1; old <= size; ++old) {
      Hash old_root = NaiveRoot(std::span(leaves).first(old));
      EXPECT_TRUE(
          VerifyConsistency(old, size, old_root, root, *ConsistencyProof(old, size, nodes)).ok())
          << old << " to " << size;
    }
  }
}

// Changes one thing of a good proof: a bit, its length or a number.
TEST(MerkleTest, AnyChangeToAProofIsRefused) {
  std::mt19937_64 random(20261123);
  std::vector<Hash> leaves = SomeLeaves(200);
  NodeReader nodes = NodesOf(leaves);
  auto flip = [&](Hash& hash) {
    hash.bytes[random() % 32] ^= static_cast<std::uint8_t>(1u << random() % 8);
  };
  for (int round = 0; round < 2000; ++round) {
    std::uint64_t size = 2 + random() % 199;
    std::uint64_t old = 1 + random() % (size - 1);
    Hash root = RootOf(std::span(leaves).first(size));
    Hash old_root = RootOf(std::span(leaves).first(old));
    std::vector<Hash> inclusion = *InclusionProof(old - 1, size, nodes);
    std::vector<Hash> consistency = *ConsistencyProof(old, size, nodes);
    std::uint64_t index = old - 1;
    switch (random() % 4) {
      case 0:
        flip(inclusion[random() % inclusion.size()]);
        flip(consistency[random() % consistency.size()]);
        break;
      case 1:
        inclusion.pop_back();
        consistency.pop_back();
        break;
      case 2:
        inclusion.push_back(root);
        consistency.push_back(root);
        break;
      case 3:
        index = (index + 1 + random() % (size - 1)) % size;
        flip(old_root);
        break;
    }
    EXPECT_FALSE(VerifyInclusion(leaves[old - 1], index, size, inclusion, root).ok())
        << "round " << round;
    EXPECT_FALSE(VerifyConsistency(old, size, old_root, root, consistency).ok())
        << "round " << round;
  }
}

TEST(MerkleTest, NothingIsConsistentWithAnEmptyTree) {
  EXPECT_FALSE(VerifyConsistency(0, 5, EmptyRoot(), RootOf(SomeLeaves(5)), {}).ok());
  EXPECT_FALSE(VerifyConsistency(0, 0, EmptyRoot(), EmptyRoot(), {}).ok());
}

TEST(MerkleTest, ATreeDoesNotShrink) {
  EXPECT_FALSE(VerifyConsistency(5, 4, RootOf(SomeLeaves(5)), RootOf(SomeLeaves(4)), {}).ok());
}

}  // namespace
}  // namespace logvault::evidence
