// A record that entered a file arrives in the vault: once, in order, byte for byte, whatever fails on the way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <nlohmann/json.hpp>

#include "tests/forwarder/test_host.h"

namespace logvault::forwarder {
namespace {

std::string Lines(int first, int last) {
  std::string text;
  for (int i = first; i <= last; ++i) text += "line " + std::to_string(i) + " of the log\n";
  return text;
}

TEST(DeliveryTest, WhatIsInTheFileAtStartArrives) {
  TestHost host;
  host.Write("app.log", Lines(1, 100));
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  EXPECT_EQ(host.Raw(), Lines(1, 100));
  EXPECT_EQ(host.vault.streams["app"].last_seq, 100u);
  EXPECT_THAT(host.vault.complaints, testing::IsEmpty());
}

TEST(DeliveryTest, ALineTypedLaterArrivesWithinTwoSeconds) {
  TestHost host;
  host.Write("app.log", Lines(1, 3));
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  host.Append("app.log", "typed\n");
  host.Run(20);
  EXPECT_EQ(host.Raw(), Lines(1, 3) + "typed\n");
}

TEST(DeliveryTest, APartialLineWaitsForItsEnd) {
  TestHost host;
  host.Write("app.log", "first\nsec");
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  EXPECT_EQ(host.Raw(), "first\n");
  host.Append("app.log", "ond\n");
  host.Settle();
  EXPECT_EQ(host.Raw(), "first\nsecond\n");
  EXPECT_EQ(host.vault.streams["app"].records.size(), 2u);
}

TEST(DeliveryTest, ArrivesOnceAcrossCrashesAtEveryStep) {
  for (int step = 0; step < 12; ++step) {
    TestHost host;
    host.Write("app.log", Lines(1, 50));
    ASSERT_TRUE(host.Start().ok());
    for (int i = 0; i < step; ++i) {
      if (i % 2 == 0) host.StepIntake();
      if (i % 2 == 1) host.StepShipper();
      host.Tick(kNanosPerSecond / 4);
    }
    host.Crash();
    host.Append("app.log", Lines(51, 60));
    ASSERT_TRUE(host.Start().ok());
    host.Settle();
    EXPECT_EQ(host.Raw(), Lines(1, 60)) << "crashed after step " << step;
    EXPECT_EQ(host.vault.conflicts, 0u);
  }
}

TEST(DeliveryTest, ALostReceiptIsAskedForAgainAndNothingIsDoubled) {
  TestHost host;
  host.Write("app.log", Lines(1, 10));
  host.vault.lose_receipts = 3;
  ASSERT_TRUE(host.Start().ok());
  host.Run(200);
  EXPECT_EQ(host.Raw(), Lines(1, 10));
  EXPECT_GT(host.vault.repeated, 0u);
  EXPECT_EQ(host.spool().figures().pending_items, 0u);
}

TEST(DeliveryTest, ACrashBetweenShippingAndReceiptDoublesNothing) {
  TestHost host;
  host.Write("app.log", Lines(1, 10));
  host.vault.lose_receipts = 1000;
  ASSERT_TRUE(host.Start().ok());
  host.Run(20);
  ASSERT_EQ(host.Raw(), Lines(1, 10));
  host.Crash();
  host.vault.lose_receipts = 0;
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  EXPECT_EQ(host.Raw(), Lines(1, 10));
  EXPECT_EQ(host.spool().figures().pending_items, 0u);
}

TEST(DeliveryTest, WithoutASpoolTheVaultSaysWhereToGoOn) {
  TestHost host;
  host.Write("app.log", Lines(1, 20));
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  host.Crash();
  host.LoseSpool();
  host.Append("app.log", Lines(21, 30));
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  EXPECT_EQ(host.Raw(), Lines(1, 30));
  EXPECT_EQ(host.vault.streams["app"].wrong_prev, 0u);
}

TEST(DeliveryTest, NothingIsSealedBeforeTheVaultSaidWhereAStreamStands) {
  TestHost host;
  host.Write("app.log", Lines(1, 20));
  host.vault.fail_opens = 1;
  ASSERT_TRUE(host.Start().ok());
  host.StepShipper();
  host.StepIntake();
  EXPECT_EQ(host.spool().figures().pending_items, 0u);
  host.Settle();
  EXPECT_EQ(host.Raw(), Lines(1, 20));
}

TEST(DeliveryTest, WithLocalStateAnOutageFillsTheSpoolAndDrainsLater) {
  TestHost host;
  host.Write("app.log", Lines(1, 2));
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  host.Crash();
  host.vault.fail_opens = 30;
  ASSERT_TRUE(host.Start().ok());
  for (int i = 0; i < 20; ++i) {
    host.Append("app.log", Lines(3 + i, 3 + i));
    host.Run(12);
  }
  host.vault.fail_opens = 0;
  host.Run(600);
  EXPECT_EQ(host.Raw(), Lines(1, 22));
  EXPECT_EQ(host.vault.streams["app"].gaps, 0u);
}

TEST(DeliveryTest, ManyRecordsComeInBatchesWithinTheLimits) {
  TestHost host;
  std::string text;
  for (int i = 0; i < 200'000; ++i) text += "x\n";
  host.Write("app.log", text);
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  EXPECT_TRUE(host.Raw() == text);
  EXPECT_GE(host.vault.streams["app"].batches.size(), 4u);
  EXPECT_EQ(host.vault.conflicts, 0u);
  EXPECT_EQ(host.vault.streams["app"].wrong_prev, 0u);
}

TEST(DeliveryTest, WhatIsReadButNotInTheSpoolIsNotReadOut) {
  TestHost host;
  host.Write("app.log", Lines(1, 10));
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  ASSERT_TRUE(host.intake().ReadOut());
  host.Append("app.log", Lines(11, 15));
  host.StepIntake();  // sealed at once, after a quiet time
  host.Append("app.log", Lines(16, 20));
  host.Tick();
  host.StepIntake();
  EXPECT_FALSE(host.intake().ReadOut()) << "lines 16 to 20 wait in an open batch";
  host.intake().Flush();
  EXPECT_TRUE(host.intake().ReadOut());
}

TEST(DeliveryTest, AnErrorlogsFirstLinesAreOfTheZoneThatItsBannerStates) {
  TestHost host("app.log", formats::Format::kSqlserver);
  host.drain = true;
  host.Write("app.log",
             "2024-06-19 09:00:00.00 Server      Microsoft SQL Server 2019\n\tDeveloper Edition\n"
             "2024-06-19 09:00:00.01 Server      UTC adjustment: 9:00\n"
             "2024-06-19 09:00:00.02 spid9s      Starting up\n");
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  ASSERT_EQ(host.vault.streams["app"].records.size(), 3u);
  const UnixNanos midnight = 1'718'755'200 * kNanosPerSecond;  // 2024-06-19T00:00:00Z
  EXPECT_EQ(host.vault.streams["app"].records[0].event_time, midnight);
  EXPECT_EQ(host.vault.streams["app"].records[2].event_time, midnight + 20'000'000);
}

std::string RandomLines(int lines) {
  std::string text;
  for (int i = 0; i < lines; ++i) text += ToHex(evidence::RandomBytes(500)) + "\n";
  return text;
}

TEST(DeliveryTest, AStopWithAFullSpoolIsSaidAndLosesNothing) {
  TestHost host;
  host.spool_options.max_bytes = 100'000;
  host.Write("app.log", "one\n");
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  const std::string text = RandomLines(5000);  // several batches
  host.Append("app.log", text);
  host.StepIntake();
  ASSERT_TRUE(host.intake().blocked());
  host.intake().Stop(R"({"type":"stop"})");
  EXPECT_TRUE(host.intake().Stopped()) << "the own stream has a reserve";
  host.Run(100);
  EXPECT_THAT(host.Own(), testing::EndsWith("{\"type\":\"stop\"}\n"));
  host.Crash();
  ASSERT_TRUE(host.Start().ok());
  host.Run(100);
  EXPECT_TRUE(host.Raw() == "one\n" + text);
  EXPECT_EQ(host.vault.streams["app"].gaps, 0u);
}

// The vault is away; "two" waits in the spool, and what `text` begins with finds no room there.
void BlockWith(TestHost& host, const std::string& text) {
  host.spool_options.max_bytes = 100'000;
  host.Write("app.log", "one\n");
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  host.vault.fail_appends = host.vault.fail_opens = 1'000'000;
  host.Append("app.log", "two\n");
  host.Run(20);
  ASSERT_EQ(host.spool().figures().pending_items, 1u);
  host.Append("app.log", text);
  host.StepIntake();
  ASSERT_TRUE(host.intake().blocked());
}

// What was read while a batch looked for room may be short enough to find some itself.
TEST(DeliveryTest, AStopDropsWhatFollowsOnABatchThatFoundNoRoom) {
  TestHost host;
  const std::string text = RandomLines(1100);  // a batch, and 50 KB that would find room
  ASSERT_NO_FATAL_FAILURE(BlockWith(host, text));
  host.intake().Stop(R"({"type":"stop"})");
  host.Crash();
  host.vault.fail_appends = host.vault.fail_opens = 0;
  ASSERT_TRUE(host.Start().ok());
  host.Run(200);
  EXPECT_TRUE(host.Raw() == "one\ntwo\n" + text) << host.Raw().size() << " bytes";
}

// Held are the batch that found no room and the one that was being sealed meanwhile.
TEST(DeliveryTest, HeldBatchesAreSealedAgainInANewEpochOneBehindTheOther) {
  TestHost host;
  const std::string text = RandomLines(5000);
  ASSERT_NO_FATAL_FAILURE(BlockWith(host, text));
  const std::uint64_t newer = static_cast<std::uint64_t>(host.clock.Now()) + kNanosPerSecond * 3600;
  host.vault.tamper_opened = [newer](v1::SessionOpened& opened) {
    opened.set_newest_epoch(std::max(newer, opened.newest_epoch()));
  };
  host.vault.fail_appends = host.vault.fail_opens = 0;
  host.Run(400);
  EXPECT_TRUE(host.Raw() == "one\ntwo\n" + text) << host.Raw().size() << " bytes";
  EXPECT_GT(
      evidence::BatchHeader::Parse(host.vault.streams["app"].batches.rbegin()->second.first)->epoch,
      newer);
  EXPECT_EQ(host.vault.streams["app"].wrong_prev, 0u);
  EXPECT_EQ(host.vault.conflicts, 0u);
  EXPECT_THAT(host.vault.complaints, testing::IsEmpty());
}

// Holds what nobody else has, as a socket does.
class FakeSocket final : public Source {
 public:
  void Receive(std::string record) { records_.push_back(std::move(record)); }
  Outcome Read(OpenBatch& batch) override {
    for (; !records_.empty(); records_.pop_front()) {
      evidence::RecordView record;
      record.bytes = records_.front();
      if (!batch.Add(record)) return Outcome::kFull;
    }
    return Outcome::kIdle;
  }
  void Watch() override {}
  std::vector<evidence::PositionEntry> TakePosition() override { return {}; }
  bool Resume(const std::vector<evidence::PositionEntry>&, bool) override { return false; }
  OwnRecords TakeOwnRecords() override { return {}; }
  [[nodiscard]] SourceState state() const override { return {}; }
  [[nodiscard]] bool reads_again() const override { return false; }

 private:
  std::deque<std::string> records_;
};

TEST(DeliveryTest, WhatCameByNetworkAndFindsNoRoomAtAStopIsTold) {
  TestHost host;
  host.spool_options.max_bytes = 100'000;
  auto made = std::make_unique<FakeSocket>();
  FakeSocket& socket = *made;
  host.socket_sources.push_back(std::move(made));
  host.Write("app.log", "one\n");
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  for (int i = 0; i < 3; ++i) socket.Receive(RandomLines(1000));  // each a batch
  host.StepIntake();  // the first fills the spool, the next waits
  ASSERT_TRUE(host.intake().blocked());
  host.intake().Stop(R"({"type":"stop"})");
  host.Run(100);
  const std::string told = "\"records\":1,\"source\":\"net\",\"type\":\"gap\"";
  const std::string own = host.Own();
  const std::size_t first = own.find(told);
  ASSERT_NE(first, std::string::npos) << own;
  EXPECT_NE(own.find(told, first + 1), std::string::npos) << "two records were lost:\n" << own;
  EXPECT_EQ(host.vault.streams["net"].records.size(), 1u);
}

// Its own stream had no numbers either when that was to be said.
TEST(DeliveryTest, WhatASocketHeldBeforeTheVaultWasEverReachedIsToldLater) {
  TestHost host;
  host.vault.fail_opens = 1'000'000;
  auto made = std::make_unique<FakeSocket>();
  for (int i = 0; i < 3; ++i) made->Receive("line\n");
  host.socket_sources.push_back(std::move(made));
  ASSERT_TRUE(host.Start().ok());
  host.Run(5);
  host.intake().Stop(R"({"type":"stop"})");
  host.Crash();
  host.vault.fail_opens = 0;
  ASSERT_TRUE(host.Start().ok());
  host.Run(100);
  EXPECT_THAT(
      host.Own(),
      testing::HasSubstr(
          R"("reason":"stopped before the vault was reached","records":3,"source":"net","type":"gap")"));
}

// How many records of `source` the own stream says are lost.
std::size_t ToldLost(const std::string& own, const std::string& source) {
  std::size_t told = 0;
  for (std::string_view rest = own; !rest.empty();) {
    const std::size_t end = rest.find('\n');
    const nlohmann::json record = nlohmann::json::parse(rest.substr(0, end));
    if (record.value("type", "") == "gap" && record.value("source", "") == source)
      told += record.value("records", std::size_t{0});
    rest.remove_prefix(end + 1);
  }
  return told;
}

// Of several sockets, with batches of every size behind the one that found no room.
TEST(DeliveryTest, EveryRecordThatASocketHeldAtAStopIsInTheVaultOrTold) {
  constexpr int kLargeRecords = 2 * kBatchesInARow;  // each a batch
  TestHost host;
  host.spool_options.max_bytes = 100'000;
  FakeSocket* sockets[2];
  for (FakeSocket*& socket : sockets) {
    auto made = std::make_unique<FakeSocket>();
    socket = made.get();
    host.socket_sources.push_back(std::move(made));
  }
  host.Write("app.log", "one\n");
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  for (FakeSocket* socket : sockets) {
    for (int i = 0; i < kLargeRecords; ++i) socket->Receive(RandomLines(1000));
    socket->Receive(RandomLines(1));
  }
  host.StepIntake();
  ASSERT_TRUE(host.intake().blocked());
  host.intake().Stop(R"({"type":"stop"})");
  host.Run(100);
  for (const char* source : {"net", "net2"}) {
    EXPECT_EQ(host.vault.streams[source].records.size() + ToldLost(host.Own(), source),
              kLargeRecords + 1u)
        << source << ": " << host.Own();
  }
  EXPECT_THAT(host.Own(), testing::EndsWith("{\"type\":\"stop\"}\n"));
}

class BytesTest : public testing::TestWithParam<std::string> {};

TEST_P(BytesTest, ComeBackExactlyFromADrain) {
  TestHost host;
  host.drain = true;
  host.Write("app.log", GetParam());
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  EXPECT_TRUE(host.intake().ReadOut());
  EXPECT_TRUE(host.Raw() == GetParam());
  host.Crash();
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  EXPECT_TRUE(host.Raw() == GetParam()) << "a second drain adds nothing";
}

INSTANTIATE_TEST_SUITE_P(All, BytesTest,
                         testing::Values("", "\n", "no newline at the end",
                                         std::string("nul\0in it\n\0\0", 12),
                                         "\xff\xfe\xfd invalid \x80 utf-8\n", "a\r\nb\r\n", "\xff",
                                         std::string(5 * 1024 * 1024, 'x') + "\nafter\n",
                                         std::string("\xff\xfeh\0i\0\r\0\n\0n\0o\0", 14)));

TEST(BytesTest, AnUnterminatedLastLineIsPartialAndItsRestContinuesIt) {
  TestHost host;
  host.drain = true;
  host.Write("app.log", "one\ntw");
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  ASSERT_EQ(host.vault.streams["app"].records.size(), 2u);
  EXPECT_EQ(host.vault.streams["app"].records[1].flags, evidence::kRecordPartial);
  host.Crash();
  host.Append("app.log", "o\n");
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  EXPECT_EQ(host.Raw(), "one\ntwo\n");
  EXPECT_EQ(host.vault.streams["app"].records[2].flags, evidence::kRecordContinues);
}

TEST(BytesTest, ALineBeyondSixteenMebibytesIsSplit) {
  TestHost host;
  host.drain = true;
  std::string text = std::string(evidence::kMaxRecordSize + 10, 'y') + "\nz\n";
  host.Write("app.log", text);
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  EXPECT_TRUE(host.Raw() == text);
  ASSERT_EQ(host.vault.streams["app"].records.size(), 3u);
  EXPECT_EQ(host.vault.streams["app"].records[1].flags, evidence::kRecordContinues);
}

}  // namespace
}  // namespace logvault::forwarder
