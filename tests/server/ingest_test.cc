// What ingest accepts, refuses and proves: a real collector over 127.0.0.1, a real vault on disk.
#include <zstd.h>

#include "evidence/dictionary.h"
#include "server/seal_keys.h"
#include "tests/server/ingest_fixture.h"
#include "tests/support/dictionaries.h"

namespace logvault::server {
namespace {

using evidence::BlockKind;
using ::testing::HasSubstr;

constexpr std::int64_t kHour = 3600 * kNanosPerSecond;

TEST_F(IngestTest, BatchesInOrderAreCommittedAndTheirReceiptsVerify) {
  OpenAndRegister();
  for (std::uint64_t seq : {1, 3, 5}) {
    const v1::ItemReceipt receipt = AppendOne(Batch(seq, {"one\n", "two\n"}));
    EXPECT_EQ(receipt.outcome(), v1::ItemReceipt::COMMITTED) << receipt.reason();
    EXPECT_EQ(receipt.last_seq(), seq + 1);
    EXPECT_EQ(FlagsOf(receipt), 0);
    VerifyReceipt(last, 0);
    geo01->ratchet->Advance();
  }
  EXPECT_EQ(lab.collector->counters().records, 6u);
}

TEST_F(IngestTest, ARegistrationAndItsBatchesMayComeInOneRequest) {
  Result<v1::SessionOpened> opened = client->Open(OpenRequest({"syslog"}));
  ASSERT_TRUE(opened.ok());
  session = opened->session();
  Result<v1::AppendResponse> response =
      Append({geo01->Registration(), Batch(1, {"a\n"}), Batch(2, {"b\n"})});
  ASSERT_TRUE(response.ok()) << response.status();
  ASSERT_EQ(response->receipts_size(), 3);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(response->receipts(i).outcome(), v1::ItemReceipt::COMMITTED)
        << response->receipts(i).reason();
    have_size = 0;
    VerifyReceipt(*response, i);
  }
}

TEST_F(IngestTest, ABatchSentTwiceIsProvenTwiceAndStoredOnce) {
  OpenAndRegister();
  const v1::AppendItem batch = Batch(1, {"a\n"});
  const v1::ItemReceipt first = AppendOne(batch);
  AppendOne(Batch(2, {"b\n"}));
  const v1::ItemReceipt again = AppendOne(batch);
  EXPECT_EQ(again.outcome(), v1::ItemReceipt::REPEATED);
  EXPECT_EQ(again.block(), first.block());
  EXPECT_EQ(again.last_seq(), 2u);
  VerifyReceipt(last, 0);
  EXPECT_EQ(BlocksOf(lab.collector->vault(), BlockKind::kRecords).size(), 2u);
}

TEST_F(IngestTest, NumbersThatAreSkippedAreAGapWithAnAlert) {
  OpenAndRegister();
  AppendOne(Batch(1, {"a\n"}));
  const v1::ItemReceipt receipt = AppendOne(Batch(5, {"e\n"}));
  EXPECT_EQ(receipt.outcome(), v1::ItemReceipt::COMMITTED);
  EXPECT_EQ(FlagsOf(receipt), evidence::kFlagGap);
  EXPECT_THAT(Alerts(), ::testing::Contains(HasSubstr("\"gap\"")));
}

TEST_F(IngestTest, OtherRecordsUnderTakenNumbersAreAConflict) {
  OpenAndRegister();
  AppendOne(Batch(1, {"a\n"}));
  const v1::ItemReceipt receipt = AppendOne(Batch(1, {"forged\n"}));
  EXPECT_EQ(receipt.outcome(), v1::ItemReceipt::CONFLICT);
  EXPECT_EQ(receipt.last_seq(), 1u);
  EXPECT_EQ(BlocksOf(lab.collector->vault(), BlockKind::kConflict).size(), 1u);
  EXPECT_EQ(BlocksOf(lab.collector->vault(), BlockKind::kRecords).size(), 1u);
}

TEST_F(IngestTest, AnotherHostsStreamIsRefusedAndAlerted) {
  const std::unique_ptr<TestHost> web01 = lab.Host("web01");
  const std::unique_ptr<net::IngestClient> other = lab.Connect(*web01);
  ASSERT_TRUE(other->Open(OpenRequest({"syslog"})).ok());
  OpenAndRegister();
  TestHost::Draft draft = geo01->DraftBatch("syslog", 1, {"forged\n"}, lab.clock.Now());
  draft.header.stream_id = evidence::StreamId("web01", "syslog");
  const v1::ItemReceipt receipt = AppendOne(geo01->Seal(draft));
  EXPECT_EQ(receipt.outcome(), v1::ItemReceipt::REFUSED);
  EXPECT_THAT(receipt.reason(), HasSubstr("web01/syslog"));
  EXPECT_TRUE(Eventually([&] {
    return ::testing::Matches(::testing::Contains(HasSubstr("foreign_stream")))(Alerts());
  }));
}

TEST_F(IngestTest, AStreamThatNobodyOpenedIsRefused) {
  OpenAndRegister();
  EXPECT_EQ(
      AppendOne(geo01->Seal(geo01->DraftBatch("audit", 1, {"a\n"}, lab.clock.Now()))).outcome(),
      v1::ItemReceipt::REFUSED);
}

TEST_F(IngestTest, AHeaderThatLiesAboutItsPayloadIsRefused) {
  OpenAndRegister();
  const TestHost::Draft honest = geo01->DraftBatch("syslog", 1, {"a\n", "b\n"}, lab.clock.Now());
  const std::vector<std::function<void(evidence::BatchHeader&)>> lies = {
      [](evidence::BatchHeader& header) { header.record_count = 3; },
      [](evidence::BatchHeader& header) { header.read_time_first -= kHour; },
      [](evidence::BatchHeader& header) { header.read_time_last += 1; },
      [](evidence::BatchHeader& header) { header.event_time_min = header.event_time_max = 7; },
      [](evidence::BatchHeader& header) { header.records_root.bytes[0] ^= 1; },
      [](evidence::BatchHeader& header) { header.payload_hash.bytes[0] ^= 1; },
      [](evidence::BatchHeader& header) { header.first_seq = 0; },
  };
  for (std::size_t i = 0; i < lies.size(); ++i) {
    TestHost::Draft draft = honest;
    lies[i](draft.header);
    EXPECT_EQ(AppendOne(geo01->Seal(draft)).outcome(), v1::ItemReceipt::REFUSED) << "lie " << i;
  }
  EXPECT_EQ(AppendOne(geo01->Seal(honest)).outcome(), v1::ItemReceipt::COMMITTED);
}

TEST_F(IngestTest, AWrongSealIsRefused) {
  OpenAndRegister();
  const TestHost::Draft draft = geo01->DraftBatch("syslog", 1, {"a\n"}, lab.clock.Now());
  v1::AppendItem item = geo01->Seal(draft);
  item.mutable_batch()->set_header(
      evidence::SealBatchHeader(draft.header, evidence::RandomBytes(32), *geo01->epoch_key));
  const v1::ItemReceipt receipt = AppendOne(item);
  EXPECT_EQ(receipt.outcome(), v1::ItemReceipt::REFUSED);
  EXPECT_THAT(receipt.reason(), HasSubstr("seal"));
}

TEST_F(IngestTest, SealsAreCheckedWhereverTheRatchetStands) {
  OpenAndRegister();
  std::uint64_t seq = 1;
  for (int distance : {0, 1, 100, 5000}) {
    for (int i = 0; i < distance; ++i) geo01->ratchet->Advance();
    EXPECT_EQ(AppendOne(Batch(seq++, {"a\n"})).outcome(), v1::ItemReceipt::COMMITTED) << distance;
  }
}

// Only the holder of the epoch's key gets so far; it must not cost a worker for long all the same.
TEST_F(IngestTest, ASealFarAheadIsComputedInSteps) {
  OpenAndRegister();
  TestHost::Draft draft = geo01->DraftBatch("syslog", 1, {"a\n"}, lab.clock.Now());
  draft.header.seal_index = kMaxSealStepsAtOnce + 5;
  v1::AppendItem item = geo01->Seal(draft);
  item.mutable_batch()->set_header(evidence::SealBatchHeader(
      draft.header, evidence::SealKeyAt(geo01->k0, 0, draft.header.seal_index).view(),
      *geo01->epoch_key));
  EXPECT_EQ(Append({item}).status().code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(AppendOne(item).outcome(), v1::ItemReceipt::COMMITTED);
}

TEST_F(IngestTest, AWrongSignatureIsRefused) {
  OpenAndRegister();
  v1::AppendItem item = Batch(1, {"a\n"});
  item.mutable_batch()->mutable_header()->back() ^= 1;
  EXPECT_EQ(AppendOne(item).outcome(), v1::ItemReceipt::REFUSED);
}

TEST_F(IngestTest, ABatchOfAnEpochThatIsNotRegisteredIsRefused) {
  OpenAndRegister();
  geo01->NewEpoch(2);
  const v1::ItemReceipt receipt = AppendOne(Batch(1, {"a\n"}));
  EXPECT_EQ(receipt.outcome(), v1::ItemReceipt::REFUSED);
  EXPECT_THAT(receipt.reason(), HasSubstr("epoch 2"));
}

TEST_F(IngestTest, ABatchThatLeansOnADictionaryOfAnotherVaultIsAskedForAnew) {
  OpenAndRegister();
  TestHost::Draft draft = geo01->DraftBatch("syslog", 1, {"a\n"}, lab.clock.Now());
  const auto dictionary = *evidence::Dictionary::Parse(logvault::testing::TrainedDictionary());
  evidence::PayloadBuilder builder;
  for (const std::string& line : logvault::testing::SimilarLines(20, 1))
    builder.Add({kNoTime, lab.clock.Now(), 0, "/var/log/x", line});
  draft.frame = builder.Finish(1, evidence::RandomBytes(32), {}, dictionary.get()).frame;
  ASSERT_EQ(evidence::DictionaryOf(draft.frame), dictionary->id());
  draft.header.payload_hash = evidence::Sha256(draft.frame);
  const v1::ItemReceipt receipt = AppendOne(geo01->Seal(draft));
  EXPECT_EQ(receipt.outcome(), v1::ItemReceipt::REFUSED);
  EXPECT_TRUE(receipt.seal_anew());
  EXPECT_THAT(receipt.reason(), HasSubstr("dictionary " + std::to_string(dictionary->id())));
}

TEST_F(IngestTest, WhatStandsBehindABatchThatIsToBeSealedAnewWaitsForIt) {
  OpenAndRegister();
  const v1::AppendItem behind = Batch(2, {"b\n"});
  geo01->heads.clear();
  geo01->NewEpoch(2);  // never registered
  const v1::AppendResponse response = *Append({Batch(1, {"a\n"}), behind});
  ASSERT_EQ(response.receipts_size(), 2);
  for (const v1::ItemReceipt& receipt : response.receipts()) {
    EXPECT_EQ(receipt.outcome(), v1::ItemReceipt::REFUSED);
    EXPECT_TRUE(receipt.seal_anew());
  }
  EXPECT_THAT(Alerts(), ::testing::IsEmpty());
}

TEST_F(IngestTest, ARefusedBatchDoesNotStopTheOnesBehindIt) {
  OpenAndRegister();
  v1::AppendItem wrong = Batch(1, {"a\n"});
  wrong.mutable_batch()->mutable_payload()->back() ^= 1;
  Result<v1::AppendResponse> response = Append({wrong, Batch(2, {"b\n"})});
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->receipts(0).outcome(), v1::ItemReceipt::REFUSED);
  EXPECT_EQ(response->receipts(1).outcome(), v1::ItemReceipt::COMMITTED);
}

TEST_F(IngestTest, APayloadThatUnpacksToTooMuchIsRefused) {
  OpenAndRegister();
  const std::string zeros(256u << 20, '\0');
  std::string bomb(ZSTD_compressBound(zeros.size()), '\0');
  bomb.resize(ZSTD_compress(bomb.data(), bomb.size(), zeros.data(), zeros.size(), 1));
  TestHost::Draft draft = geo01->DraftBatch("syslog", 1, {"a\n"}, lab.clock.Now());
  draft.frame = bomb;
  draft.header.payload_hash = evidence::Sha256(bomb);
  EXPECT_EQ(AppendOne(geo01->Seal(draft)).outcome(), v1::ItemReceipt::REFUSED);
}

TEST_F(IngestTest, ARegistrationSentTwiceIsTheSameBlock) {
  OpenAndRegister();
  const v1::AppendItem registration = geo01->Registration();  // the box differs, the epoch does not
  const v1::ItemReceipt again = AppendOne(registration);
  EXPECT_EQ(again.outcome(), v1::ItemReceipt::REPEATED) << again.reason();
  VerifyReceipt(last, 0);
  EXPECT_EQ(BlocksOf(lab.collector->vault(), BlockKind::kKey).size(), 1u);
}

TEST_F(IngestTest, RegistrationsThatAreNotTheHostsOwnAreRefused) {
  OpenAndRegister();
  const std::unique_ptr<TestHost> web01 = lab.Host("web01");
  EXPECT_THAT(AppendOne(web01->Registration()).reason(), HasSubstr("web01"));

  geo01->NewEpoch(2);
  v1::AppendItem other_box = geo01->Registration();
  other_box.mutable_registration()->mutable_box()->back() ^= 1;
  EXPECT_EQ(AppendOne(other_box).outcome(), v1::ItemReceipt::REFUSED);

  v1::AppendItem forged;
  evidence::KeyBody body = geo01->KeyBody(*forged.mutable_registration()->mutable_box());
  body.epoch_public_key = evidence::SigningKey::Generate().public_key();
  forged.mutable_registration()->set_body(body.Serialize());
  EXPECT_THAT(AppendOne(forged).reason(), HasSubstr("signature"));

  geo01->NewEpoch(1);  // registered, with another key
  EXPECT_EQ(AppendOne(geo01->Registration()).outcome(), v1::ItemReceipt::REFUSED);
  EXPECT_EQ(BlocksOf(lab.collector->vault(), BlockKind::kKey).size(), 1u);
}

TEST_F(IngestTest, AnEpochWithoutAStopRecordIsUnclean) {
  OpenAndRegister();
  AppendOne(Batch(1, {"a\n"}));
  geo01->NewEpoch(2);
  EXPECT_EQ(FlagsOf(AppendOne(geo01->Registration())), evidence::kFlagUnclean);
  EXPECT_THAT(Alerts(), ::testing::Contains(HasSubstr("unclean")));
}

TEST_F(IngestTest, AnEpochThatEndedWithAStopRecordIsClean) {
  OpenAndRegister();
  AppendOne(geo01->Seal(geo01->DraftBatch(
      "logvault", 1, {"{\"type\":\"start\"}\n", "{\"type\":\"stop\"}\n"}, lab.clock.Now())));
  geo01->NewEpoch(2);
  EXPECT_EQ(FlagsOf(AppendOne(geo01->Registration())), 0);
}

TEST_F(IngestTest, WhatWasReadLongBeforeItsKeyCameIsLate) {
  OpenAndRegister();
  const UnixNanos now = lab.clock.Now();
  EXPECT_EQ(FlagsOf(AppendOne(geo01->Seal(geo01->DraftBatch("syslog", 1, {"a\n"}, now - kHour)))),
            evidence::kFlagLateKey);
  EXPECT_EQ(FlagsOf(AppendOne(geo01->Seal(geo01->DraftBatch("syslog", 2, {"b\n"}, now)))), 0);
}

TEST_F(IngestTest, AHostWhoseClockIsAheadIsFlagged) {
  OpenAndRegister();
  const v1::ItemReceipt receipt =
      AppendOne(geo01->Seal(geo01->DraftBatch("syslog", 1, {"a\n"}, lab.clock.Now() + kHour)));
  EXPECT_EQ(FlagsOf(receipt), evidence::kFlagClock);
  EXPECT_THAT(Alerts(), ::testing::Contains(HasSubstr("\"clock\"")));
}

TEST_F(IngestTest, ACheckpointThatIsNotOursIsRecordedAsThatHostsClaim) {
  OpenAndRegister();
  TestHost::Draft honest = geo01->DraftBatch("syslog", 1, {"a\n"}, lab.clock.Now());
  VerifyReceipt(last, 0);
  honest.header.seen_size = have_size;
  honest.header.seen_root = have_root;
  EXPECT_EQ(AppendOne(geo01->Seal(honest)).outcome(), v1::ItemReceipt::COMMITTED);
  EXPECT_THAT(Alerts(), ::testing::IsEmpty());

  TestHost::Draft lying = geo01->DraftBatch("syslog", 2, {"b\n"}, lab.clock.Now());
  lying.header.seen_size = have_size;
  lying.header.seen_root = evidence::Sha256("another history");
  EXPECT_EQ(AppendOne(geo01->Seal(lying)).outcome(), v1::ItemReceipt::COMMITTED)
      << "its records are evidence all the same";
  EXPECT_THAT(Alerts(), ::testing::ElementsAre(::testing::AllOf(
                            HasSubstr("\"type\":\"seen\",\"host\":\"geo01\",\"source\":\"syslog\""),
                            HasSubstr("\"first_seq\":2"), HasSubstr("\"ahead\":false"))));
  EXPECT_TRUE(lab.collector->halted().ok()) << "no host stops the vault by lying";
}

TEST_F(IngestTest, AHostOverItsDailyBytesIsHeldBackAndAlerted) {
  client.reset();
  lab.Stop();
  lab.config.host_bytes_per_day = 20'000;
  lab.Start();
  client = lab.Connect(*geo01);
  OpenAndRegister();
  const std::string noise = evidence::RandomBytes(30'000) + "\n";
  EXPECT_EQ(Append({Batch(1, {noise})}).status().code(), StatusCode::kResourceExhausted);
  EXPECT_TRUE(Eventually(
      [&] { return ::testing::Matches(::testing::Contains(HasSubstr("quota")))(Alerts()); }));
  geo01->heads.clear();  // the big one never arrived
  EXPECT_EQ(AppendOne(Batch(1, {"small\n"})).outcome(), v1::ItemReceipt::COMMITTED);
}

TEST_F(IngestTest, ARestartGivesNoHostANewDaysBytes) {
  const auto restart = [this] {
    client.reset();
    lab.Stop();
    lab.Start();
    client = lab.Connect(*geo01);
    geo01->NewEpoch(geo01->epoch + 1);
    OpenAndRegister();
  };
  lab.config.host_bytes_per_day = 50'000;
  restart();
  const std::string noise = evidence::RandomBytes(30'000) + "\n";
  EXPECT_EQ(AppendOne(Batch(1, {noise})).outcome(), v1::ItemReceipt::COMMITTED);
  restart();
  const auto more = Batch(2, {noise});
  EXPECT_EQ(Append({more}).status().code(), StatusCode::kResourceExhausted);
  lab.clock.Advance(86'400 * kNanosPerSecond);
  EXPECT_EQ(AppendOne(more).outcome(), v1::ItemReceipt::COMMITTED) << "it is another day";
}

}  // namespace
}  // namespace logvault::server
