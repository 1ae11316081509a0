// The auditor: accepts a true history and names every block of a false one.
#include "evidence/auditor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "evidence/payload.h"
#include "evidence/seal.h"

namespace logvault::evidence {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// The "certificate" of these tests is its own raw public key; pki's tests check real ones.
Result<std::string> RawKeyCertificate(std::string_view certificate, std::string_view ca,
                                      std::string_view, std::string_view, UnixNanos) {
  if (ca != "the CA") return Unauthenticated("issued by another CA");
  return std::string(certificate);
}

// Writes a small vault's blocks: GENESIS, a stream, an epoch, then whatever the test appends.
class History {
 public:
  History() {
    Append(
        BlockKind::kGenesis,
        GenesisBody{"lab/1", std::string(32, 'v'), std::string(32, 'x'), 0, "the CA"}.Serialize());
    Append(BlockKind::kStream, StreamBody{"geo01", "access", "access", "{}"}.Serialize());
    Append(BlockKind::kKey, RegisterEpoch().Serialize());
  }

  KeyBody RegisterEpoch() const {
    KeyBody key{"geo01", 7, epoch_key_.public_key(), Sha256(kK0),
                {},      0, host_key_.public_key(),  ""};
    key.signature = host_key_.Sign(key.SignedBytes());
    return key;
  }

  // The next batch of the stream; `change` may spoil its header before it is sealed.
  std::string NextBatch(const std::function<void(BatchHeader&)>& change = nullptr) {
    PayloadBuilder builder;
    builder.Add({5, 6, 0, "origin", "a line\n"});
    builder.Add({5, 7, 0, "origin", "another\n"});
    PayloadBuilder::Sealed sealed = builder.Finish(next_seq_, std::string(32, 'b'), {});
    BatchHeader header;
    header.stream_id = StreamId("geo01", "access");
    header.epoch = 7;
    header.first_seq = next_seq_;
    header.record_count = 2;
    header.seal_index = seal_index_++;
    header.read_time_first = 6;
    header.read_time_last = 7;
    header.event_time_min = header.event_time_max = 5;
    header.stream_prev = stream_prev_;
    header.records_root = sealed.records_root;
    header.payload_hash = sealed.payload_hash;
    if (change) change(header);
    std::string bytes =
        SealBatchHeader(header, SealKeyAt(kK0, 0, header.seal_index).view(), epoch_key_);
    next_seq_ = header.last_seq() + 1;
    stream_prev_ = LeafHash(bytes);
    return bytes;
  }

  void Append(BlockKind kind, std::string body, std::uint16_t flags = 0) {
    BlockHeader block{blocks.size(), prev_, static_cast<UnixNanos>(blocks.size()) + 1,
                      kind,          flags, std::move(body)};
    blocks.push_back(block.Serialize());
    prev_ = LeafHash(blocks.back());
  }

  std::vector<Finding> Audit() const {
    std::vector<Finding> findings;
    Auditor auditor(RawKeyCertificate,
                    [&](const Finding& finding) { findings.push_back(finding); });
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      if (blocks[i].empty()) {
        auditor.AddMissingBlock();
      } else {
        auditor.AddBlock(blocks[i]);
      }
      if (i == 2) static_cast<void>(auditor.GiveSealKey("geo01", 7, kK0));
    }
    claims = auditor.claims();
    seals_checked = auditor.seals_checked();
    records = auditor.records();
    return findings;
  }

  static const std::string kK0;
  std::vector<std::string> blocks;
  mutable std::vector<Finding> claims;
  mutable std::uint64_t seals_checked = 0;
  mutable std::uint64_t records = 0;
  std::uint64_t next_seq_ = 1;
  std::uint32_t seal_index_ = 0;
  Hash stream_prev_;

 private:
  SigningKey epoch_key_ = SigningKey::Generate();
  SigningKey host_key_ = SigningKey::Generate();
  Hash prev_;
};

const std::string History::kK0(32, 'k');

Hash RootOfFirst(const History& history, std::size_t size) {
  CompactTree tree;
  for (std::size_t i = 0; i < size; ++i) tree.Append(LeafHash(history.blocks[i]));
  return tree.Root();
}

