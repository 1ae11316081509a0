// The tool takes no answer without the proof that its call is in the log, and none that is not what was recorded.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "evidence/access.h"
#include "tests/cli/lying_vault.h"
#include "tests/cli/remote_fixture.h"

namespace logvault::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class AccessTest : public RemoteTest {
 protected:
  void SetUp() override {
    RemoteTest::SetUp();
    liar_ = std::make_unique<LyingVault>(lab_, alice_);
    address_ = liar_->address();
  }
  // The answer to `command` is refused, and nothing of it is shown.
  void ExpectRefused(const std::vector<std::string>& command, const std::string& why) {
    const Ran ran = Run(command);
    EXPECT_EQ(ran.code, 4) << command[0] << "\n" << ran.out << ran.err;
    EXPECT_THAT(ran.out + ran.err, HasSubstr(why)) << command[0];
    EXPECT_THAT(ran.out, Not(HasSubstr("alpha"))) << command[0];
  }
  // Does `lie` to the receipt of every answer.
  void LieAboutReceipts(const std::function<void(v1::AccessReceipt&)>& lie) {
    liar_->lies.search = [lie](v1::SearchEvent& event) {
      if (event.has_started()) lie(*event.mutable_started()->mutable_access());
      return true;
    };
    liar_->lies.blocks = [lie](v1::BlocksEvent& event) {
      if (event.has_access()) lie(*event.mutable_access());
      return true;
    };
    liar_->lies.audit = [lie](v1::AuditEvent& event) {
      if (event.has_access()) lie(*event.mutable_access());
      return true;
    };
    liar_->lies.hosts = [lie](v1::HostsResponse& response) { lie(*response.mutable_access()); };
    liar_->lies.show = [lie](v1::ShowResponse& response) { lie(*response.mutable_access()); };
  }
  void ExpectAllRefused(const std::string& why) {
    for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
             {"query", "alpha"}, {"hosts"}, {"show", "geo01/app/1"}, {"verify"}, {"audit"}}) {
      ExpectRefused(command, why);
    }
  }

  std::unique_ptr<LyingVault> liar_;
};

TEST_F(AccessTest, WhatPassesUnchangedIsTaken) {
  EXPECT_EQ(Run({"query", "alpha"}).code, 0);
  EXPECT_EQ(Run({"hosts"}).code, 0);
  EXPECT_EQ(Run({"show", "geo01/app/1"}).code, 0);
  EXPECT_EQ(Run({"verify"}).code, 0);
  EXPECT_EQ(Run({"audit"}).code, 0);
}

TEST_F(AccessTest, AnAnswerWithoutAProofIsRefused) {
  LieAboutReceipts([](v1::AccessReceipt& receipt) { receipt.Clear(); });
  ExpectAllRefused("does not prove that it recorded this call");
}

TEST_F(AccessTest, AnAnswerThatBeginsWithRowsIsRefused) {
  liar_->lies.search = [](v1::SearchEvent& event) { return !event.has_started(); };
  ExpectRefused({"query", "alpha"}, "before it proved that it recorded the call");
}

TEST_F(AccessTest, ABlockThatIsNotInTheTreeIsRefused) {
  LieAboutReceipts([](v1::AccessReceipt& receipt) {
    evidence::BlockHeader block = *evidence::BlockHeader::Parse(receipt.block());
    block.commit_time += 1;
    receipt.set_block(block.Serialize());
  });
  ExpectAllRefused("does not prove that it recorded this call");
}

TEST_F(AccessTest, AnotherCallersBlockIsRefused) {
  v1::AccessReceipt others;
  const std::string bob = lab_.pki.Issue(pki::Role::kInvestigator, "bob");
  auto client = *net::ConnectQuery(lab_.pki.QueryOptions(lab_.collector->query_address(), bob));
  LieAboutReceipts([&](v1::AccessReceipt& receipt) {
    v1::HostsRequest request;
    request.set_tree_size(receipt.scope());
    receipt = client->Hosts(request)->access();
  });
  ExpectAllRefused("names another caller");
}

