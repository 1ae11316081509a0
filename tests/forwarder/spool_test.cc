// The spool: what belongs together is there together or not at all; it stays within its bound and says what it drops.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "forwarder/spool_check.h"
#include "tests/forwarder/sealed_batch.h"
#include "tests/forwarder/test_host.h"

namespace logvault::forwarder {
namespace {

class SpoolTest : public testing::Test {
 protected:
  SpoolTest() { options_.dir = folder_ / "spool"; }
  std::unique_ptr<Spool> Open() {
    Result<std::unique_ptr<Spool>> spool = Spool::Open(options_, "host1");
    EXPECT_TRUE(spool.ok()) << spool.status();
    return *std::move(spool);
  }
  static SpoolCommit Batch(const std::string& source, std::uint64_t first, std::uint64_t last,
                           std::size_t bytes) {
    return CommitOf(SealedBatch("host1", source, first, last, bytes,
                                {{"file", "offset " + std::to_string(last)}}));
  }
  // Of every batch that waits, by reading its file beside the spool: asking the spool would be sending.
  std::vector<std::uint64_t> FirstNumbers() {
    std::vector<std::uint64_t> numbers;
    Result<Database> file = Database::OpenReadOnly(SpoolFile(options_.dir));
    Status read = ForEachRow(*file, "SELECT first_seq FROM item WHERE state=0 ORDER BY id",
                             [&numbers](const Statement& row) {
                               numbers.push_back(static_cast<std::uint64_t>(row.Int(0)));
                             });
    EXPECT_TRUE(read.ok()) << read;
    return numbers;
  }
  TestFolder folder_;
  SpoolOptions options_;
};

TEST_F(SpoolTest, ABatchItsPositionAndItsHeadAreThereAfterReopening) {
  const SpoolCommit commit = Batch("app", 1, 3, 10);
  { ASSERT_TRUE(Open()->Append(commit).ok()); }
  auto spool = Open();
  Result<std::vector<SpooledItem>> items = spool->Oldest(1 << 20, 10);
  ASSERT_EQ(items->size(), 1u);
  EXPECT_EQ((*items)[0].header, commit.batches[0].item.header);
  EXPECT_EQ((*spool->Head("app"))->next_seq, 4u);
  EXPECT_EQ((*spool->Head("app"))->head_hash, commit.batches[0].head_hash);
  EXPECT_EQ(*spool->Position("app"), (std::vector<evidence::PositionEntry>{{"file", "offset 3"}}));
  EXPECT_EQ(spool->figures().pending_items, 1u);
}

TEST_F(SpoolTest, AnEmptyValueRemovesAPosition) {
  auto spool = Open();
  ASSERT_TRUE(spool->Append(Batch("app", 1, 1, 1)).ok());
  SpoolCommit removal = Batch("app", 2, 2, 1);
  removal.batches[0].position = {{"file", ""}};
  ASSERT_TRUE(spool->Append(removal).ok());
  EXPECT_THAT(*spool->Position("app"), testing::IsEmpty());
}

TEST_F(SpoolTest, AFullSpoolTakesNothingAndChangesNothing) {
  options_.max_bytes = 10'000;
  auto spool = Open();
  ASSERT_TRUE(spool->Append(Batch("app", 1, 1, 9000)).ok());
  EXPECT_EQ(spool->Append(Batch("app", 2, 2, 9000)).code(), StatusCode::kResourceExhausted);
  EXPECT_EQ((*spool->Head("app"))->next_seq, 2u);
  EXPECT_EQ(spool->figures().pending_items, 1u);
  EXPECT_TRUE(spool->Append(Batch("logvault", 1, 1, 9000)).ok()) << "the own stream has a reserve";
}

TEST_F(SpoolTest, ABatchLargerThanTheSpoolEntersAnEmptyOne) {
  options_.max_bytes = 10'000;
  auto spool = Open();
  EXPECT_TRUE(spool->Append(Batch("app", 1, 1, 50'000)).ok());
}

TEST_F(SpoolTest, DroppingTheOldestOwesAGapRecordForEach) {
  options_.max_bytes = 10'000;
  options_.drop_oldest = true;
  {
    auto spool = Open();
    for (std::uint64_t seq = 1; seq <= 30; seq += 3)
      ASSERT_TRUE(spool->Append(Batch("app", seq, seq + 2, 2800)).ok());
    EXPECT_LE(spool->figures().pending_bytes, 10'000u);
  }
  auto spool = Open();
  Result<std::vector<OwedRecord>> owed = spool->Owed();
  ASSERT_EQ(owed->size(), 7u);
  EXPECT_THAT((*owed)[0].json, testing::HasSubstr(R"("first_seq":1,"last_seq":3)"));
  EXPECT_EQ(spool->Oldest(1 << 20, 10)->front().first_seq, 22u);
  SpoolCommit settles = Batch("logvault", 1, 1, 10);
  settles.settled = {(*owed)[0].id};
  ASSERT_TRUE(spool->Append(settles).ok());
  EXPECT_EQ(spool->Owed()->size(), 6u);
}

TEST_F(SpoolTest, WhatTheVaultMayHaveIsNotDropped) {
  options_.max_bytes = 10'000;
  options_.drop_oldest = true;
  auto spool = Open();
  ASSERT_TRUE(spool->Append(Batch("app", 1, 1, 2800)).ok());
  Result<std::vector<SpooledItem>> sent = spool->Oldest(1 << 20, 10);
  for (std::uint64_t seq = 2; seq <= 10; ++seq)
    ASSERT_TRUE(spool->Append(Batch("app", seq, seq, 2800)).ok());
  EXPECT_EQ(FirstNumbers(), (std::vector<std::uint64_t>{1, 9, 10}));
  EXPECT_THAT((*spool->Owed())[0].json, testing::HasSubstr(R"("first_seq":2,"last_seq":2)"));
  ASSERT_TRUE(spool->Acknowledge({sent->front().id}, "note").ok());
  EXPECT_EQ(spool->Owed()->size(), 7u);
}

TEST_F(SpoolTest, WhatADeadProcessMayHaveSentIsNotDropped) {
  options_.max_bytes = 10'000;
  options_.drop_oldest = true;
  {
    auto spool = Open();
    for (std::uint64_t seq = 1; seq <= 3; ++seq)
      ASSERT_TRUE(spool->Append(Batch("app", seq, seq, 2800)).ok());
    ASSERT_EQ(spool->Oldest(1 << 20, 10)->size(), 1u) << "half of the spool at most";
  }
  auto spool = Open();
  ASSERT_TRUE(spool->Append(Batch("app", 4, 4, 2800)).ok());
  EXPECT_EQ(FirstNumbers(), (std::vector<std::uint64_t>{1, 3, 4}));
}

TEST_F(SpoolTest, ASpoolFullOfWhatTheVaultMayHaveWaits) {
  options_.max_bytes = 10'000;
  options_.drop_oldest = true;
  auto spool = Open();
  ASSERT_TRUE(spool->Append(Batch("app", 1, 1, 9000)).ok());
  Result<std::vector<SpooledItem>> sent = spool->Oldest(1 << 20, 10);
  EXPECT_EQ(spool->Append(Batch("app", 2, 2, 2800)).code(), StatusCode::kResourceExhausted);
  ASSERT_TRUE(spool->Acknowledge({sent->front().id}, "note").ok());
  EXPECT_TRUE(spool->Append(Batch("app", 2, 2, 2800)).ok());
  EXPECT_THAT(*spool->Owed(), testing::IsEmpty());
}

TEST_F(SpoolTest, AcknowledgedItemsAreKeptWithinTheirBytes) {
  options_.keep_acked_bytes = 7000;
  auto spool = Open();
  for (std::uint64_t seq = 1; seq <= 5; ++seq)
    ASSERT_TRUE(spool->Append(Batch("app", seq, seq, 2800)).ok());
  std::vector<std::int64_t> ids;
  Result<std::vector<SpooledItem>> items = spool->Oldest(1 << 20, 10);
  for (const SpooledItem& item : *items) ids.push_back(item.id);
  ASSERT_TRUE(spool->Acknowledge(ids, "note").ok());
  EXPECT_EQ(spool->figures().pending_items, 0u);
  EXPECT_LE(spool->figures().kept_bytes, 7000u);
  EXPECT_GT(spool->figures().kept_bytes, 3000u);
  EXPECT_EQ(*spool->Note(), "note");
  EXPECT_EQ((*spool->Head("app"))->acked_seq, 5u);
}

TEST_F(SpoolTest, RequestsAreOldestFirstWithinTheirBytesAndItems) {
  auto spool = Open();
  for (std::uint64_t seq = 1; seq <= 5; ++seq)
    ASSERT_TRUE(spool->Append(Batch("app", seq, seq, 2800)).ok());
  EXPECT_EQ(spool->Oldest(6600, 10)->size(), 2u);
  EXPECT_EQ(spool->Oldest(1, 10)->size(), 1u);
  EXPECT_EQ(spool->Oldest(1 << 20, 3)->size(), 3u);
}

TEST_F(SpoolTest, ASecondProcessIsRefused) {
  auto spool = Open();
  Result<std::unique_ptr<Spool>> second = Spool::Open(options_, "host1");
  EXPECT_EQ(second.status().code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(second.status().message(), testing::HasSubstr("in use"));
}

TEST_F(SpoolTest, AnotherHostsSpoolIsRefused) {
  Open();
  EXPECT_EQ(Spool::Open(options_, "host2").status().code(), StatusCode::kFailedPrecondition);
}

TEST(FullSpoolTest, SourcesWaitAndGoOnWhenThereIsRoom) {
  TestHost host;
  host.spool_options.max_bytes = 20'000;
  host.Write("app.log", "first\n");
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  host.vault.fail_appends = host.vault.fail_opens = 1'000'000;
  std::string text = "first\n";
  for (int i = 0; i < 60; ++i) {
    std::string line = ToHex(evidence::RandomBytes(1000)) + "\n";
    text += line;
    host.Append("app.log", line);
    host.Run(12);
  }
  EXPECT_LE(host.spool().figures().pending_bytes, 20'000u);
  EXPECT_TRUE(host.intake().blocked());
  host.vault.fail_appends = host.vault.fail_opens = 0;
  host.Run(600);
  EXPECT_EQ(host.Raw(), text);
  EXPECT_EQ(host.vault.streams["app"].gaps, 0u);
}

TEST(FullSpoolTest, NoGapIsToldOfWhatTheVaultTookAndCouldNotAnswer) {
  TestHost host;
  host.spool_options.max_bytes = 20'000;
  host.spool_options.drop_oldest = true;
  host.Write("app.log", "first\n");
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  // Committed, and the answer is lost with the network.
  host.vault.lose_receipts = 1;
  host.vault.fail_opens = 1'000'000;
  for (int i = 0; i < 60; ++i) {
    host.Append("app.log", ToHex(evidence::RandomBytes(1000)) + "\n");
    host.Run(12);
  }
  const std::uint64_t taken = host.vault.streams["app"].last_seq;
  ASSERT_GE(taken, 2u);
  host.vault.fail_opens = 0;
  host.Run(600);
  const ScriptedVault::Stream& stream = host.vault.streams["app"];
  ASSERT_LT(stream.records.size(), 61u) << "something was dropped";
  for (const ScriptedVault::StoredRecord& record : stream.records) {
    const std::string claim = "\"first_seq\":" + std::to_string(record.seq) + ",";
    EXPECT_THAT(host.Own(), testing::Not(testing::HasSubstr(claim))) << "it is there";
  }
}

TEST(FullSpoolTest, DropOldestLeavesGapRecordsForWhatIsMissing) {
  TestHost host;
  host.spool_options.max_bytes = 20'000;
  host.spool_options.drop_oldest = true;
  host.Write("app.log", "first\n");
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  host.vault.fail_appends = host.vault.fail_opens = 1'000'000;
  for (int i = 0; i < 60; ++i) {
    host.Append("app.log", ToHex(evidence::RandomBytes(1000)) + "\n");
    host.Run(12);
  }
  host.vault.fail_appends = host.vault.fail_opens = 0;
  host.Run(600);
  const ScriptedVault::Stream& stream = host.vault.streams["app"];
  EXPECT_EQ(stream.last_seq, 61u);
  EXPECT_LT(stream.records.size(), 61u);
  EXPECT_GE(stream.gaps, 1u);
  std::size_t told = 0;
  for (std::size_t at = 0; (at = host.Own().find("oldest batch dropped", at)) != std::string::npos;
       ++at)
    ++told;
  EXPECT_EQ(told, 61u - stream.records.size()) << "each dropped batch had one record";
}

}  // namespace
}  // namespace logvault::forwarder
