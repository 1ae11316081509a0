// The tool lists what the vault raised, and says so while nobody has reviewed it; a review is a signed block.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/cli/lying_vault.h"
#include "tests/cli/remote_fixture.h"

namespace logvault::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class AlertsTest : public RemoteTest {
 protected:
  // Records are left out, so that the next batch raises a gap.
  void SkipRecords(std::uint64_t count) {
    next_seq_ += count;
    Add({"after a gap\n"});
  }
  std::vector<nlohmann::json> Listed(const std::vector<std::string>& more = {}) {
    std::vector<std::string> command = {"alerts", "-o", "json"};
    command.insert(command.end(), more.begin(), more.end());
    const Ran ran = Run(command);
    std::vector<nlohmann::json> alerts;
    std::istringstream lines(ran.out);
    for (std::string line; std::getline(lines, line);)
      alerts.push_back(nlohmann::json::parse(line));
    return alerts;
  }
  std::string NewestAlert() { return std::to_string(Listed().at(0)["block"].get<int>()); }
};

TEST_F(AlertsTest, WithoutAnAlertThereIsNothingToList) {
  const Ran ran = Run({"alerts"});
  EXPECT_EQ(ran.code, 1) << ran.err;
  EXPECT_EQ(ran.out, "");
}

TEST_F(AlertsTest, AnAlertWantsAttentionUntilSomebodyReviewedIt) {
  SkipRecords(5);
  Ran ran = Run({"alerts"});
  EXPECT_EQ(ran.code, 7) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("UNREVIEWED"));
  EXPECT_THAT(ran.out, HasSubstr("ALERT gap  records 4..8 of geo01/app never came"));
  ran = Run({"alerts", "review", NewestAlert(), "--reason", "the host was\nrebooted"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  ran = Run({"alerts", "list"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("(alice "));
  EXPECT_THAT(ran.out, HasSubstr("the host was\\nrebooted"));
  EXPECT_THAT(ran.err, HasSubstr("0 of 1 alerts"));
  EXPECT_EQ(Run({"alerts", "--unreviewed"}).out, "");
  EXPECT_EQ(Run({"verify"}).code, 0) << "a review is in order";
  EXPECT_EQ(Run({"--offline", Vault().string(), "verify"}).code, 0);

  SkipRecords(1);
  ran = Run({"alerts", "--unreviewed"});
  EXPECT_EQ(ran.code, 7);
  EXPECT_THAT(ran.out, Not(HasSubstr("4..8")));
  EXPECT_THAT(ran.err, HasSubstr("1 of 2 alerts"));
}

TEST_F(AlertsTest, TheFolderTellsTheSame) {
  SkipRecords(5);
  ASSERT_EQ(Run({"alerts", "review", NewestAlert(), "--reason", "seen"}).code, 0);
  SkipRecords(1);
  const Ran remote = Run({"alerts", "-o", "json"});
  const Ran folder = Run({"--offline", Vault().string(), "alerts", "-o", "json"});
  EXPECT_EQ(folder.code, 7) << folder.err;
  EXPECT_EQ(folder.out, remote.out);
  EXPECT_EQ(Run({"--offline", Vault().string(), "alerts", "review", "3", "--reason", "x"}).code, 2);
}

TEST_F(AlertsTest, AReviewNamesAllUpToABlockThatWereNotReviewed) {
  for (int i = 0; i < 3; ++i) SkipRecords(1);
  const std::vector<nlohmann::json> alerts = Listed();
  ASSERT_EQ(alerts.size(), 3u);
  const std::string middle = alerts[1]["block"].dump();
  ASSERT_EQ(Run({"alerts", "review", alerts[2]["block"].dump(), "--reason", "first"}).code, 0);
  ASSERT_EQ(Run({"alerts", "review", "--until-block", middle, "--reason", "second"}).code, 0);
  const std::vector<nlohmann::json> reviewed = Listed();
  EXPECT_EQ(reviewed[0]["reviews"].size(), 0u);
  EXPECT_EQ(reviewed[1]["reviews"][0]["reason"], "second");
  EXPECT_EQ(reviewed[2]["reviews"].size(), 1u) << "it was reviewed already";
  EXPECT_EQ(Run({"alerts", "review", "--until-block", middle, "--reason", "again"}).code, 1);
}

TEST_F(AlertsTest, OnlyAlertsAreReviewedAndNotInSilence) {
  SkipRecords(1);
  const Ran ran = Run({"alerts", "review", "3", "--reason", "x"});
  EXPECT_EQ(ran.code, 2) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("block 3 is no alert: it is RECORDS"));
  EXPECT_EQ(Run({"alerts", "review", "70000", "--reason", "x"}).code, 2) << "no such block";
  EXPECT_EQ(Run({"alerts", "review", NewestAlert()}).code, 2) << "no reason";
  EXPECT_EQ(Run({"alerts", "review", NewestAlert(), "--reason", ""}).code, 2);
  EXPECT_EQ(Run({"alerts", "review", "--reason", "x"}).code, 2) << "no block";
  EXPECT_EQ(Run({"alerts", "review", "-1", "--reason", "x"}).code, 2);
  EXPECT_EQ(Run({"alerts", "review", "--until-block", "-1", "--reason", "x"}).code, 2);
  EXPECT_EQ(Run({"alerts"}).code, 7) << "nothing of that counted";
}

TEST_F(AlertsTest, WhoMayReview) {
  SkipRecords(1);
  const std::string alert = NewestAlert();
  EXPECT_EQ(RunAs(geo01_->issued_dir, {"alerts"}).code, 5);
  EXPECT_EQ(RunAs(geo01_->issued_dir, {"alerts", "review", alert, "--reason", "x"}).code, 5);
  const std::string root = lab_.pki.Issue(pki::Role::kAdmin, "root");
  EXPECT_EQ(RunAs(root, {"alerts", "review", alert, "--reason", "x"}).code, 0);
  EXPECT_EQ(Run({"hold", "add", "h", "--reason", "x"}).code, 5) << "that is for administrators";
}

TEST_F(AlertsTest, TheListIsOfATimeAndOfHosts) {
  SkipRecords(1);
  EXPECT_EQ(Run({"alerts", "-H", "geo*"}).code, 7);
  EXPECT_EQ(Run({"alerts", "-H", "web*"}).code, 1);
  EXPECT_EQ(Run({"alerts", "--since", "1h"}).code, 7);
  EXPECT_EQ(Run({"alerts", "--until", "2001-01-01"}).code, 1);
  EXPECT_EQ(Run({"alerts", "--since", "2200-01-01"}).code, 1);
  EXPECT_EQ(Run({"alerts", "--since", "yesterdayish"}).code, 2);
}

TEST_F(AlertsTest, AskingIsRecorded) {
  ASSERT_EQ(Run({"alerts"}).code, 1);
  EXPECT_THAT(Run({"audit"}).out, HasSubstr("alice (investigator"));
  EXPECT_THAT(Run({"audit"}).out, HasSubstr("  alerts  complete"));
}

class LiedAlertsTest : public AlertsTest {
 protected:
  void SetUp() override {
    AlertsTest::SetUp();
    SkipRecords(5);
    liar_ = std::make_unique<LyingVault>(lab_, alice_);
    address_ = liar_->address();
  }
  void ExpectRefused(const std::string& why) {
    const Ran ran = Run({"alerts"});
    EXPECT_EQ(ran.code, 4) << ran.err;
    EXPECT_THAT(ran.err, HasSubstr(why));
  }
  std::unique_ptr<LyingVault> liar_;
};

TEST_F(LiedAlertsTest, WhatPassesUnchangedIsTaken) { EXPECT_EQ(Run({"alerts"}).code, 7); }

TEST_F(LiedAlertsTest, AnAlertThatIsNotInTheTreeIsRefused) {
  liar_->lies.alerts = [](v1::AlertsEvent& event) {
    for (v1::ProvenBlock& alert : *event.mutable_blocks()) {
      evidence::BlockHeader block = *evidence::BlockHeader::Parse(alert.block());
      block.body = R"({"type":"crl_expired"})";
      alert.set_block(block.Serialize());
    }
    return true;
  };
  ExpectRefused("cannot prove");
}

TEST_F(LiedAlertsTest, AnAlertThatIsLeftOutOnTheWayIsMissed) {
  liar_->lies.alerts = [](v1::AlertsEvent& event) { return event.clear_blocks(), true; };
  ExpectRefused("not the ones that the vault says it sent");
}

TEST_F(LiedAlertsTest, AnAnswerWithoutAProofThatItIsRecordedIsRefused) {
  liar_->lies.alerts = [](v1::AlertsEvent& event) { return event.clear_access(), true; };
  ExpectRefused("does not prove that it recorded this call");
}

TEST_F(LiedAlertsTest, AReviewThatIsLeftOutMakesTheListOfDirectivesFail) {
  const std::string alert = NewestAlert();
  ASSERT_EQ(Run({"alerts", "review", alert, "--reason", "first"}).code, 0);
  ASSERT_EQ(Run({"alerts", "review", alert, "--reason", "second"}).code, 0);
  liar_->lies.governing = [](v1::GoverningEvent& event) {
    return event.mutable_blocks()->DeleteSubrange(0, 1), true;
  };
  ExpectRefused("");
}

}  // namespace
}  // namespace logvault::cli
