// A record proof holds for what was committed and for nothing else.
#include "evidence/record_proof.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "evidence/merkle.h"
#include "evidence/tlog_proof.h"

namespace logvault::evidence {
namespace {

const std::string kOrigin = "lab-vault/01020304";

// A vault of seven blocks whose fourth holds five records.
class RecordProofTest : public ::testing::Test {
 protected:
  RecordProofTest() {
    PayloadBuilder builder;
    for (std::string_view line : {"one\n", "two\n", "three\n", "four\n", "five"})
      builder.Add({kNoTime, 77, 0, "/var/log/a", line});
    const PayloadBuilder::Sealed sealed = builder.Finish(11, std::string(kBatchKeySize, 'k'), {});
    frame_ = sealed.frame;
    batch_.stream_id = StreamId("geo01", "app");
    batch_.first_seq = 11;
    batch_.record_count = sealed.record_count;
    batch_.read_time_first = batch_.read_time_last = 77;
    batch_.records_root = sealed.records_root;
    batch_.payload_hash = sealed.payload_hash;
    block_ = Block(BlockKind::kRecords, SealBatchHeader(batch_, std::string(32, 's'), host_key_));
    proof_ = Prove(block_, 13);
  }

  static std::string Block(BlockKind kind, const std::string& body, std::uint64_t index = 3) {
    return BlockHeader{index, Hash{}, 99, kind, 0, body}.Serialize();
  }
  // The proof of `seq`, were `block` the fourth of the tree.
  RecordProof Prove(const std::string& block, std::uint64_t seq) const {
    const Result<Payload> payload = Payload::Parse(frame_, {});
    RecordProof proof = ProveRecord(block, batch_, *payload, seq);
    proof.host = "geo01";
    proof.source = "app";
    proof.index = 3;
    std::vector<Hash> leaves;
    for (std::uint64_t i = 0; i < 7; ++i) leaves.push_back(LeafHash(std::to_string(i)));
    leaves[3] = LeafHash(block);
    proof.block_path = *InclusionProof(3, leaves.size(), NodesOf(leaves));
    proof.note = SignCheckpoint({kOrigin, leaves.size(), RootOf(leaves)}, vault_key_);
    return proof;
  }
  Status Check(const RecordProof& proof) const {
    return CheckRecordProof(proof, VerifierKey::For(kOrigin, vault_key_.public_key())).status();
  }

  const SigningKey vault_key_ = *SigningKey::FromSeed(std::string(32, 'v'));
  const SigningKey host_key_ = *SigningKey::FromSeed(std::string(32, 'h'));
  BatchHeader batch_;
  std::string frame_;
  std::string block_;
  RecordProof proof_;
};

TEST_F(RecordProofTest, EveryRecordOfABatchIsProven) {
  for (std::uint64_t seq = 11; seq <= 15; ++seq) EXPECT_EQ(Check(Prove(block_, seq)), Status::Ok());
  Result<ProvenRecord> proven =
      CheckRecordProof(proof_, VerifierKey::For(kOrigin, vault_key_.public_key()));
  ASSERT_TRUE(proven.ok()) << proven.status();
  EXPECT_EQ(proof_.bytes, "three\n");
  EXPECT_EQ(proven->checkpoint.size, 7u);
  EXPECT_EQ(proven->block.commit_time, 99);
}

TEST_F(RecordProofTest, WhatIsWrittenIsReadBack) {
  Result<RecordProof> read = RecordProof::Parse(proof_.Serialize());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, proof_);
}

TEST_F(RecordProofTest, TheBatchKeyIsNotInIt) {
  const std::string key(kBatchKeySize, 'k');
  EXPECT_EQ(TlogProof::Parse(proof_.Serialize())->extra.find(key), std::string::npos);
}

// No bit of the file is without meaning.
TEST_F(RecordProofTest, EveryFlippedBitIsRefusedAsAltered) {
  const std::string good = proof_.Serialize();
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
    Result<RecordProof> read = RecordProof::Parse(bad);
    const Status status = read.ok() ? Check(*read) : read.status();
    EXPECT_EQ(status.code(), StatusCode::kCorruption) << "bit " << bit << ": " << status;
  }
}

TEST_F(RecordProofTest, EveryTruncationAndAdditionIsRefused) {
  const std::string good = proof_.Serialize();
  for (std::size_t size = 0; size < good.size(); ++size) {
    Result<RecordProof> read = RecordProof::Parse(good.substr(0, size));
    EXPECT_FALSE(read.ok() && Check(*read).ok()) << size;
  }
  for (const char* more : {"\n", " ", "x", "\0", "extra AA==\n"}) {
    Result<RecordProof> read = RecordProof::Parse(good + std::string(more, 1) + more);
    EXPECT_FALSE(read.ok() && Check(*read).ok()) << more;
  }
}

