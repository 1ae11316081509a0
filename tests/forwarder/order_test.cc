// When the vault and the spool do not agree about numbers, epochs or content, records go on; none is dropped unsaid.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/forwarder/test_host.h"

namespace logvault::forwarder {
namespace {

using testing::HasSubstr;

// A host whose spool is an old copy: the vault has records that the spool does not know of.
class OldSpoolTest : public testing::Test {
 protected:
  OldSpoolTest() {
    host_.Write("app.log", "one\ntwo\n");
    EXPECT_TRUE(host_.Start().ok());
    host_.Settle();
    host_.Crash();
    Copy("spool", "old spool");
    host_.Append("app.log", "three\n");
    EXPECT_TRUE(host_.Start().ok());
    host_.Settle();
    host_.Crash();
    host_.LoseSpool();
    Copy("old spool", "spool");
  }
  void Copy(const std::string& from, const std::string& to) {
    std::filesystem::copy(host_.Path(from), host_.Path(to),
                          std::filesystem::copy_options::recursive);
  }
  TestHost host_;
};

TEST_F(OldSpoolTest, TheVaultIsBelievedAndNothingIsDoubled) {
  host_.Append("app.log", "four\n");
  ASSERT_TRUE(host_.Start().ok());
  host_.StepShipper();  // the session opens before anything is sealed
  host_.Settle();
  EXPECT_EQ(host_.Raw(), "one\ntwo\nthree\nfour\n");
  EXPECT_EQ(host_.vault.conflicts, 0u);
}

TEST_F(OldSpoolTest, RecordsSealedUnderTakenNumbersAreSealedAnewBehindTheLast) {
  host_.vault.fail_opens = 3;
  host_.Append("app.log", "four\n");
  ASSERT_TRUE(host_.Start().ok());
  host_.Run(300);
  EXPECT_GT(host_.vault.conflicts, 0u);
  EXPECT_EQ(host_.Raw(), "one\ntwo\nthree\nthree\nfour\n");
  EXPECT_EQ(host_.vault.streams["app"].records.back().flags & evidence::kRecordReread,
            evidence::kRecordReread);
  EXPECT_EQ(host_.vault.streams["app"].wrong_prev, 0u);
  EXPECT_EQ(host_.spool().figures().pending_items, 0u);
  host_.Append("app.log", "five\n");
  host_.Settle();
  EXPECT_THAT(host_.Raw(), testing::EndsWith("four\nfive\n"));
}

TEST(RefusalTest, ABatchRefusedForItsContentIsSetAsideAndTheStreamGoesOn) {
  TestHost host;
  host.vault.refuse = [](const evidence::BatchHeader& header, const std::string& source) {
    return source == "app" && header.first_seq == 1 ? std::string("poison") : std::string();
  };
  host.Write("app.log", "poison\n");
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  host.Append("app.log", "fine\n");
  host.Settle();
  EXPECT_EQ(host.Raw(), "fine\n");
  EXPECT_EQ(host.vault.streams["app"].gaps, 1u);
  EXPECT_THAT(host.Own(), HasSubstr("\"first_seq\":1"));
  EXPECT_THAT(host.Own(), HasSubstr("poison"));
  EXPECT_EQ(host.shipper().state().set_aside, 1u);
  EXPECT_EQ(host.spool().figures().pending_items, 0u);
  EXPECT_GT(host.spool().figures().kept_bytes, 0u);
}

TEST(RefusalTest, ARefusedRegistrationStartsANewEpochAndLosesNothing) {
  TestHost host;
  host.vault.refuse_registrations = 1;
  host.Write("app.log", "one\ntwo\n");
  ASSERT_TRUE(host.Start().ok());
  host.Run(100);
  EXPECT_EQ(host.Raw(), "one\ntwo\n");
  EXPECT_EQ(host.vault.streams["app"].wrong_prev, 0u);
  EXPECT_EQ(host.shipper().state().set_aside, 0u);
  host.Append("app.log", "three\n");
  host.Settle();
  EXPECT_EQ(host.Raw(), "one\ntwo\nthree\n");
}

TEST(EpochTest, AClockThatWentBackStillStartsALaterEpoch) {
  TestHost host;
  host.Write("app.log", "one\n");
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  host.Crash();
  host.LoseSpool();
  host.clock.Step(-400 * 86'400 * kNanosPerSecond);
  host.Append("app.log", "two\n");
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  EXPECT_EQ(host.Raw(), "one\ntwo\n");
}

TEST(EpochTest, BatchesOfAnEpochThatEndedOfflineAreAcceptedLater) {
  TestHost host;
  host.Write("app.log", "one\n");
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  host.vault.fail_appends = 1'000'000;
  host.vault.fail_opens = 1'000'000;
  for (const char* line : {"two\n", "three\n", "four\n"}) {
    host.Crash();
    host.Append("app.log", line);
    ASSERT_TRUE(host.Start().ok());
    host.Run(20);
  }
  host.vault.fail_appends = host.vault.fail_opens = 0;
  host.Run(400);
  EXPECT_EQ(host.Raw(), "one\ntwo\nthree\nfour\n");
  EXPECT_THAT(host.vault.complaints, testing::IsEmpty());
}

TEST(EpochTest, EachCommitIsSealedWithTheNextKey) {
  TestHost host;
  host.Write("app.log", "one\n");
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  host.Append("app.log", "two\n");
  host.Settle();
  std::vector<std::uint32_t> indices;
  for (const auto& [seq, batch] : host.vault.streams["app"].batches) {
    indices.push_back(evidence::BatchHeader::Parse(batch.first)->seal_index);
  }
  ASSERT_EQ(indices.size(), 2u);
  EXPECT_LT(indices[0], indices[1]);
}

TEST(OwnStreamTest, SaysStartHeartbeatsAndStop) {
  TestHost host;
  host.heartbeat = 5 * kNanosPerSecond;
  host.Write("app.log", "one\n");
  ASSERT_TRUE(host.Start().ok());
  host.Run(120);
  host.intake().Stop(R"({"type":"stop"})");
  host.Settle();
  EXPECT_THAT(host.Own(), testing::StartsWith("{\"type\":\"start\"}\n"));
  EXPECT_THAT(host.Own(), testing::EndsWith("{\"type\":\"stop\"}\n"));
  EXPECT_THAT(host.Own(), HasSubstr("\"type\":\"heartbeat\""));
  EXPECT_THAT(host.Own(), HasSubstr(R"("app":{"lag_bytes":0,"last":1,"state":"ok"})"));
}

TEST(BackOffTest, TriesAgainForEverButNeverMoreOftenThanTheCap) {
  TestHost host;
  host.vault.fail_opens = 1'000'000;
  ASSERT_TRUE(host.Start().ok());
  host.Run(10 * 60 * 10);  // ten minutes
  EXPECT_GE(host.vault.opens, 10 * 60 / 30u);
  EXPECT_LE(host.vault.opens, 10 * 60 / 15u + 12);
  EXPECT_EQ(host.shipper().state().trouble.code(), StatusCode::kUnavailable);
}

TEST(BackOffTest, DoublesUpToTheCapWithJitterAndStartsOver) {
  Backoff backoff;
  std::int64_t step = kBackoffFirstNanos;
  for (int i = 0; i < 12; ++i) {
    std::int64_t wait = backoff.Next();
    EXPECT_GE(wait, step / 2);
    EXPECT_LE(wait, step);
    step = std::min(step * 2, kBackoffMaxNanos);
  }
  backoff.Reset();
  EXPECT_LE(backoff.Next(), kBackoffFirstNanos);
}

}  // namespace
}  // namespace logvault::forwarder
