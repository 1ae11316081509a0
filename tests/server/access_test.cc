// Every call is in the log before it is answered, and how it ended behind it; who may not ask leaves nothing there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <latch>
#include <thread>

#include "evidence/access.h"
#include "evidence/access_check.h"
#include "evidence/checkpoint.h"
#include "net/access.h"
#include "pki/certificate.h"
#include "server/call_limiter.h"
#include "tests/server/query_fixture.h"

namespace logvault::server {
namespace {

using evidence::BlockKind;
using testing::HasSubstr;

class AccessTest : public QueryTest {
 protected:
  std::vector<evidence::BlockHeader> Blocks(BlockKind kind) {
    return BlocksOf(lab.collector->vault(), kind);
  }
  evidence::AccessBody Asked(std::size_t number) {
    return *evidence::AccessBody::Parse(Blocks(BlockKind::kAccess).at(number).body);
  }
  // The end of the only call that was made, once it is there.
  evidence::AccessEndBody Ended() {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (Blocks(BlockKind::kAccessEnd).empty() && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return *evidence::AccessEndBody::Parse(Blocks(BlockKind::kAccessEnd).at(0).body);
  }
  static std::vector<evidence::Hash> Hashes(
      const google::protobuf::RepeatedPtrField<std::string>& field) {
    std::vector<evidence::Hash> hashes;
    for (const std::string& bytes : field) hashes.push_back(*evidence::Hash::FromBytes(bytes));
    return hashes;
  }
};

TEST_F(AccessTest, TheCallIsInTheLogBeforeTheFirstRow) {
  const storage::Head before = lab.collector->vault().head();
  std::size_t recorded = 0;
  v1::SearchRequest request;
  request.set_expression("alpha");
  request.set_host("geo*");
  ASSERT_TRUE(client
                  ->Search(request,
                           [&](const v1::SearchEvent& event) {
                             if (event.has_rows()) recorded = Blocks(BlockKind::kAccess).size();
                             return true;
                           })
                  .ok());
  EXPECT_EQ(recorded, 1u);
  const evidence::AccessBody asked = Asked(0);
  EXPECT_EQ(asked.name, "ann");
  EXPECT_EQ(asked.role, "investigator");
  EXPECT_EQ(asked.certificate,
            pki::Certificate::FromPem(*config::ReadSmallFile(lab.investigator + "/cert.pem"))
                ->fingerprint_hex());
  EXPECT_THAT(asked.address, HasSubstr("127.0.0.1"));
  EXPECT_EQ(asked.call, "search");
  EXPECT_EQ(asked.tree_size, before.size) << "fixed before the block itself";
  EXPECT_EQ(asked.query, R"({"expression":"alpha","by":"event","host":"geo*"})");
  EXPECT_EQ(asked.query_hash, evidence::Sha256(net::QueryText(request)));
}

TEST_F(AccessTest, EveryCallButStatusIsRecorded) {
  ASSERT_TRUE(client->Status({}).ok());
  EXPECT_TRUE(Blocks(BlockKind::kAccess).empty());
  ASSERT_TRUE(client->Hosts({}).ok());
  Search("alpha");
  v1::ShowRequest show;
  show.set_host("geo01");
  show.set_source("syslog");
  show.set_seq(2);
  ASSERT_TRUE(client->Show(show).ok());
  ASSERT_TRUE(client->Blocks({}, [](const v1::BlocksEvent&) { return true; }).ok());
  ASSERT_TRUE(client->Audit({}, [](const v1::AuditEvent&) { return true; }).ok());
  std::vector<std::string> calls;
  for (std::size_t i = 0; i < Blocks(BlockKind::kAccess).size(); ++i)
    calls.push_back(Asked(i).call);
  EXPECT_THAT(calls, testing::ElementsAre("hosts", "search", "show", "blocks", "audit"));
}

TEST_F(AccessTest, TheReceiptProvesTheCallAndThatTheTreeGrew) {
  const storage::Head before = lab.collector->vault().head();
  const Answer answer = Search("alpha");
  const v1::AccessReceipt& receipt = answer.started.access();
  const evidence::GenesisBody& genesis = lab.collector->vault().genesis();
  const Result<evidence::Checkpoint> tree = evidence::OpenCheckpoint(
      receipt.checkpoint(), evidence::VerifierKey::For(genesis.origin, genesis.vault_public_key));
  ASSERT_TRUE(tree.ok()) << tree.status();
  const Result<evidence::BlockHeader> block = evidence::BlockHeader::Parse(receipt.block());
  ASSERT_TRUE(block.ok());
  EXPECT_EQ(receipt.scope(), before.size);
  EXPECT_GE(block->index, before.size);
  EXPECT_EQ(evidence::VerifyInclusion(evidence::LeafHash(receipt.block()), block->index, tree->size,
                                      Hashes(receipt.inclusion()), tree->root),
            Status::Ok());
  EXPECT_EQ(evidence::VerifyConsistency(before.size, tree->size, before.root, tree->root,
                                        Hashes(receipt.consistency())),
            Status::Ok());
}

TEST_F(AccessTest, TheEndTellsWhatWasSent) {
  const Answer answer = Search("alpha");
  const evidence::AccessEndBody ended = Ended();
  EXPECT_EQ(ended.access, Blocks(BlockKind::kAccess).at(0).index);
  EXPECT_EQ(ended.outcome, evidence::AccessOutcome::kComplete);
  EXPECT_EQ(ended.rows, 2u);
  EXPECT_EQ(ended.matches, 2u);
  EXPECT_EQ(ended.result.view(), answer.done.result_sha256());
}

TEST_F(AccessTest, ARecordThatIsNotThereIsAnAnswerToo) {
  EXPECT_EQ(client->Show({}).status().code(), StatusCode::kNotFound);
  const evidence::AccessEndBody ended = Ended();
  EXPECT_EQ(ended.outcome, evidence::AccessOutcome::kComplete);
  EXPECT_EQ(ended.rows, 0u);
  EXPECT_THAT(ended.reason, HasSubstr("knows no source"));
}

TEST_F(AccessTest, ACallerThatLeavesIsRecordedAsSuch) {
  for (int i = 0; i < 8; ++i)
    Add({evidence::RandomBytes(1u << 20) + "\n"});  // more than any window holds
  ASSERT_TRUE(
      client->Search({}, [](const v1::SearchEvent& event) { return !event.has_rows(); }).ok());
  EXPECT_EQ(Ended().outcome, evidence::AccessOutcome::kLeft);
}

TEST_F(AccessTest, WhatTheCollectorBreaksOffIsCancelled) {
  for (int i = 0; i < 8; ++i) Add({evidence::RandomBytes(1u << 20) + "\n"});
  std::latch begun(1), stopped(1);
  std::thread reader([&, reading = lab.ConnectAsInvestigator()] {
    bool first = true;
    static_cast<void>(reading->Search({}, [&](const v1::SearchEvent& event) {
      if (event.has_rows() && std::exchange(first, false)) {
        begun.count_down();
        stopped.wait();
      }
      return true;
    }));
  });
  begun.wait();
  ingest.reset();
  lab.Stop();
  stopped.count_down();
  reader.join();
  lab.Start();
  EXPECT_EQ(Ended().outcome, evidence::AccessOutcome::kCancelled);
}

TEST_F(AccessTest, AQuestionThatMakesNoSenseIsNeitherAnsweredNorRecorded) {
  EXPECT_EQ(Search("(alpha").status.code(), StatusCode::kInvalidArgument);
  v1::HostsRequest ahead;
  ahead.set_tree_size(1'000'000);
  EXPECT_EQ(client->Hosts(ahead).status().code(), StatusCode::kInvalidArgument);
  EXPECT_TRUE(Blocks(BlockKind::kAccess).empty());
}

TEST_F(AccessTest, WhoMayNotAskLeavesNothing) {
  const auto forwarder =
      *net::ConnectQuery(lab.pki.QueryOptions(lab.collector->query_address(), geo01->issued_dir));
  EXPECT_EQ(forwarder->Hosts({}).status().code(), StatusCode::kPermissionDenied);
  lab.pki.Revoke("ann");
  lab.collector->Tick();
  EXPECT_EQ(client->Hosts({}).status().code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(client->Audit({}, [](const v1::AuditEvent&) { return true; }).code(),
            StatusCode::kPermissionDenied);
  EXPECT_TRUE(Blocks(BlockKind::kAccess).empty());
}

TEST_F(AccessTest, ALongQueryIsRecordedInPieces) {
  std::string needle;
  while (needle.size() < 5 * evidence::kQueryTextInBodyMax) needle += "\u00e4\u20ac\\\\";
  v1::SearchRequest request;
  request.set_expression("\"" + needle + "\"");
  ASSERT_EQ(Search(request).status, Status::Ok());
  const storage::Vault& vault = lab.collector->vault();
  evidence::AccessCheck check;
  std::vector<std::string> reasons;
  std::string text;
  for (std::uint64_t i = 0; i < vault.head().size; ++i) {
    const evidence::BlockHeader block = *vault.reader().Block(i);
    check.Add(i, block, reasons);
    if (block.kind == BlockKind::kAccess && evidence::IsAccessText(block.body)) {
      text += evidence::AccessTextBody::Parse(block.body)->text;
    }
  }
  EXPECT_TRUE(reasons.empty()) << reasons.front();
  EXPECT_EQ(text, net::QueryText(request));
}

TEST_F(AccessTest, TooManyCallsOfOneCertificateAreRefusedForAWhile) {
  v1::SearchRequest costly;  // its text counts as many calls, so that few are needed here
  costly.set_expression("\"" + std::string(1'000'000, 'x') + "\"");
  Status status;
  int answered = 0;
  while ((status = Search(costly).status).ok()) ASSERT_LT(++answered, 100);
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(status.message(), HasSubstr("too many calls"));
  EXPECT_EQ(answered, static_cast<int>(kCallsAtOnce) / (1'000'000 / 16'384 + 1));
  EXPECT_TRUE(client->Status({}).ok()) << "not counted";
  const std::string other = lab.pki.Issue(pki::Role::kInvestigator, "bob");
  EXPECT_TRUE((*net::ConnectQuery(lab.pki.QueryOptions(lab.collector->query_address(), other)))
                  ->Hosts({})
                  .ok());
  lab.clock.Advance(60 * kNanosPerSecond);
  EXPECT_TRUE(Search(costly).status.ok());
}

TEST_F(AccessTest, AnAuditShowsCallsWithTheirEndsNewestFirst) {
  Search("alpha");
  ASSERT_TRUE(client->Hosts({}).ok());
  std::vector<v1::Accessed> calls;
  v1::AuditRequest request;
  const auto audit = [&] {
    calls.clear();
    return client->Audit(request, [&](const v1::AuditEvent& event) {
      calls.insert(calls.end(), event.calls().begin(), event.calls().end());
      return true;
    });
  };
  ASSERT_TRUE(audit().ok());
  ASSERT_EQ(calls.size(), 2u) << "not this one: its scope was fixed before";
  EXPECT_TRUE(calls[0].has_ended());
  EXPECT_THAT(calls[0].asked().block(), HasSubstr("\"hosts\""));
  EXPECT_THAT(calls[1].asked().block(), HasSubstr("\"search\""));
  request.set_limit(1);
  ASSERT_TRUE(audit().ok());
  ASSERT_EQ(calls.size(), 1u);
  EXPECT_THAT(calls[0].asked().block(), HasSubstr("\"audit\""));
  request.set_limit(0);
  request.set_since(lab.clock.Now() + kNanosPerSecond);
  ASSERT_TRUE(audit().ok());
  EXPECT_TRUE(calls.empty());
}

}  // namespace
}  // namespace logvault::server
