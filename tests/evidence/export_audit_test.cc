// What an export's lines must be, and that a batch left out shows, in a gap too.
#include "evidence/export_audit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "evidence/payload.h"

namespace logvault::evidence {
namespace {

const std::string kOrigin = "lab-vault/01020304";

// GENESIS, KEY, STREAM, batches 1..2 and 3..4, batch 7..8 behind a gap, the ALERT that says so.
class ExportAuditTest : public ::testing::Test {
 protected:
  ExportAuditTest() {
    GenesisBody genesis{kOrigin, vault_key_.public_key(), std::string(32, 'x'), 0, "the CA"};
    Add(BlockKind::kGenesis, genesis.Serialize());
    KeyBody key;
    key.host = "geo01";
    key.epoch = 1;
    key.epoch_public_key = epoch_key_.public_key();
    key.certificate_der = "certificate";
    key.signature = host_key_.Sign(key.SignedBytes());
    Add(BlockKind::kKey, key.Serialize());
    Add(BlockKind::kStream, StreamBody{"geo01", "app", "plain", "{}"}.Serialize());
    AddBatch(1);
    AddBatch(3);
    AddBatch(7, kFlagGap);
    Add(BlockKind::kAlert,
        R"({"type":"gap","host":"geo01","source":"app","first_seq":5,"last_seq":6,"block":5})");
  }

  void Add(BlockKind kind, const std::string& body, std::uint16_t flags = 0) {
    blocks_.push_back(BlockHeader{blocks_.size(), prev_, static_cast<UnixNanos>(blocks_.size()),
                                  kind, flags, body}
                          .Serialize());
    prev_ = LeafHash(blocks_.back());
    tree_.Append(prev_);
  }
  void AddBatch(std::uint64_t first_seq, std::uint16_t flags = 0) {
    BatchHeader batch;
    batch.stream_id = StreamId("geo01", "app");
    batch.epoch = 1;
    batch.first_seq = first_seq;
    batch.record_count = 2;
    batch.stream_prev = head_;
    const std::string body = SealBatchHeader(batch, std::string(32, 's'), epoch_key_);
    head_ = LeafHash(body);
    Add(BlockKind::kRecords, body, flags);
  }

  // The findings of an export in which the blocks `pruned` are hashes.
  std::vector<std::string> Audit(const std::vector<std::uint64_t>& pruned = {}) {
    std::vector<std::string> reasons;
    ExportAudit audit(
        VerifierKey::For(kOrigin, vault_key_.public_key()),
        Checkpoint{kOrigin, tree_.size(), tree_.Root()},
        [this](auto...) -> Result<std::string> { return host_key_.public_key(); },
        [&reasons](const Finding& finding) { reasons.push_back(finding.reason); });
    for (std::uint64_t i = 0; i < blocks_.size(); ++i) {
      ExportLine line = BlockLine{i, blocks_[i], false};
      if (std::find(pruned.begin(), pruned.end(), i) != pruned.end())
        line = PrunedLine{i, 1, LeafHash(blocks_[i])};
      EXPECT_TRUE(audit.AddLine(Serialize(line)).ok());
    }
    audit.Finish();
    if (!audit.streams().empty()) stream_ = audit.streams().begin()->second;
    return reasons;
  }

