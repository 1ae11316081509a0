// The spool is freed only for what the vault proved to have; whatever contradicts what it signed stops that.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/forwarder/test_host.h"

namespace logvault::forwarder {
namespace {

struct Tampering {
  const char* name;
  std::function<void(v1::AppendResponse&)> with;
};

void Flip(std::string* bytes, std::size_t at) {
  (*bytes)[at] = static_cast<char>((*bytes)[at] ^ 1);
}

const std::vector<Tampering>& Tamperings() {
  static const auto* tamperings = new std::vector<Tampering>{
      {"checkpoint signature",
       [](auto& r) { Flip(r.mutable_checkpoint(), r.checkpoint().size() - 20); }},
      {"checkpoint text", [](auto& r) { Flip(r.mutable_checkpoint(), 2); }},
      {"no checkpoint", [](auto& r) { r.clear_checkpoint(); }},
      {"consistency hash", [](auto& r) { Flip(r.mutable_consistency(0), 3); }},
      {"short consistency hash", [](auto& r) { r.mutable_consistency(0)->pop_back(); }},
      {"no consistency", [](auto& r) { r.clear_consistency(); }},
      {"one hash too many", [](auto& r) { r.add_consistency(std::string(32, 'x')); }},
      {"block prefix", [](auto& r) { Flip(r.mutable_receipts(0)->mutable_block(), 30); }},
      {"block body", [](auto& r) { Flip(r.mutable_receipts(0)->mutable_block(), 100); }},
      {"no block", [](auto& r) { r.mutable_receipts(0)->clear_block(); }},
      {"inclusion hash", [](auto& r) { Flip(r.mutable_receipts(0)->mutable_inclusion(0), 0); }},
      {"no inclusion", [](auto& r) { r.mutable_receipts(0)->clear_inclusion(); }},
      {"another item's receipt", [](auto& r) { r.mutable_receipts()->SwapElements(0, 1); }},
      {"no receipts", [](auto& r) { r.clear_receipts(); }},
      {"one receipt too many", [](auto& r) { *r.add_receipts() = r.receipts(0); }},
      {"no outcome", [](auto& r) { r.mutable_receipts(0)->clear_outcome(); }},
  };
  return *tamperings;
}

class TamperTest : public testing::TestWithParam<Tampering> {};

TEST_P(TamperTest, FreesNothingUntilTheAnswerIsRight) {
  TestHost host;
  host.Write("app.log", "one\n");
  host.vault.tamper = GetParam().with;
  ASSERT_TRUE(host.Start().ok());
  host.Run(1);  // one session, one answer
  EXPECT_EQ(host.shipper().state().trouble.code(), StatusCode::kIntegrity)
      << host.shipper().state().trouble;
  EXPECT_EQ(host.shipper().state().items_shipped, 0u);
  EXPECT_GE(host.spool().figures().pending_items, 2u);
  host.vault.tamper = nullptr;
  host.Run(1000);
  EXPECT_EQ(host.spool().figures().pending_items, 0u);
  EXPECT_EQ(host.Raw(), "one\n");
  EXPECT_THAT(host.Own(), testing::HasSubstr("\"integrity\":true"));
}

INSTANTIATE_TEST_SUITE_P(EachField, TamperTest, testing::ValuesIn(Tamperings()),
                         [](const auto& test) {
                           std::string name = test.param.name;
                           std::erase_if(name, [](char c) {
                             return std::isalnum(static_cast<unsigned char>(c)) == 0;
                           });
                           return name;
                         });

TEST(WitnessTest, ARollbackIsSeenAndBothNotesAreKept) {
  TestHost host;
  host.Write("app.log", "one\n");
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  std::string kept = *host.spool().Note();
  host.Crash();
  host.vault.RollBack(1);
  host.Append("app.log", "two\n");
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  EXPECT_EQ(host.shipper().state().trouble.code(), StatusCode::kIntegrity);
  EXPECT_THAT(host.shipper().state().trouble.message(), testing::HasSubstr("rollback"));
  EXPECT_EQ(*host.spool().Note(), kept);
  EXPECT_EQ(*host.spool().Contradiction(), host.vault.Note());
  EXPECT_GT(host.spool().figures().pending_items, 0u);
}

TEST(WitnessTest, AForkOfTheSameSizeIsSeen) {
  TestHost host;
  host.Write("app.log", "one\n");
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  host.Crash();
  host.vault.Fork();
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  EXPECT_THAT(host.shipper().state().trouble.message(), testing::HasSubstr("fork"));
  EXPECT_NE(*host.spool().Contradiction(), "");
}

TEST(WitnessTest, ALongerForkIsSeen) {
  TestHost host;
  host.Write("app.log", "one\n");
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  host.vault.RollBack(1);
  host.vault.Fork();
  host.vault.Fork();
  host.Append("app.log", "two\n");
  host.Settle();
  EXPECT_EQ(host.shipper().state().trouble.code(), StatusCode::kIntegrity);
}

TEST(WitnessTest, AVaultThatForgetsAcknowledgedRecordsIsCaught) {
  TestHost host;
  host.Write("app.log", "one\ntwo\n");
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  host.Crash();
  host.vault.streams["app"].last_seq = 1;
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  EXPECT_EQ(host.shipper().state().trouble.code(), StatusCode::kIntegrity);
}

TEST(WitnessTest, TheKeptCheckpointGrowsWithEveryReceiptAndSurvives) {
  TestHost host;
  host.Write("app.log", "one\n");
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  EXPECT_EQ(host.witness().seen().size, host.vault.size());
  std::uint64_t size = host.witness().seen().size;
  host.Crash();
  ASSERT_TRUE(host.Start().ok());
  EXPECT_EQ(host.witness().seen().size, size);
}

TEST(WitnessTest, ASpoolOfAnotherVaultIsRefused) {
  TestHost host;
  host.Write("app.log", "one\n");
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  std::string note = *host.spool().Note();
  ScriptedVault other("host1", std::string(32, 'k'));
  EXPECT_EQ(Witness::Open(note, other.key()).status().code(), StatusCode::kFailedPrecondition);
}

TEST(BatchTest, EveryBatchNamesTheCheckpointThatWasSeen) {
  TestHost host;
  host.Write("app.log", "one\n");
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  std::uint64_t seen = host.witness().seen().size;
  host.Append("app.log", "two\n");
  host.Settle();
  const auto& batches = host.vault.streams["app"].batches;
  Result<evidence::BatchHeader> newest =
      evidence::BatchHeader::Parse(batches.rbegin()->second.first);
  EXPECT_GE(newest->seen_size, seen);
  EXPECT_NE(newest->seen_root, evidence::Hash());
}

}  // namespace
}  // namespace logvault::forwarder
