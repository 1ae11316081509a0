// Sessions: who may have one, what it learns, when it ends.
#include "server/session_table.h"
#include "tests/server/ingest_fixture.h"

namespace logvault::server {
namespace {

using evidence::BlockKind;
using testing::HasSubstr;

using SessionTest = IngestTest;

TEST_F(SessionTest, OpenRecordsNewStreamsOnceAndAnswersWhereTheyStand) {
  Result<v1::SessionOpened> opened = client->Open(OpenRequest({"syslog"}));
  ASSERT_TRUE(opened.ok()) << opened.status();
  ASSERT_EQ(opened->streams_size(), 1);
  EXPECT_EQ(opened->streams(0).last_seq(), 0u);
  EXPECT_EQ(opened->newest_epoch(), 0u);
  EXPECT_GT(opened->flush_interval_ms(), 0u);
  client->Close();
  ASSERT_TRUE(Eventually([&] { return client->Open(OpenRequest({"syslog"})).ok(); }));
  EXPECT_EQ(BlocksOf(lab.collector->vault(), BlockKind::kStream).size(), 1u);
}

TEST_F(SessionTest, AChangedDescriptionIsRecordedAnew) {
  ASSERT_TRUE(client->Open(OpenRequest({"syslog"})).ok());
  client->Close();
  v1::OpenRequest changed = OpenRequest({"syslog"});
  changed.mutable_streams(0)->set_descriptor_json(R"({"timezone":"Asia/Tokyo"})");
  ASSERT_TRUE(Eventually([&] { return client->Open(changed).ok(); }));
  EXPECT_EQ(BlocksOf(lab.collector->vault(), BlockKind::kStream).size(), 2u);
}

TEST_F(SessionTest, OpenReturnsPositionsAndHeadsOfEarlierBatches) {
  OpenAndRegister();
  const v1::AppendItem batch = Batch(1, {"a\n", "b\n"});
  AppendOne(batch);
  client->Close();
  Result<v1::SessionOpened> opened = Unavailable("");
  ASSERT_TRUE(Eventually([&] { return (opened = client->Open({})).ok(); }));
  ASSERT_EQ(opened->streams_size(), 2);
  const v1::StreamState& syslog = opened->streams(1);
  EXPECT_EQ(syslog.source(), "syslog");
  EXPECT_EQ(syslog.last_seq(), 2u);
  EXPECT_EQ(syslog.head_hash(), evidence::LeafHash(batch.batch().header()).view());
  ASSERT_EQ(syslog.position_size(), 1);
  EXPECT_EQ(syslog.position(0).key(), "offset");
  EXPECT_EQ(opened->newest_epoch(), 1u);
}

TEST_F(SessionTest, ASecondSessionIsRefusedWhileTheFirstLives) {
  OpenAndRegister();
  const std::unique_ptr<net::IngestClient> clone = lab.Connect(*geo01);
  EXPECT_EQ(clone->Open(OpenRequest({"syslog"})).status().code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(AppendOne(Batch(1, {"a\n"})).outcome(), v1::ItemReceipt::COMMITTED);

  lab.clock.Advance(kCloneVerdictNs);
  lab.collector->Tick();
  EXPECT_TRUE(Eventually(
      [&] { return testing::Matches(testing::Contains(HasSubstr("clone")))(Alerts()); }));
}

TEST_F(SessionTest, ASessionThatIsGoneMakesRoomForTheNext) {
  OpenAndRegister();
  client.reset();
  client = lab.Connect(*geo01);
  EXPECT_TRUE(Eventually([&] { return client->Open(OpenRequest({"syslog"})).ok(); }));
}

TEST_F(SessionTest, AnAppendOfASessionThatEndedIsAborted) {
  OpenAndRegister();
  client->Close();
  ASSERT_TRUE(Eventually([&] { return client->Open(OpenRequest({"syslog"})).ok(); }));
  EXPECT_EQ(Append({Batch(1, {"a\n"})}).status().code(), StatusCode::kAborted);
}

TEST_F(SessionTest, ARevokedHostsSessionIsCut) {
  OpenAndRegister();
  ASSERT_FALSE(client->session_lost());
  lab.pki.Revoke("geo01");
  lab.collector->Tick();
  EXPECT_TRUE(Eventually([&] { return client->session_lost(); }));
  EXPECT_EQ(Append({Batch(1, {"a\n"})}).status().code(), StatusCode::kPermissionDenied);
}

TEST_F(SessionTest, ACheckpointAheadOfTheVaultStopsIngest) {
  OpenAndRegister();
  const Result<VaultKeys> keys = VaultKeys::Load(lab.config.signing_key);
  ASSERT_TRUE(keys.ok());
  const std::string ahead = evidence::SignCheckpoint(
      {lab.collector->vault().origin(), 1000, evidence::Sha256("elsewhere")},
      keys->signing.front());
  const std::unique_ptr<TestHost> web01 = lab.Host("web01");
  const std::unique_ptr<net::IngestClient> witness = lab.Connect(*web01);
  v1::OpenRequest request = OpenRequest({"syslog"});
  request.set_have_note(ahead);
  const Status status = witness->Open(request).status();
  EXPECT_EQ(status.code(), StatusCode::kIntegrity);
  EXPECT_THAT(status.message(), HasSubstr("old copy"));
  EXPECT_EQ(Append({Batch(1, {"a\n"})}).status().code(), StatusCode::kIntegrity);
  EXPECT_EQ(lab.halts, 1);
  EXPECT_EQ(lab.collector->halted().code(), StatusCode::kIntegrity);
}

TEST_F(SessionTest, ACheckpointThatIsNotTheVaultsOwnStopsNobodyElse) {
  OpenAndRegister();
  const std::string forged =
      evidence::SignCheckpoint({lab.collector->vault().origin(), 1000, evidence::Sha256("x")},
                               evidence::SigningKey::Generate());
  const std::unique_ptr<TestHost> web01 = lab.Host("web01");
  v1::OpenRequest request = OpenRequest({"syslog"});
  request.set_have_note(forged);
  EXPECT_EQ(lab.Connect(*web01)->Open(request).status().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(lab.halts, 0);
  EXPECT_EQ(AppendOne(Batch(1, {"a\n"})).outcome(), v1::ItemReceipt::COMMITTED);
}

TEST_F(SessionTest, TheOwnCheckpointIsProvenConsistent) {
  OpenAndRegister();
  AppendOne(Batch(1, {"a\n"}));
  VerifyReceipt(last, 0);
  const std::string kept = last.checkpoint();
  client->Close();
  const std::unique_ptr<TestHost> web01 = lab.Host("web01");
  const std::unique_ptr<net::IngestClient> other = lab.Connect(*web01);
  ASSERT_TRUE(other->Open(OpenRequest({"syslog"})).ok());  // the tree grows

  v1::OpenRequest request = OpenRequest({"syslog"});
  request.set_have_note(kept);
  Result<v1::SessionOpened> opened = Unavailable("");
  ASSERT_TRUE(Eventually([&] { return (opened = client->Open(request)).ok(); }));
  const evidence::GenesisBody& genesis = lab.collector->vault().genesis();
  Result<evidence::Checkpoint> now = evidence::OpenCheckpoint(
      opened->checkpoint(), evidence::VerifierKey::For(genesis.origin, genesis.vault_public_key));
  ASSERT_TRUE(now.ok());
  EXPECT_EQ(evidence::VerifyConsistency(have_size, now->size, have_root, now->root,
                                        Hashes(opened->consistency())),
            Status::Ok());
}

TEST_F(SessionTest, TooManyStreamsAreRefused) {
  std::vector<std::string> sources;
  for (int i = 0; i <= 256; ++i) sources.push_back("s" + std::to_string(i));
  EXPECT_EQ(client->Open(OpenRequest(sources)).status().code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(BlocksOf(lab.collector->vault(), BlockKind::kStream).size(), 0u);
}

TEST_F(SessionTest, WhatWasAcknowledgedIsThereAfterARestart) {
  OpenAndRegister();
  AppendOne(Batch(1, {"a\n", "b\n"}));
  client.reset();
  lab.Stop();
  lab.Start();
  client = lab.Connect(*geo01);
  Result<v1::SessionOpened> opened = client->Open({});
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(opened->streams(1).last_seq(), 2u);
}

TEST_F(SessionTest, ASilentHostIsRecordedAndSoIsItsReturn) {
  OpenAndRegister();
  lab.clock.Advance(lab.config.silence_after_ns);
  lab.collector->Tick();
  const auto silences = [&] { return BlocksOf(lab.collector->vault(), BlockKind::kSilence); };
  ASSERT_TRUE(Eventually([&] { return silences().size() == 1; }));
  EXPECT_THAT(silences()[0].body, HasSubstr("geo01"));
  AppendOne(Batch(1, {"a\n"}));
  lab.collector->Tick();
  ASSERT_TRUE(Eventually([&] { return silences().size() == 2; }));
  EXPECT_THAT(silences()[1].body, HasSubstr("returned"));
}

TEST_F(SessionTest, ASilenceOutlastsTheCollectorAndItsEndIsRecorded) {
  OpenAndRegister();
  const std::unique_ptr<TestHost> web01 = lab.Host("web01");
  const std::unique_ptr<net::IngestClient> other = lab.Connect(*web01);
  ASSERT_TRUE(other->Open(OpenRequest({"syslog"})).ok());
  lab.clock.Advance(lab.config.silence_after_ns);
  lab.collector->Tick();
  const auto silences = [&] { return BlocksOf(lab.collector->vault(), BlockKind::kSilence); };
  ASSERT_TRUE(Eventually([&] { return silences().size() == 1; }));
  EXPECT_THAT(silences()[0].body, HasSubstr("web01")) << "one block names both";
  const auto silent = [&] {
    const auto investigator = lab.ConnectAsInvestigator();
    std::map<std::string, UnixNanos> since;
    const v1::HostsResponse hosts = *investigator->Hosts({});
    for (const v1::StreamSummary& stream : hosts.streams()) {
      if (stream.silent()) since[stream.host()] = stream.silent_since();
    }
    return since;
  };
  const auto before = silent();
  EXPECT_EQ(before.size(), 2u);

  for (int restart = 0; restart < 2; ++restart) {
    client.reset();
    lab.Stop();
    lab.clock.Advance(3600 * kNanosPerSecond);
    lab.Start();
    lab.clock.Advance(lab.config.silence_after_ns);
    lab.collector->Tick();
    EXPECT_EQ(silent(), before) << "neither told anew nor forgotten";
    EXPECT_EQ(silences().size(), 1u);
  }

  client = lab.Connect(*geo01);
  ASSERT_TRUE(client->Open(OpenRequest({"syslog"})).ok());
  lab.collector->Tick();
  ASSERT_TRUE(Eventually([&] { return silences().size() == 2; }));
  EXPECT_THAT(silences()[1].body, HasSubstr("returned"));
  EXPECT_THAT(silences()[1].body, testing::Not(HasSubstr("web01")));
  EXPECT_EQ(silent().size(), 1u);
}

TEST_F(SessionTest, HostsTellWhatTheNewestHeartbeatSays) {
  OpenAndRegister();
  AppendOne(Batch(1, {"a\n"}));
  const auto own = [&](std::uint64_t seq, const std::vector<std::string>& lines) {
    return geo01->Seal(geo01->DraftBatch("logvault", seq, lines, lab.clock.Now()));
  };
  const auto hosts = [&] { return *lab.ConnectAsInvestigator()->Hosts({}); };
  EXPECT_EQ(hosts().streams(1).heartbeat_time(), 0);
  AppendOne(own(1, {R"({"type":"heartbeat","sources":{"syslog":{"state":"ok","lag_bytes":0}}})"
                    "\n",
                    R"({"type":"heartbeat","sources":{"syslog":{"state":"missing","lag_bytes":7,)"
                    R"("detail":"no such file"}}})"
                    "\n"}));
  AppendOne(own(3, {"{\"type\":\"warning\"}\n"}));
  const v1::HostsResponse response = hosts();
  ASSERT_EQ(response.streams_size(), 2);
  EXPECT_EQ(response.streams(1).source(), "syslog");
  EXPECT_EQ(response.streams(1).source_state(), "missing");
  EXPECT_EQ(response.streams(1).lag_bytes(), 7u);
  EXPECT_EQ(response.streams(1).source_detail(), "no such file");
  EXPECT_EQ(response.streams(1).heartbeat_time(), lab.clock.Now());
  EXPECT_EQ(response.streams(0).source_state(), "") << "it does not speak of its own stream";
}

}  // namespace
}  // namespace logvault::server
