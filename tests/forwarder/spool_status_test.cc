// What `logvault-forwarder status` tells of a spool: figures, streams, notes, and a contradiction if there is one.
#include "forwarder/spool_status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/forwarder/test_host.h"

namespace logvault::forwarder {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

SpoolStatus StatusOf(const TestHost& host) {
  Result<SpoolStatus> status = ReadSpoolStatus(host.Path("spool"));
  EXPECT_TRUE(status.ok()) << status.status();
  return status.ok() ? *status : SpoolStatus{};
}

TEST(SpoolStatusTest, IsReadBesideTheRunningForwarder) {
  TestHost host;
  host.Write("app.log", "one\ntwo\n");
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  const SpoolStatus status = StatusOf(host);
  EXPECT_EQ(status.host, "host1");
  EXPECT_EQ(status.waiting_items, 0u);
  EXPECT_GT(status.kept_bytes, 0u);
  ASSERT_EQ(status.streams.size(), 2u);
  EXPECT_EQ(status.streams[0].source, "app");
  EXPECT_EQ(status.streams[0].last_seq, 2u);
  EXPECT_EQ(status.streams[0].acked_seq, 2u);
  EXPECT_THAT(Describe(status, host.vault.key(), false), EndsWith(host.vault.Note()));
  EXPECT_FALSE(HasProofOfFork(status, host.vault.key()));
}

TEST(SpoolStatusTest, KeepsACheckpointAnHourAndAWeekOfThem) {
  TestHost host;
  host.heartbeat = 3600 * kNanosPerSecond;
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  const std::string first = host.vault.Note();
  for (int hour = 0; hour < 3; ++hour) {
    host.Tick(3601 * kNanosPerSecond);
    host.Run(20);
  }
  std::vector<std::string> notes = StatusOf(host).older_notes;
  ASSERT_EQ(notes.size(), 4u);
  EXPECT_NE(notes.back(), notes.front());
  EXPECT_THAT(Describe(StatusOf(host), host.vault.key(), true), HasSubstr(notes.front()));
  EXPECT_THAT(Describe(StatusOf(host), host.vault.key(), false), Not(HasSubstr(notes.front())));
  for (std::int64_t i = 0; i < kOlderNotesKept; ++i)
    ASSERT_TRUE(host.spool().KeepOlderNote("note " + std::to_string(i)).ok());
  notes = StatusOf(host).older_notes;
  ASSERT_EQ(notes.size(), static_cast<std::size_t>(kOlderNotesKept));
  EXPECT_EQ(notes.front(), "note 0");
}

TEST(SpoolStatusTest, AForkIsProvenByTheVaultsSignatureAndNothingElse) {
  TestHost host;
  host.Write("app.log", "one\n");
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  ASSERT_TRUE(host.spool().KeepContradiction("no note \x1b[2J").ok());
  SpoolStatus status = StatusOf(host);
  EXPECT_FALSE(HasProofOfFork(status, host.vault.key()));
  EXPECT_THAT(Describe(status, host.vault.key(), false),
              testing::AllOf(HasSubstr("REFUSED"), Not(HasSubstr("\x1b"))));

  host.Crash();
  host.vault.RollBack(2);
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  status = StatusOf(host);
  EXPECT_TRUE(HasProofOfFork(status, host.vault.key()));
  EXPECT_EQ(status.contradiction, host.vault.Note());
  EXPECT_THAT(Describe(status, host.vault.key(), false), HasSubstr("FORK OR ROLLBACK"));
  EXPECT_GT(status.note.size(), 0u) << "both notes are there";
}

TEST(SpoolStatusTest, NoSpoolIsSaid) {
  EXPECT_EQ(ReadSpoolStatus("/nowhere").status().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace logvault::forwarder