TEST_F(RecordProofTest, EveryFieldIsBound) {
  const std::vector<std::pair<const char*, std::function<void(RecordProof&)>>> changes = {
      {"host", [](auto& p) { p.host = "geo02"; }},
      {"source", [](auto& p) { p.source = "ap"; }},
      {"border of host and source", [](auto& p) { p.host = "geo0", p.source = "1app"; }},
      {"salt", [](auto& p) { p.salt[3] ^= 1; }},
      {"seq", [](auto& p) { p.seq = 14; }},
      {"seq outside", [](auto& p) { p.seq = 16; }},
      {"seq before", [](auto& p) { p.seq = 10; }},
      {"event time", [](auto& p) { p.event_time = 5; }},
      {"read time", [](auto& p) { p.read_time = 78; }},
      {"flags", [](auto& p) { p.flags = 1; }},
      {"origin", [](auto& p) { p.origin += "b"; }},
      {"origin longer than any", [](auto& p) { p.origin.assign(kMaxOriginSize + 1, 'a'); }},
      {"bytes", [](auto& p) { p.bytes = "three"; }},
      {"record path", [](auto& p) { p.record_path.pop_back(); }},
      {"longer record path", [](auto& p) { p.record_path.push_back(Hash{}); }},
      {"index", [](auto& p) { p.index = 2; }},
      {"block path", [](auto& p) { std::swap(p.block_path[0], p.block_path[1]); }},
      {"shorter block path", [](auto& p) { p.block_path.pop_back(); }},
  };
  for (const auto& [what, change] : changes) {
    RecordProof bad = proof_;
    change(bad);
    EXPECT_EQ(Check(bad).code(), StatusCode::kCorruption) << what;
  }
}

// The signing key in hand, and still not what a block may be.
TEST_F(RecordProofTest, ABlockThatIsNoRecordsBlockOfThatPlaceProvesNothing) {
  const std::string body = BlockHeader::Parse(block_)->body;
  EXPECT_EQ(Check(Prove(Block(BlockKind::kRecords, body), 13)), Status::Ok());
  EXPECT_FALSE(Check(Prove(Block(BlockKind::kAlert, body), 13)).ok());
  EXPECT_FALSE(Check(Prove(Block(BlockKind::kRecords, body, 4), 13)).ok());
  EXPECT_FALSE(Check(Prove(Block(BlockKind::kRecords, "{}"), 13)).ok());
}

TEST_F(RecordProofTest, AnotherVaultsKeyUnderTheSameNameIsRefused) {
  const SigningKey other = *SigningKey::FromSeed(std::string(32, 'o'));
  EXPECT_FALSE(CheckRecordProof(proof_, VerifierKey::For(kOrigin, other.public_key())).ok());
  RecordProof forged = proof_;
  forged.note = SignCheckpoint(
      *OpenCheckpoint(proof_.note, VerifierKey::For(kOrigin, vault_key_.public_key())), other);
  EXPECT_FALSE(Check(forged).ok());
}

TEST_F(RecordProofTest, WhatIsNoProofIsToldFromAnAlteredOne) {
  for (const char* text : {"", "hello\n", "c2sp.org/tlog-proof@v2\nhello\n", "PK\x03\x04"})
    EXPECT_EQ(RecordProof::Parse(text).status().code(), StatusCode::kInvalidArgument) << text;
  const std::string good = proof_.Serialize();
  const std::string without_extra = good.substr(0, 23) + good.substr(good.find("index "));
  EXPECT_EQ(RecordProof::Parse(without_extra).status().code(), StatusCode::kCorruption);
}

// The example of c2sp.org/tlog-proof, its signatures cut there too.
TEST(TlogProofTest, TheSpecificationsExampleIsRead) {
  const std::string example =
      "c2sp.org/tlog-proof@v1\n"
      "index 73894\n"
      "gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=\n"
      "B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=\n"
      "\n"
      "example.com/fancylog\n109482\nsFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=\n\n— "
      "example.com/fancylog AAAA\n";
  Result<TlogProof> proof = TlogProof::Parse(example);
  ASSERT_TRUE(proof.ok()) << proof.status();
  EXPECT_EQ(proof->index, 73894u);
  EXPECT_EQ(proof->hashes.size(), 2u);
  EXPECT_TRUE(proof->note.starts_with("example.com/fancylog\n109482\n"));
  EXPECT_EQ(proof->Serialize(), example);
}

TEST(TlogProofTest, OnlyOneSpellingIsAccepted) {
  const std::string line = "c2sp.org/tlog-proof@v1\n";
  for (const char* rest :
       {"index 07\n\nx", "index +7\n\nx", "index 7 \n\nx", "index \n\nx",
        "index 18446744073709551616\n\nx", "extra \nindex 7\n\nx", "extra AB==\nindex 7\n\nx",
        "extra AA==\r\nindex 7\n\nx", "index 7\nAAAA\n\nx", "index 7\n", "index 7",
        "extra AA==\nextra AA==\nindex 7\n\nx"}) {
    EXPECT_EQ(TlogProof::Parse(line + rest).status().code(), StatusCode::kCorruption) << rest;
  }
  EXPECT_TRUE(TlogProof::Parse(line + "extra AA==\nindex 7\n\nx").ok());
}

}  // namespace
}  // namespace logvault::evidence
