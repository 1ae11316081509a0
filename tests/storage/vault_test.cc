// The vault: what each commit leaves behind, and what is read back of it.
#include "storage/vault.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "evidence/checkpoint.h"
#include "tests/storage/vault_fixture.h"

namespace logvault::storage {
namespace {

namespace fs = std::filesystem;
using evidence::BlockKind;
using ::testing::ElementsAre;

using VaultCreateTest = VaultTest;
using VaultCommitTest = VaultTest;

TEST_F(VaultCreateTest, ANewVaultHasGenesisAndASignedCheckpointOfOneBlock) {
  CreateVault();
  EXPECT_EQ(vault_->head().size, 1u);
  EXPECT_EQ(BlockAt(0).kind, BlockKind::kGenesis);
  EXPECT_EQ(vault_->genesis(), genesis_);
  Result<evidence::Checkpoint> checkpoint = evidence::OpenCheckpoint(
      vault_->head().note, evidence::VerifierKey::For(genesis_.origin, key_.public_key()));
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  EXPECT_EQ(checkpoint->root, vault_->head().root);
}

TEST_F(VaultCreateTest, NothingThatIsThereIsOverwritten) {
  fs::create_directory(options_.dir);
  std::ofstream(options_.dir + "/file") << "x";
  EXPECT_EQ(Vault::Create(options_, genesis_, key_, clock_).code(), StatusCode::kAlreadyExists);
  fs::remove(options_.dir + "/file");
  std::ofstream(options_.anchor) << "x";
  EXPECT_EQ(Vault::Create(options_, genesis_, key_, clock_).code(), StatusCode::kAlreadyExists);
  fs::remove(options_.anchor);
  EXPECT_EQ(Vault::Create(options_, genesis_, key_, clock_), Status::Ok());
  EXPECT_EQ(Vault::Create(options_, genesis_, key_, clock_).code(), StatusCode::kAlreadyExists);
}

TEST_F(VaultCreateTest, AnOriginOfAnotherKeyIsRefused) {
  const evidence::SigningKey other = evidence::SigningKey::Generate();
  EXPECT_EQ(Vault::Create(options_, genesis_, other, clock_).code(), StatusCode::kInvalidArgument);
  evidence::GenesisBody genesis = genesis_;
  genesis.origin = evidence::OriginFor("lab-vault", other.public_key());
  EXPECT_EQ(Vault::Create(options_, genesis, key_, clock_).code(), StatusCode::kInvalidArgument);
}

TEST_F(VaultCommitTest, TheStreamHeadAddsUpItsBatches) {
  CreateVaultWithStream();
  Append({host_.Records("access", {"a\n", "b\n"}, {}, 50)});
  Append({host_.Records("access", {"c\n"}, {}, 40)});
  StreamHead head = StreamNow();
  EXPECT_EQ(head.host, "geo01");
  EXPECT_EQ(head.source, "access");
  EXPECT_EQ(head.format, "plain");
  EXPECT_EQ(head.stream_block, 2u);
  EXPECT_EQ(head.last_seq, 3u);
  EXPECT_EQ(head.last_block, 4u);
  EXPECT_EQ(head.batches, 2u);
  EXPECT_EQ(head.records, 3u);
  EXPECT_EQ(head.first_time, 40);
  EXPECT_EQ(head.last_time, 50);
  EXPECT_EQ(head.last_commit_time, BlockAt(4).commit_time);
  EXPECT_EQ(head.head_hash, host_.place("access").stream_prev);
  Append({host_.Stream("access", "access")});
  EXPECT_EQ(StreamNow().format, "access");
  EXPECT_EQ(StreamNow().last_seq, 3u) << "a new description does not restart the numbering";
  Append({host_.Stream("syslog")});
  Result<std::vector<StreamHead>> streams = vault_->reader().Streams();
  ASSERT_TRUE(streams.ok()) << streams.status();
  ASSERT_EQ(streams->size(), 2u);
  EXPECT_EQ((*streams)[0].source, "access");
  EXPECT_EQ((*streams)[1].source, "syslog");
}

TEST_F(VaultCommitTest, WhatAHostSentTodayIsKnownAfterReopening) {
  CreateVaultWithStream();
  const std::vector<Entry> batches = {NextBatch(), NextBatch(), NextBatch(), NextBatch()};
  const auto bytes_of = [&batches](std::size_t i) {
    return batches[i].body.size() + batches[i].payload.size();
  };
  Append({batches[0], batches[1]});
  Append({batches[2], batches[0]});  // what is repeated takes nothing
  Reopen();
  const std::int64_t today = DayOf(clock_.Now());
  EXPECT_EQ(*vault_->reader().DayUses(),
            (std::vector<DayUse>{{"geo01", today, bytes_of(0) + bytes_of(1) + bytes_of(2)}}));
  clock_.Advance(86'400 * kNanosPerSecond);
  Append({batches[3]});
  EXPECT_EQ(*vault_->reader().DayUses(), (std::vector<DayUse>{{"geo01", today + 1, bytes_of(3)}}));
}

TEST_F(VaultCommitTest, PositionEntriesMergeAndAnEmptyValueRemoves) {
  CreateVaultWithStream();
  Append({host_.Records("access", {"a\n"}, {{"file1", "10"}, {"file2", "20"}}),
          host_.Records("access", {"b\n"}, {{"file1", ""}, {"file3", "30"}})});
  Append({host_.Records("access", {"c\n"}, {{"file2", "21"}})});
  Result<std::vector<evidence::PositionEntry>> position =
      vault_->reader().Position(host_.stream_id("access"));
  ASSERT_TRUE(position.ok()) << position.status();
  EXPECT_THAT(*position, ElementsAre(evidence::PositionEntry{"file2", "21"},
                                     evidence::PositionEntry{"file3", "30"}));
}

TEST_F(VaultCommitTest, ARecordIsLocatedByItsNumber) {
  CreateVaultWithStream();
  Append({NextBatch(3), NextBatch(2)});
  NextBatch(4);
  Append({NextBatch(1)});
  const auto locate = [this](std::uint64_t seq) {
    Result<std::optional<std::uint64_t>> index =
        vault_->reader().Locate(host_.stream_id("access"), seq);
    EXPECT_TRUE(index.ok()) << index.status();
    return index.ok() ? *index : std::nullopt;
  };
  EXPECT_EQ(locate(0), std::nullopt);
  EXPECT_EQ(locate(1), 3u);
  EXPECT_EQ(locate(3), 3u);
  EXPECT_EQ(locate(4), 4u);
  EXPECT_EQ(locate(6), std::nullopt) << "in the gap";
  EXPECT_EQ(locate(10), 5u);
  EXPECT_EQ(locate(11), std::nullopt);
}

TEST_F(VaultCommitTest, CommitTimesRiseAndASteppedClockIsFlagged) {
  CreateVaultWithStream();
  clock_.Advance(60 * kNanosPerSecond);
  Append({NextBatch()});
  EXPECT_EQ(BlockAt(3).commit_time, clock_.Now());
  clock_.Step(-5 * kNanosPerSecond);
  Append({NextBatch()});
  EXPECT_EQ(BlockAt(4).commit_time, BlockAt(3).commit_time + 1);
  EXPECT_EQ(BlockAt(4).flags, 0) << "5 s are no step";
  clock_.Step(-3600 * kNanosPerSecond);
  Append({NextBatch()});
  EXPECT_EQ(BlockAt(5).commit_time, BlockAt(4).commit_time + 1);
  EXPECT_EQ(BlockAt(5).flags, evidence::kFlagClock);
  EXPECT_EQ(nlohmann::json::parse(BlockAt(6).body)["type"], "clock");
  Append({NextBatch()});
  EXPECT_EQ(BlockAt(7).flags, evidence::kFlagClock) << "the clock is still behind the vault";
  EXPECT_EQ(vault_->head().size, 8u) << "alerted once";
  clock_.Step(7200 * kNanosPerSecond);
  Append({NextBatch()});
  EXPECT_EQ(BlockAt(8).flags, evidence::kFlagClock) << "a step forwards is a step";
  clock_.Advance(3600 * kNanosPerSecond);
  Append({NextBatch()});
  EXPECT_EQ(BlockAt(9).flags, 0) << "time that passed is none";
}

TEST_F(VaultCommitTest, TheTilesRootIsTheRootOverAllLeavesAtEverySize) {
  CreateVaultWithStream();
  std::uint64_t blocks = vault_->head().size;
  for (std::size_t group_size = 1; blocks < 700; group_size = group_size * 2 % 101 + 1) {
    std::vector<Entry> group;
    for (std::size_t i = 0; i < group_size; ++i) {
      Entry alert;
      alert.kind = BlockKind::kAlert;
      alert.body = std::to_string(blocks++);
      group.push_back(std::move(alert));
    }
    Append(group);
  }
  std::vector<evidence::Hash> leaves;
  ASSERT_EQ(vault_->reader().ForEachBlock(0, UINT64_MAX,
                                          [&leaves](std::uint64_t index, std::string_view bytes) {
                                            EXPECT_EQ(index, leaves.size());
                                            leaves.push_back(evidence::LeafHash(bytes));
                                            return true;
                                          }),
            Status::Ok());
  ASSERT_EQ(leaves.size(), vault_->head().size);
  EXPECT_EQ(evidence::RootOf(leaves), vault_->head().root);
  const auto expect_roots = [&] {
    const evidence::NodeReader nodes = vault_->reader().Nodes();
    for (std::uint64_t size = 1; size <= leaves.size(); size += 7) {
      Result<evidence::Hash> root = evidence::RootAt(size, nodes);
      ASSERT_TRUE(root.ok()) << root.status();
      EXPECT_EQ(*root, evidence::RootOf(std::span(leaves).first(size))) << "size " << size;
    }
    EXPECT_FALSE(nodes(0, leaves.size()).ok()) << "there is no such leaf";
  };
  expect_roots();  // from the cache that the commits filled
  Reopen();
  EXPECT_EQ(vault_->head().size, leaves.size());
  expect_roots();  // from the rows
}

}  // namespace
}  // namespace logvault::storage
