// Failing and dying disks: a vault acknowledges only what survives them, and never goes on past a failed sync.
#include <rocksdb/env.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <latch>

#include "storage/anchor.h"
#include "storage/committer.h"
#include "storage/verify.h"
#include "tests/storage/faulty_disk.h"
#include "tests/storage/vault_fixture.h"
#include "tests/support/seeds.h"

namespace logvault::storage {
namespace {

using ::testing::HasSubstr;

class CrashTest : public VaultTest {
 protected:
  CrashTest() { options_.env = env_.get(); }
  ~CrashTest() override { vault_.reset(); }

  void Crash(FaultyDisk::Tail tail) {
    vault_.reset();
    disk_->Crash(tail, random_);
  }
  // Closes the vault and zeroes the last third of its write-ahead log.
  void TearLog() {
    vault_.reset();
    disk_->Revive();
    const std::filesystem::path log = NewestLog();
    const auto size = std::filesystem::file_size(log);
    std::filesystem::resize_file(log, size * 2 / 3);
    std::filesystem::resize_file(log, size);
  }
  std::filesystem::path NewestLog() {
    std::filesystem::path newest;
    for (const auto& file : std::filesystem::directory_iterator(options_.dir)) {
      if (file.path().extension() == ".log" && file.path() > newest) newest = file.path();
    }
    return newest;
  }
  std::string LogBytes() {
    std::ifstream in(NewestLog(), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }
  void ExpectVerified() {
    VerifyOptions options;
    options.dir = options_.dir;
    options.anchor = options_.anchor;
    options.key = evidence::VerifierKey::For(genesis_.origin, key_.public_key());
    options.certificate_check = testing::CheckTestCertificate;
    Result<VerifyReport> report = VerifyVault(options);
    ASSERT_TRUE(report.ok()) << report.status();
    for (const evidence::Finding& finding : report->findings) {
      ADD_FAILURE() << "block " << finding.block << ": " << finding.reason;
    }
  }

  const std::shared_ptr<FaultyDisk> disk_ = std::make_shared<FaultyDisk>();
  const std::unique_ptr<rocksdb::Env> env_ = rocksdb::NewCompositeEnv(disk_);
  std::mt19937_64 random_{1};
};

TEST_F(CrashTest, AFailedSyncSealsTheVaultUntilItIsOpenedAnew) {
  CreateVaultWithStream();
  const Head before = vault_->head();
  disk_->FailSync(".log");
  const Entry batch = NextBatch();
  EXPECT_EQ(vault_->Append({&batch, 1}).status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(vault_->head(), before) << "nothing of it is published";
  const Entry alert = host_.Stream("other");
  const Status again = vault_->Append({&alert, 1}).status();
  EXPECT_EQ(again.code(), StatusCode::kUnavailable);
  EXPECT_THAT(again.message(), HasSubstr("sealed"));
  Crash(FaultyDisk::Tail::kLost);
  Reopen();
  EXPECT_EQ(vault_->head(), before) << "the head is the disk's, not RocksDB's memory of it";
  EXPECT_EQ(Append({batch}).entries[0].outcome, Outcome::kCommitted);
}

TEST_F(CrashTest, AWriteWhoseSyncFailedMayBeThereAfterReopeningAndIsThenARepetition) {
  CreateVaultWithStream();
  disk_->FailSync(".log");
  const Entry batch = NextBatch();
  EXPECT_FALSE(vault_->Append({&batch, 1}).ok());
  Reopen();
  const Commit commit = Append({batch, NextBatch()});
  EXPECT_NE(commit.entries[0].outcome, Outcome::kConflict);
  EXPECT_EQ(commit.entries[0].index, 3u);
  EXPECT_EQ(commit.entries[1].index, 4u);
  vault_.reset();
  ExpectVerified();
}

TEST_F(CrashTest, AFailedAnchorSealsTheVault) {
  CreateVaultWithStream();
  const Head before = vault_->head();
  disk_->FailSync(".anchor");
  const Entry batch = NextBatch();
  const Status status = vault_->Append({&batch, 1}).status();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_THAT(status.message(), HasSubstr("anchor"));
  EXPECT_EQ(vault_->head(), before);
  Crash(FaultyDisk::Tail::kLost);
  Reopen();
  EXPECT_EQ(vault_->head().size, before.size + 1) << "written, anchored only now";
  EXPECT_EQ(*ReadAnchor(options_.anchor), vault_->head().note);
  EXPECT_EQ(Append({batch}).entries[0].outcome, Outcome::kRepeated);
}

TEST_F(CrashTest, WhatWasAcknowledgedSurvivesTheLossOfEverythingUnsynced) {
  CreateVaultWithStream();
  std::vector<Entry> acknowledged;
  for (int i = 0; i < 20; ++i) {
    acknowledged.push_back(NextBatch());
    Append({acknowledged.back()});
  }
  const Head head = vault_->head();
  disk_->DieAfter(0);
  const Entry lost = NextBatch();
  EXPECT_FALSE(vault_->Append({&lost, 1}).ok());
  Crash(FaultyDisk::Tail::kLost);
  Reopen();
  EXPECT_EQ(vault_->head(), head);
  for (const Entry& entry : acknowledged) {
    EXPECT_EQ(Append({entry}).entries[0].outcome, Outcome::kRepeated);
  }
}

TEST_F(CrashTest, BelowTheDiskReserveNothingIsWrittenAndAboveItTheVaultGoesOn) {
  CreateVaultWithStream();
  options_.disk_reserve_bytes = 1 << 20;
  Reopen();
  const Head before = vault_->head();
  const Entry batch = NextBatch();
  disk_->SetFreeBytes(1 << 20);
  EXPECT_EQ(vault_->Append({&batch, 1}).status().code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(vault_->head(), before);
  disk_->SetFreeBytes(2 << 20);
  EXPECT_EQ(Append({batch}).entries[0].outcome, Outcome::kCommitted);
}

TEST_F(CrashTest, PartOfTheDiskReserveIsForTheVaultsOwnWords) {
  CreateVaultWithStream();
  options_.disk_reserve_bytes = 4 << 20;
  Reopen();
  Entry access;
  access.kind = evidence::BlockKind::kAccess;
  access.body = "{}";
  const Entry batch = NextBatch();
  disk_->SetFreeBytes(3 << 20);
  EXPECT_EQ(vault_->Append({&batch, 1}).status().code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(Append({access}).entries[0].outcome, Outcome::kCommitted);
  const Entry both[] = {batch, access};
  EXPECT_EQ(vault_->Append(both).status().code(), StatusCode::kResourceExhausted);
  disk_->SetFreeBytes(1 << 20);
  EXPECT_EQ(vault_->Append({&access, 1}).status().code(), StatusCode::kResourceExhausted);
}

TEST_F(CrashTest, AHostThatFindsNoRoomDoesNotKeepAnInvestigatorOut) {
  CreateVaultWithStream();
  options_.disk_reserve_bytes = 4 << 20;
  Reopen();
  disk_->SetFreeBytes(3 << 20);
  Entry access;
  access.kind = evidence::BlockKind::kAccess;
  access.body = "{}";
  Status host, investigator = Internal("not answered");
  {
    Committer committer(*vault_);
    std::latch held(1), go_on(1);
    const auto hold = [&](const Result<Commit>&) {
      held.count_down();
      go_on.wait();
    };
    ASSERT_TRUE(committer.Submit({access}, hold).ok());
    held.wait();  // what is submitted now is one group
    const auto answer = [](Status& to) {
      return [&to](const Result<Commit>& commit) { to = commit.status(); };
    };
    ASSERT_TRUE(committer.Submit({NextBatch()}, answer(host)).ok());
    ASSERT_TRUE(committer.Submit({access}, answer(investigator)).ok());
    go_on.count_down();
  }
  EXPECT_EQ(host.code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(investigator, Status::Ok());
}

// The last append of a dying disk is on it in part, the rest of its bytes are zeros.
TEST_F(CrashTest, ATornWriteIsDroppedWithAnAlertAsLongAsTheAnchorIsReached) {
  CreateVaultWithStream();
  Append({NextBatch()});
  const Head head = vault_->head();
  const Entry torn = host_.Records("access", {evidence::RandomBytes(100'000)});
  disk_->FailSync(".log");
  EXPECT_FALSE(vault_->Append({&torn, 1}).ok());
  TearLog();
  Reopen();
  ASSERT_EQ(vault_->head().size, head.size + 1);
  EXPECT_EQ(*evidence::RootAt(head.size, vault_->reader().Nodes()), head.root);
  const evidence::BlockHeader alert = BlockAt(head.size);
  EXPECT_EQ(alert.kind, evidence::BlockKind::kAlert);
  EXPECT_THAT(alert.body, HasSubstr("log_damaged"));
  EXPECT_EQ(Append({torn}).entries[0].outcome, Outcome::kCommitted);
  vault_.reset();
  ExpectVerified();
}

TEST_F(CrashTest, AManifestWithATornEndIsCutAsLongAsTheAnchorIsReached) {
  CreateVaultWithStream();
  Append({NextBatch()});
  const Head head = vault_->head();
  vault_.reset();  // flushes, and so the last record of the MANIFEST is about a table
  std::filesystem::path manifest;
  for (const auto& file : std::filesystem::directory_iterator(options_.dir)) {
    if (file.path().filename().string().starts_with("MANIFEST")) manifest = file.path();
  }
  // Half a record follows: its head says 200 bytes, and the rest is zeros.
  std::ofstream(manifest, std::ios::binary | std::ios::app)
      << std::string("\x11\x22\x33\x44\xc8\x00\x01half", 11) + std::string(300, '\0');
  Reopen();
  ASSERT_EQ(vault_->head().size, head.size + 1) << "the alert";
  EXPECT_EQ(*evidence::RootAt(head.size, vault_->reader().Nodes()), head.root);
  EXPECT_FALSE(std::filesystem::exists(options_.dir + ".trial"));
  vault_.reset();
  ExpectVerified();
}

TEST_F(CrashTest, ALogThatEndsBeforeTheAnchorIsRefusedAndLeftAsItIs) {
  CreateVaultWithStream();
  Append({host_.Records("access", {evidence::RandomBytes(100'000)})});
  disk_->DieAfter(0);
  TearLog();
  const std::string before = LogBytes();
  const Status status = TryOpen();
  EXPECT_EQ(status.code(), StatusCode::kIntegrity) << status;
  EXPECT_THAT(status.message(), HasSubstr("logvault verify"));
  EXPECT_EQ(LogBytes(), before);
}

// Random groups on a disk that dies at a random operation; again and again over the same vault.
class RandomCrashTest : public CrashTest, public ::testing::WithParamInterface<int> {
 protected:
  struct Acknowledged {
    Entry entry;
    std::uint64_t index = 0;
  };

  // A group of new batches over two streams; with some chance an old one among them.
  std::vector<Entry> RandomGroup() {
    std::vector<Entry> group;
    for (std::uint64_t left = 1 + random_() % 6; left > 0; --left) {
      if (random_() % 4 == 0 && !acknowledged_.empty()) {
        group.push_back(acknowledged_[random_() % acknowledged_.size()].entry);
        continue;
      }
      const std::size_t size = random_() % 20 == 0 ? 200'000 : random_() % 300;
      std::string line = evidence::RandomBytes(size + 1);
      group.push_back(host_.Records(random_() % 2 == 0 ? "access" : "syslog", {line}));
    }
    return group;
  }
  // Appends until the disk dies; what was in flight then is in `in_flight_`.
  void AppendUntilDeath() {
    for (;;) {
      if (in_flight_.empty()) in_flight_ = RandomGroup();
      Result<Commit> commit = vault_->Append(in_flight_);
      if (!commit.ok()) {
        ASSERT_EQ(commit.status().code(), StatusCode::kUnavailable) << commit.status();
        return;
      }
      for (std::size_t i = 0; i < in_flight_.size(); ++i) {
        ASSERT_NE(commit->entries[i].outcome, Outcome::kConflict);
        acknowledged_.push_back({in_flight_[i], commit->entries[i].index});
      }
      head_ = commit->head;
      in_flight_.clear();
    }
  }
  void ExpectAcknowledged() {
    ASSERT_GE(vault_->head().size, head_.size);
    EXPECT_EQ(*evidence::RootAt(head_.size, vault_->reader().Nodes()), head_.root);
    for (const Acknowledged& was : acknowledged_) {
      const evidence::BlockHeader block = BlockAt(was.index);
      EXPECT_EQ(block.body, was.entry.body);
      Result<std::string> payload = vault_->reader().Payload(was.index, block.commit_time);
      ASSERT_TRUE(payload.ok()) << payload.status();
      EXPECT_EQ(*payload, was.entry.payload);
    }
  }

  std::vector<Acknowledged> acknowledged_;
  std::vector<Entry> in_flight_;
  Head head_;
};

TEST_P(RandomCrashTest, NothingAcknowledgedIsLostAndTheChainHolds) {
  const int seed = GetParam();
  std::cout << "seed " << seed << "\n";
  random_.seed(static_cast<std::uint64_t>(seed));
  CreateVaultWithStream();
  Append({host_.Stream("syslog")});
  head_ = vault_->head();
  for (int round = 0; round < 4; ++round) {
    disk_->DieAfter(random_() % 120);
    AppendUntilDeath();
    if (HasFatalFailure()) return;
    constexpr FaultyDisk::Tail kTails[] = {FaultyDisk::Tail::kLost, FaultyDisk::Tail::kPrefixKept,
                                           FaultyDisk::Tail::kZeroed};
    Crash(kTails[random_() % 3]);
    Reopen();
    if (HasFatalFailure()) return;
    ExpectAcknowledged();
  }
  vault_.reset();
  ExpectVerified();
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomCrashTest, ::testing::Range(1, 1 + testing::SeedCount(12)));

}  // namespace
}  // namespace logvault::storage