TEST(AuditorTest, ACheckpointThatAHostSawIsOneOfThisHistoryOrAClaim) {
  History history;
  for (std::uint64_t size : {1, 2, 3, 5}) {
    while (history.blocks.size() < size + 1)
      history.Append(BlockKind::kRecords, history.NextBatch());
    const Hash root = RootOfFirst(history, size);
    history.Append(BlockKind::kRecords, history.NextBatch([&](BatchHeader& header) {
      header.seen_size = size;
      header.seen_root = root;
    }));
  }
  EXPECT_THAT(history.Audit(), IsEmpty());
  EXPECT_THAT(history.claims, IsEmpty());

  const std::size_t block = history.blocks.size();
  history.Append(BlockKind::kRecords, history.NextBatch([](BatchHeader& header) {
    header.seen_size = 3;
    header.seen_root = Sha256("another history");
  }));
  history.Append(BlockKind::kRecords, history.NextBatch([&](BatchHeader& header) {
    header.seen_size = block + 2;
    header.seen_root = Sha256("nobody knows");
  }));
  EXPECT_THAT(history.Audit(), IsEmpty()) << "a lying host plants no proof against the vault";
  ASSERT_THAT(history.claims, SizeIs(2));
  EXPECT_EQ(history.claims[0].block, block);
  EXPECT_EQ(history.claims[0].host, "geo01");
  EXPECT_THAT(history.claims[0].reason, HasSubstr("size 3 with another root"));
  EXPECT_THAT(history.claims[1].reason, HasSubstr("had not reached"));
}

TEST(RootHistoryTest, KnowsTheLastSizesAndAdmitsWhatItForgot) {
  RootHistory roots;
  EXPECT_EQ(roots.At(0), std::nullopt);
  EXPECT_EQ(roots.At(1), std::nullopt);
  const std::uint64_t end = kRootsKept + 5;
  for (std::uint64_t size = 1; size <= end; ++size) {
    Hash root;
    root.bytes[0] = static_cast<std::uint8_t>(size);
    roots.Add(root);
  }
  EXPECT_EQ(roots.At(5), std::nullopt);
  ASSERT_TRUE(roots.At(6).has_value());
  EXPECT_EQ(roots.At(6)->bytes[0], 6);
  EXPECT_EQ(roots.At(end)->bytes[0], static_cast<std::uint8_t>(end));
  EXPECT_EQ(roots.At(end + 1), std::nullopt);
}

TEST(AuditorTest, ATrueHistoryHasNoFindings) {
  History history;
  for (int i = 0; i < 5; ++i) history.Append(BlockKind::kRecords, history.NextBatch());
  history.Append(BlockKind::kAlert, "{}");
  EXPECT_THAT(history.Audit(), IsEmpty());
  EXPECT_EQ(history.records, 10u);
  EXPECT_EQ(history.seals_checked, 5u);
}

TEST(AuditorTest, AnEndOfACallThatNobodyMadeIsAFinding) {
  History history;
  AccessBody asked{"ann", "investigator", std::string(64, 'a'), "", "hosts", 3, Sha256("{}"), 2,
                   "{}"};
  history.Append(BlockKind::kAccess, asked.Serialize());
  AccessEndBody ended;
  ended.access = 3;
  history.Append(BlockKind::kAccessEnd, ended.Serialize());
  EXPECT_THAT(history.Audit(), IsEmpty());
  history.Append(BlockKind::kAccessEnd, ended.Serialize());
  const std::vector<Finding> findings = history.Audit();
  ASSERT_THAT(findings, SizeIs(1));
  EXPECT_EQ(findings[0].block, 5u);
  EXPECT_THAT(findings[0].reason, HasSubstr("has its end already"));
}

TEST(AuditorTest, EveryFlippedBitIsAFinding) {
  History history;
  for (int i = 0; i < 3; ++i) history.Append(BlockKind::kRecords, history.NextBatch());
  // The last block has no successor whose prev would notice: a checkpoint's root does, so it is left out here.
  for (std::size_t block = 0; block + 1 < history.blocks.size(); ++block) {
    std::string& bytes = history.blocks[block];
    for (std::size_t bit = 0; bit < bytes.size() * 8; bit += 7) {
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
      EXPECT_FALSE(history.Audit().empty()) << "block " << block << " bit " << bit;
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    }
  }
}

TEST(AuditorTest, AMissingBlockIsNamed) {
  History history;
  for (int i = 0; i < 3; ++i) history.Append(BlockKind::kRecords, history.NextBatch());
  history.blocks[4].clear();
  std::vector<Finding> findings = history.Audit();
  ASSERT_FALSE(findings.empty());
  EXPECT_EQ(findings[0].block, 4u);
  EXPECT_THAT(findings[0].reason, HasSubstr("missing"));
}

