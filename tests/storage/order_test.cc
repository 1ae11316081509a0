// The order rules: what becomes of a batch or a registration that comes next, again, too early or
// in conflict.
#include <nlohmann/json.hpp>

#include "common/bytes.h"
#include "tests/storage/vault_fixture.h"

namespace logvault::storage {
namespace {

using evidence::BlockKind;

using OrderTest = VaultTest;

TEST_F(OrderTest, TheNextBatchIsCommitted) {
  CreateVaultWithStream();
  const Entry entry = NextBatch(3);
  const Commit commit = Append({entry});
  ASSERT_EQ(commit.entries.size(), 1u);
  EXPECT_EQ(commit.entries[0].outcome, Outcome::kCommitted);
  EXPECT_EQ(commit.entries[0].index, 3u);
  EXPECT_EQ(commit.entries[0].stream_last_seq, 3u);
  const evidence::BlockHeader block = BlockAt(3);
  EXPECT_EQ(block.body, entry.body);
  EXPECT_EQ(block.flags, 0);
  EXPECT_EQ(commit.entries[0].block_bytes, block.Serialize());
  Result<std::string> payload = vault_->reader().Payload(3, block.commit_time);
  ASSERT_TRUE(payload.ok()) << payload.status();
  EXPECT_EQ(*payload, entry.payload);
}

TEST_F(OrderTest, BatchesOfOneGroupBuildOnEachOther) {
  CreateVault();
  const Entry first = NextBatch(2);
  const Entry second = NextBatch(5);
  const Commit commit = Append({host_.Key(), host_.Stream("access"), first, second, first});
  ASSERT_EQ(commit.entries.size(), 5u);
  EXPECT_EQ(commit.entries[3].outcome, Outcome::kCommitted);
  EXPECT_EQ(commit.entries[3].stream_last_seq, 7u);
  EXPECT_EQ(commit.entries[4].outcome, Outcome::kRepeated);
  EXPECT_EQ(commit.entries[4].index, commit.entries[2].index);
  EXPECT_EQ(commit.entries[4].block_bytes, commit.entries[2].block_bytes);
  EXPECT_EQ(commit.head.size, 5u);
}

TEST_F(OrderTest, TheSameBatchTwiceIsAnsweredWithItsFirstBlock) {
  CreateVaultWithStream();
  const Entry first = NextBatch();
  const Commit original = Append({first});
  Append({NextBatch()});
  const Head before = vault_->head();
  const Commit again = Append({first});
  EXPECT_EQ(again.entries[0].outcome, Outcome::kRepeated);
  EXPECT_EQ(again.entries[0].index, original.entries[0].index);
  EXPECT_EQ(again.entries[0].block_bytes, original.entries[0].block_bytes);
  EXPECT_EQ(again.entries[0].stream_last_seq, 4u);
  EXPECT_EQ(again.head, before) << "nothing was appended";
}

TEST_F(OrderTest, OtherRecordsUnderTakenNumbersAreAConflictBlock) {
  CreateVaultWithStream();
  const testing::TestHost::Place start = host_.place("access");
  Append({NextBatch(2)});
  host_.place("access") = start;
  const Entry rival = host_.Records("access", {"another\n"});
  const Commit commit = Append({rival});
  EXPECT_EQ(commit.entries[0].outcome, Outcome::kConflict);
  EXPECT_EQ(commit.entries[0].stream_last_seq, 2u);
  const evidence::BlockHeader block = BlockAt(commit.entries[0].index);
  EXPECT_EQ(block.kind, BlockKind::kConflict);
  const nlohmann::json body = nlohmann::json::parse(block.body);
  EXPECT_EQ(body["type"], "conflict");
  EXPECT_EQ(body["host"], "geo01");
  EXPECT_EQ(body["source"], "access");
  EXPECT_EQ(body["first_seq"], 1);
  EXPECT_EQ(body["last_seq"], 1);
  EXPECT_EQ(body["header"], ToHex(rival.body));
  EXPECT_EQ(StreamNow().records, 2u);
}

TEST_F(OrderTest, TheNextNumberBehindAnotherPredecessorIsAConflict) {
  CreateVaultWithStream();
  Append({NextBatch(2)});
  host_.place("access").stream_prev = evidence::Sha256("a batch that the vault never saw");
  EXPECT_EQ(Append({NextBatch()}).entries[0].outcome, Outcome::kConflict);
  EXPECT_EQ(StreamNow().last_seq, 2u);
}

TEST_F(OrderTest, NumbersInTheMiddleOfABatchAreAConflict) {
  CreateVaultWithStream();
  Append({NextBatch(2), NextBatch(2)});
  host_.place("access").next_seq = 4;
  EXPECT_EQ(Append({NextBatch(3)}).entries[0].outcome, Outcome::kConflict);
}

TEST_F(OrderTest, ASkippedNumberIsFlaggedAndAlerted) {
  CreateVaultWithStream();
  Append({NextBatch(2)});
  NextBatch(5);  // never arrives
  const Commit commit = Append({NextBatch(1), NextBatch(1)});
  EXPECT_EQ(commit.entries[0].outcome, Outcome::kCommitted);
  EXPECT_EQ(commit.entries[0].stream_last_seq, 8u);
  EXPECT_EQ(BlockAt(commit.entries[0].index).flags, evidence::kFlagGap);
  const evidence::BlockHeader alert = BlockAt(commit.entries[0].index + 1);
  EXPECT_EQ(alert.kind, BlockKind::kAlert);
  const nlohmann::json body = nlohmann::json::parse(alert.body);
  EXPECT_EQ(body["type"], "gap");
  EXPECT_EQ(body["host"], "geo01");
  EXPECT_EQ(body["source"], "access");
  EXPECT_EQ(body["first_seq"], 3);
  EXPECT_EQ(body["last_seq"], 7);
  EXPECT_EQ(commit.entries[1].index, commit.entries[0].index + 2) << "the second entry's own block";
  EXPECT_EQ(BlockAt(commit.entries[1].index).flags, 0);
  EXPECT_EQ(StreamNow().missing_records, 5u);
}

TEST_F(OrderTest, MissingNumbersAreToldAsRanges) {
  CreateVaultWithStream();
  const evidence::Hash stream_id = evidence::StreamId("geo01", "access");
  EXPECT_EQ(*vault_->reader().Missing(stream_id, 9), std::vector<NumberRange>{});
  NextBatch(2);  // never arrives
  Append({NextBatch(3)});
  Append({NextBatch(1)});
  NextBatch(1);
  Append({NextBatch(2)});
  const std::vector<NumberRange> all = {{1, 2}, {7, 7}};
  EXPECT_EQ(*vault_->reader().Missing(stream_id, 9), all);
  EXPECT_EQ(*vault_->reader().Missing(stream_id, 1), (std::vector<NumberRange>{{1, 2}}));
  EXPECT_EQ(StreamNow().missing_records, 3u);
}

TEST_F(OrderTest, AStreamWithoutStreamBlockIsRefusedAndNothingOfItsGroupIsWritten) {
  CreateVaultWithStream();
  const Head before = vault_->head();
  const std::vector<Entry> group = {NextBatch(), host_.Records("unknown", {"x\n"})};
  EXPECT_EQ(vault_->Append(group).status().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(vault_->head(), before);
  EXPECT_EQ(Append({group[0]}).entries[0].outcome, Outcome::kCommitted);
}

TEST_F(OrderTest, EntriesThatCannotBeBlocksAreRefused) {
  CreateVaultWithStream();
  const auto refused = [this](Entry entry) {
    return vault_->Append(std::vector<Entry>{std::move(entry)}).status().code();
  };
  Entry genesis;
  genesis.kind = BlockKind::kGenesis;
  genesis.body = genesis_.Serialize();
  EXPECT_EQ(refused(genesis), StatusCode::kInvalidArgument);
  Entry empty = NextBatch();
  empty.payload.clear();
  EXPECT_EQ(refused(empty), StatusCode::kInvalidArgument);
  Entry alert;
  alert.kind = BlockKind::kAlert;
  alert.body = std::string(evidence::kMaxBlockBodySize + 1, 'x');
  EXPECT_EQ(refused(alert), StatusCode::kInvalidArgument);
  host_.StartEpoch(2);
  Entry key = host_.Key();
  key.seal_key = std::string(32, 'k');
  EXPECT_EQ(refused(key), StatusCode::kInvalidArgument);
}

TEST_F(OrderTest, AnEpochIsRegisteredOnce) {
  CreateVault();
  const Entry key = host_.Key();
  const Commit commit = Append({key, key});
  EXPECT_EQ(commit.entries[1].outcome, Outcome::kRepeated);
  EXPECT_EQ(commit.entries[1].index, commit.entries[0].index);
  EXPECT_EQ(Append({key}).entries[0].outcome, Outcome::kRepeated);
  testing::TestHost clone("geo01");
  const Commit conflict = Append({clone.Key()});
  EXPECT_EQ(conflict.entries[0].outcome, Outcome::kConflict);
  EXPECT_EQ(nlohmann::json::parse(BlockAt(conflict.entries[0].index).body)["epoch"], 1);

  Result<std::optional<evidence::Hash>> seal_key = vault_->reader().SealKey("geo01", 1);
  ASSERT_TRUE(seal_key.ok() && seal_key->has_value());
  EXPECT_EQ((*seal_key)->view(), key.seal_key);
  host_.StartEpoch(9);
  Append({host_.Key()});
  Result<std::optional<EpochRecord>> newest = vault_->reader().NewestEpoch("geo01");
  ASSERT_TRUE(newest.ok() && newest->has_value());
  EXPECT_EQ((*newest)->epoch, 9u);
  EXPECT_FALSE(vault_->reader().NewestEpoch("geo0")->has_value());
}

}  // namespace
}  // namespace logvault::storage