  const SigningKey vault_key_ = *SigningKey::FromSeed(std::string(32, 'v'));
  const SigningKey host_key_ = *SigningKey::FromSeed(std::string(32, 'h'));
  const SigningKey epoch_key_ = *SigningKey::FromSeed(std::string(32, 'e'));
  std::vector<std::string> blocks_;
  CompactTree tree_;
  Hash prev_, head_;
  ExportedStream stream_;
};

TEST_F(ExportAuditTest, AnExportOfEveryBatchIsGoodAndItsGapIsNamed) {
  EXPECT_EQ(Audit(), std::vector<std::string>{});
  EXPECT_EQ(stream_, (ExportedStream{"geo01", "app", 1, 8, 0, 0, 6, {{5, 6}}}));
}

TEST_F(ExportAuditTest, ABatchLeftOutShows) {
  blocks_.resize(5);  // without the gap
  tree_ = CompactTree();
  for (const std::string& block : blocks_) tree_.Append(LeafHash(block));
  prev_ = LeafHash(blocks_.back());
  head_ = LeafHash(BlockHeader::Parse(blocks_.back())->body);
  AddBatch(5);
  EXPECT_EQ(Audit(), std::vector<std::string>{});
  EXPECT_EQ(Audit({4}), std::vector<std::string>{"batches are left out: 3..4"});
}

TEST_F(ExportAuditTest, ABatchCannotBeHiddenInAGap) {
  EXPECT_EQ(Audit({4}), (std::vector<std::string>{
                            "the numbers missing before it are not those that the vault's ALERT "
                            "behind it states"}));
  EXPECT_EQ(Audit({6}).size(), 1u) << "without the ALERT";
}

TEST_F(ExportAuditTest, WhatTheRestRestsOnCannotBeLeftOut) {
  EXPECT_FALSE(Audit({0}).empty()) << "GENESIS";
  EXPECT_FALSE(Audit({1}).empty()) << "KEY";
  EXPECT_FALSE(Audit({2}).empty()) << "STREAM";
}

TEST_F(ExportAuditTest, LinesThatDoNotFollowEndTheAudit) {
  const Hash hash = LeafHash("x");
  for (const ExportLine& line :
       {ExportLine(PrunedLine{1, 1, hash}), ExportLine(PrunedLine{0, 3, hash}),
        ExportLine(PrunedLine{0, 8, hash}), ExportLine(PrunedLine{0, 0, hash}),
        ExportLine(BlockLine{1, blocks_[1], false}), ExportLine(BlockLine{0, blocks_[0], true}),
        ExportLine(WithheldLine{1, 1, hash}), ExportLine(RedactedLine{1, hash}),
        ExportLine(ShownLine{1, 1})}) {
    ExportAudit audit(
        VerifierKey::For(kOrigin, vault_key_.public_key()), Checkpoint{kOrigin, 7, tree_.Root()},
        [this](auto...) -> Result<std::string> { return host_key_.public_key(); },
        [](const Finding&) {});
    EXPECT_EQ(audit.AddLine(Serialize(line)).status().code(), StatusCode::kCorruption)
        << Serialize(line);
  }
}

TEST(ExportLinesTest, EachLineHasOneSpelling) {
  const Hash hash = LeafHash("x");
  for (const ExportLine& line :
       {ExportLine(PrunedLine{4, 2, hash}), ExportLine(BlockLine{7, "bytes", true}),
        ExportLine(BlockLine{7, "", false}), ExportLine(WithheldLine{4, 2, hash}),
        ExportLine(RedactedLine{UINT64_MAX, hash}), ExportLine(ShownLine{4, 2})}) {
    const std::string text = Serialize(line);
    Result<ExportLine> read = ParseExportLine(text);
    ASSERT_TRUE(read.ok()) << text;
    EXPECT_EQ(*read, line);
    for (std::size_t at = 0; at < text.size(); ++at) {
      Result<ExportLine> blank = ParseExportLine(std::string(text).insert(at, " "));
      EXPECT_FALSE(blank.ok()) << text << " at " << at;
    }
    EXPECT_FALSE(ParseExportLine(text + "x").ok());
  }
  for (const char* text : {"", "{}", "{\"shown\":[01,1]}", "{\"shown\":[1,18446744073709551616]}"})
    EXPECT_FALSE(ParseExportLine(text).ok()) << text;
}

TEST(CompactTreeTest, SubtreesMakeTheTreeOfTheirLeaves) {
  std::vector<Hash> leaves;
  for (int i = 0; i < 13; ++i) leaves.push_back(LeafHash(std::to_string(i)));
  CompactTree tree;
  EXPECT_TRUE(tree.AppendSubtree(2, RootOf(std::span(leaves).subspan(0, 4))));
  EXPECT_FALSE(tree.AppendSubtree(3, RootOf(std::span(leaves).subspan(4, 8))));
  EXPECT_TRUE(tree.AppendSubtree(1, RootOf(std::span(leaves).subspan(4, 2))));
  tree.Append(leaves[6]);
  EXPECT_FALSE(tree.AppendSubtree(1, RootOf(std::span(leaves).subspan(7, 2))));
  for (std::size_t i = 7; i < leaves.size(); ++i) EXPECT_TRUE(tree.AppendSubtree(0, leaves[i]));
  EXPECT_EQ(tree.Root(), RootOf(leaves));
  EXPECT_EQ(tree.size(), 13u);
  EXPECT_FALSE(CompactTree().AppendSubtree(64, leaves[0]));
}

}  // namespace
}  // namespace logvault::evidence