TEST(AuditorTest, SwappedBlocksAreNamed) {
  History history;
  for (int i = 0; i < 3; ++i) history.Append(BlockKind::kRecords, history.NextBatch());
  std::swap(history.blocks[3], history.blocks[4]);
  EXPECT_FALSE(history.Audit().empty());
}

TEST(AuditorTest, BatchesOfOneSpoolCommitShareASeal) {
  History history;
  history.Append(BlockKind::kRecords, history.NextBatch());
  history.Append(BlockKind::kRecords, history.NextBatch([](BatchHeader& h) { h.seal_index = 0; }));
  EXPECT_TRUE(history.Audit().empty());
  EXPECT_EQ(history.seals_checked, 2u);
}

// Each of these histories is chained as it should be; what is false is what a block says.
struct FalseBatch {
  std::string name;
  std::function<void(BatchHeader&)> change;
  std::string reason;
};

class FalseBatchTest : public ::testing::TestWithParam<FalseBatch> {};

TEST_P(FalseBatchTest, IsNamedWithHostSourceAndNumbers) {
  History history;
  history.seal_index_ = 1;
  history.Append(BlockKind::kRecords, history.NextBatch());
  history.Append(BlockKind::kRecords, history.NextBatch(GetParam().change));
  std::vector<Finding> findings = history.Audit();
  ASSERT_THAT(findings, SizeIs(1));
  EXPECT_EQ(findings[0].block, 4u);
  EXPECT_THAT(findings[0].reason, HasSubstr(GetParam().reason));
  if (GetParam().name != "StrangeStream") {
    EXPECT_EQ(findings[0].host, "geo01");
    EXPECT_EQ(findings[0].source, "access");
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, FalseBatchTest,
    ::testing::Values(
        FalseBatch{"Repeated", [](BatchHeader& h) { h.first_seq = 1; }, "used before"},
        FalseBatch{"UnflaggedGap", [](BatchHeader& h) { h.first_seq = 9; }, "without a GAP flag"},
        FalseBatch{"StrangeStream", [](BatchHeader& h) { h.stream_id = Sha256("x"); }, "no stream"},
        FalseBatch{"StrangeEpoch", [](BatchHeader& h) { h.epoch = 8; }, "no valid KEY"},
        FalseBatch{"OtherPrev", [](BatchHeader& h) { h.stream_prev = Sha256("x"); }, "stream_prev"},
        FalseBatch{"OldSeal", [](BatchHeader& h) { h.seal_index = 0; }, "falls"},
        FalseBatch{"FarSeal", [](BatchHeader& h) { h.seal_index = 2 + kMaxSealSkip; }, "too far"}),
    [](const auto& test) { return test.param.name; });

TEST(AuditorTest, AFlaggedGapIsCountedAndNoFinding) {
  History history;
  history.Append(BlockKind::kRecords, history.NextBatch());
  history.Append(BlockKind::kRecords, history.NextBatch([](BatchHeader& h) {
    h.first_seq = 10;
    h.stream_prev = Sha256("a batch that never came");
  }),
                 kFlagGap);
  EXPECT_THAT(history.Audit(), IsEmpty());
}

TEST(AuditorTest, ABatchSealedWithAnotherKeyIsNamed) {
  History history;
  std::string bytes = history.NextBatch();
  // Who stole the epoch's signing key after the fact lacks the old seal key.
  history.Append(BlockKind::kRecords, bytes);
  std::vector<Finding> findings;
  Auditor auditor(RawKeyCertificate, [&](const Finding& finding) { findings.push_back(finding); });
  for (int i = 0; i < 3; ++i) auditor.AddBlock(history.blocks[static_cast<std::size_t>(i)]);
  EXPECT_EQ(auditor.GiveSealKey("geo01", 7, std::string(32, 'z')).code(), StatusCode::kCorruption);
  EXPECT_EQ(auditor.GiveSealKey("geo01", 8, History::kK0).code(), StatusCode::kNotFound);
  ASSERT_TRUE(auditor.GiveSealKey("geo01", 7, History::kK0).ok());
  std::string altered = history.blocks[3];
  altered[kBlockPrefixSize + kSealedSize] =
      static_cast<char>(altered[kBlockPrefixSize + kSealedSize] ^ 1);
  auditor.AddBlock(altered);
  ASSERT_THAT(findings, SizeIs(2));  // the signature covers the seal
  EXPECT_THAT(findings[1].reason, HasSubstr("seal does not verify"));
}

TEST(AuditorTest, AKeyOfAnotherCaRegistersNothing) {
  History history;
  history.Append(BlockKind::kRecords, history.NextBatch());
  std::vector<Finding> findings;
  Auditor auditor(
      [](auto, auto, auto, auto, auto) -> Result<std::string> {
        return Unauthenticated("issued by another CA");
      },
      [&](const Finding& finding) { findings.push_back(finding); });
  for (const std::string& block : history.blocks) auditor.AddBlock(block);
  ASSERT_THAT(findings, SizeIs(2));
  EXPECT_EQ(findings[0].block, 2u);
  EXPECT_EQ(findings[0].host, "geo01");
  EXPECT_THAT(findings[0].reason, HasSubstr("another CA"));
  EXPECT_THAT(findings[1].reason, HasSubstr("no valid KEY"));
}

TEST(AuditorTest, AnEpochIsRegisteredOnce) {
  History history;
  history.Append(BlockKind::kKey, history.RegisterEpoch().Serialize());
  std::vector<Finding> findings = history.Audit();
  ASSERT_THAT(findings, SizeIs(1));
  EXPECT_THAT(findings[0].reason, HasSubstr("registered twice"));
}

// The "certificate" of these tests is the signer's raw key, whatever the role.
std::string Review(const SigningKey& key, std::vector<std::uint64_t> alerts,
                   const Governance& governance) {
  Statement statement;
  statement.type = DirectiveType::kReview;
  statement.origin = "lab/1";
  statement.previous = governance.newest_directive();
  statement.by = "ann";
  statement.reviewed = std::move(alerts);
  Directive directive{statement.Serialize(), key.public_key(), ""};
  directive.signature = key.Sign(directive.SignedBytes());
  return directive.Serialize();
}

// A history with an alert, three blocks of other kinds, and two reviews: of the alert, and of all four.
class ReviewedHistory : public History {
 public:
  ReviewedHistory() {
    Append(BlockKind::kAlert, R"({"type":"crl_expired"})");          // 3
    Append(BlockKind::kSilence, R"({"type":"silent","hosts":[]})");  // 4
    Append(BlockKind::kRecords, NextBatch());                        // 5
    Governance governance(*GenesisBody::Parse(BlockHeader::Parse(blocks[0])->body),
                          RawKeyCertificate);
    for (const std::vector<std::uint64_t>& alerts :
         {std::vector<std::uint64_t>{3, 4}, std::vector<std::uint64_t>{3, 4, 5, 6}}) {
      Append(BlockKind::kAlert, Review(key_, alerts, governance));  // 6, 7
      EXPECT_EQ(governance.Add(*BlockHeader::Parse(blocks.back())), Status::Ok());
    }
  }

  // Told the first review before the blocks, and the second only after `told_after` of them.
  std::vector<std::string> Reasons(std::size_t told_after) const {
    std::vector<std::string> reasons;
    Auditor auditor(RawKeyCertificate, [&](const Finding& finding) {
      reasons.push_back(std::to_string(finding.block) + " " + finding.reason);
    });
    auditor.ForeseeGoverning({{6, blocks[6]}});
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      if (i == told_after) auditor.ForeseeGoverning({{6, blocks[6]}, {7, blocks[7]}});
      auditor.AddBlock(blocks[i]);
    }
    return reasons;
  }

 private:
  const SigningKey key_ = SigningKey::Generate();
};

TEST(AuditorTest, AReviewOfABlockThatIsNoAlertIsNamed) {
  const ReviewedHistory history;
  for (const std::size_t told_after : {0, 7}) {
    EXPECT_THAT(history.Reasons(told_after),
                ::testing::ElementsAre("7 ALERT: reviews block 5, which is no alert",
                                       "7 ALERT: reviews block 6, which is no alert"))
        << "a review is no alert either; told after " << told_after;
  }
}

TEST(AuditorTest, AReviewThatTheVaultDoesNotListIsNamed) {
  const ReviewedHistory history;
  EXPECT_THAT(history.Reasons(8), ::testing::Contains(HasSubstr("not among the governing blocks")));
}

}  // namespace
}  // namespace logvault::evidence