TEST_F(AccessTest, AnotherQuestionsBlockIsRefused) {
  auto client = *net::ConnectQuery(lab_.pki.QueryOptions(lab_.collector->query_address(), alice_));
  LieAboutReceipts([&](v1::AccessReceipt& receipt) {
    v1::ShowRequest request;
    request.set_host("geo01");
    request.set_source("app");
    request.set_seq(3);
    request.set_tree_size(receipt.scope());
    receipt = client->Show(request)->access();
  });
  ExpectAllRefused("records another question");
}

// A block of an earlier, equal call is in the tree, but it was there before the tree that this call is about.
TEST_F(AccessTest, ABlockOfAnEarlierCallIsRefused) {
  std::optional<v1::AccessReceipt> first;
  liar_->lies.hosts = [&](v1::HostsResponse& response) {
    const std::uint64_t scope = response.access().scope();
    if (!first) first = response.access();
    *response.mutable_access() = *first;
    response.mutable_access()->set_scope(scope);
  };
  EXPECT_EQ(Run({"hosts"}).code, 0);
  ExpectRefused({"hosts"}, "older than what it is about");
}

TEST_F(AccessTest, RowsThatAreNotTheOnesRecordedAreRefused) {
  liar_->lies.search = [](v1::SearchEvent& event) {
    if (!event.has_rows()) return true;
    event.mutable_rows()->mutable_rows(0)->set_bytes("nothing to see\n");
    return true;
  };
  Ran ran = Run({"query", "beta"});
  EXPECT_EQ(ran.code, 4) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("not the ones that the vault says it sent"));
  liar_->lies.hosts = [](v1::HostsResponse& response) {
    response.mutable_streams(0)->set_silent(true);
  };
  ran = Run({"hosts"});
  EXPECT_EQ(ran.code, 4) << ran.err;
  EXPECT_EQ(ran.out, "");
}

TEST_F(AccessTest, TheCallAndItsEndShowInTheAudit) {
  ASSERT_EQ(Run({"query", "alpha\x1b[31m", "-H", "geo01"}).code, 1);
  Ran ran = Run({"audit"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("alice (investigator"));
  EXPECT_THAT(ran.out, HasSubstr("search  complete 0 rows"));
  EXPECT_THAT(ran.out, Not(HasSubstr("\x1b")));
  ran = Run({"audit", "-o", "json", "-n", "1"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  const nlohmann::json call = nlohmann::json::parse(ran.out);
  EXPECT_EQ(call["call"], "audit");
  EXPECT_EQ(call["name"], "alice");
  EXPECT_EQ(call["outcome"], "complete");
  EXPECT_EQ(Run({"audit", "--since", "2200-01-01"}).code, 1);
  EXPECT_EQ(Run({"audit", "--since", "yesterdayish"}).code, 2);
  EXPECT_EQ(Run({"audit", "-n", "-1"}).code, 2);
}

TEST_F(AccessTest, AnAuditThatShowsACallThatNeverWasIsRefused) {
  ASSERT_EQ(Run({"hosts"}).code, 0);
  liar_->lies.audit = [](v1::AuditEvent& event) {
    for (v1::Accessed& call : *event.mutable_calls()) {
      evidence::BlockHeader block = *evidence::BlockHeader::Parse(call.asked().block());
      block.body.replace(block.body.find("alice"), 5, "malik");
      call.mutable_asked()->set_block(block.Serialize());
    }
    return true;
  };
  ExpectRefused({"audit"}, "cannot prove");
}

// Whoever asked is a witness of it: the checkpoint kept covers the call.
TEST_F(AccessTest, AVaultThatDropsACallIsFoundOut) {
  address_.clear();
  CopyVault();
  EXPECT_EQ(Run({"status"}).code, 0);
  EXPECT_EQ(Run({"hosts"}).code, 0);
  liar_.reset();
  PutCopyBack();
  const Ran ran = Run({"status"});
  EXPECT_EQ(ran.code, 4);
  EXPECT_THAT(ran.err, HasSubstr("ROLLBACK"));
}

}  // namespace
}  // namespace logvault::cli
