// The program against a running collector: what it believes, what it refuses, and with which exit code.
#include <fstream>
#include <nlohmann/json.hpp>

#include <gmock/gmock.h>

#include "storage/keys.h"
#include "storage/tables.h"
#include "tests/cli/remote_fixture.h"

namespace logvault::cli {
namespace {

using ::testing::HasSubstr;

TEST_F(RemoteTest, EveryCommandAnswers) {
  Ran ran = Run({"query", "alpha"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("geo01  app  alpha one\n"));
  EXPECT_THAT(ran.err, HasSubstr("complete: 2 records"));
  EXPECT_EQ(Run({"query", "alpha", "--count", "--strict"}).out, "2\n");
  EXPECT_EQ(Run({"query", "-S", "app", "-o", "raw"}).out, "alpha one\nbeta two\nalpha three\n");
  EXPECT_EQ(Run({"query", "zzz"}).code, 1);
  EXPECT_EQ(Run({"query", "hots=a"}).code, 2);
  ran = Run({"hosts"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("geo01"));
  ran = Run({"show", "geo01/app/2"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("beta two"));
  EXPECT_EQ(Run({"show", "geo01/app/9"}).code, 1);
  ran = Run({"verify"});
  EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("3 records"));
  ran = Run({"status"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_TRUE(ran.out.ends_with(lab_.collector->vault().head().note)) << ran.out;
}

TEST_F(RemoteTest, ALineIsFoundAsSoonAsItIsCommitted) {
  EXPECT_EQ(Run({"query", "fresh", "--count"}).out, "0\n");
  Add({"fresh line\n"});
  EXPECT_EQ(Run({"query", "fresh", "--count"}).out, "1\n");
}

TEST_F(RemoteTest, TheNewestCheckpointIsKeptAndGrows) {
  EXPECT_THAT(Run({"status"}).out, HasSubstr("the first one seen here"));
  Add({"more\n"});
  EXPECT_THAT(Run({"status"}).out, HasSubstr("goes on from the one of size "));
}

TEST_F(RemoteTest, AVaultSetBackToAnOldCopyIsExit4) {
  CopyVault();
  Add({"later\n"});
  EXPECT_EQ(Run({"status"}).code, 0);
  PutCopyBack();
  for (const char* command : {"status", "query", "hosts", "verify"}) {
    Ran ran = Run({command});
    EXPECT_EQ(ran.code, 4) << command;
    EXPECT_EQ(ran.out, "") << command;
    EXPECT_THAT(ran.err, HasSubstr("ROLLBACK")) << command;
  }
}

TEST_F(RemoteTest, AVaultThatGoesOnDifferentlyIsExit4) {
  CopyVault();
  const auto heads = geo01_->heads;
  const std::uint64_t next_seq = next_seq_;
  Add({"one history\n"});
  EXPECT_EQ(Run({"status"}).code, 0);
  const std::uint64_t kept = lab_.collector->vault().head().size;
  PutCopyBack();
  geo01_->heads = heads;
  next_seq_ = next_seq;
  Reconnect();
  while (lab_.collector->vault().head().size <= kept) Add({"another history\n"});
  Ran ran = Run({"status"});
  EXPECT_EQ(ran.code, 4);
  EXPECT_THAT(ran.err, HasSubstr("FORK"));
}

TEST_F(RemoteTest, AReceiptIsHeldToAFolderOfItsHistory) {
  const std::string file = lab_.pki.dir() + "/receipt";
  const auto check = [&](const fs::path& folder) {
    return Run({"receipt", "--check", file, "--offline", folder});
  };
  CopyVault();
  const auto heads = geo01_->heads;
  const std::uint64_t next_seq = next_seq_;
  Add({"alpha four\n"});
  ASSERT_EQ(Run({"query", "alpha", "--receipt", file}).code, 0);
  Ran ran = check(Vault());
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("the same: 3 matches"));
  ran = check(Copy());
  EXPECT_EQ(ran.code, 4);
  EXPECT_THAT(ran.err, HasSubstr("it is an older copy"));
  // The same vault that went on differently, and further.
  const std::uint64_t size = lab_.collector->vault().head().size;
  PutCopyBack();
  geo01_->heads = heads;
  next_seq_ = next_seq;
  Reconnect();
  while (lab_.collector->vault().head().size <= size) Add({"alpha five\n"});
  ran = check(Vault());
  EXPECT_EQ(ran.code, 4);
  EXPECT_THAT(ran.err, HasSubstr("not the one that the receipt is about"));
}

TEST_F(RemoteTest, AReceiptIsNotConfirmedWhereARecordWasAltered) {
  const std::string file = lab_.pki.dir() + "/receipt";
  ASSERT_EQ(Run({"query", "alpha", "--receipt", file}).code, 0);
  StopCollector();
  storage::TablesOptions options;
  options.dir = Vault();
  {
    Result<std::shared_ptr<storage::Tables>> tables = storage::Tables::Open(options);
    ASSERT_TRUE(tables.ok()) << tables.status();
    auto* family = (*tables)->PayloadFamilies().at(0);
    auto rows = (*tables)->Seek(family);
    rows->SeekToFirst();
    ASSERT_TRUE(rows->Valid());
    std::string frame = rows->value().ToString();
    frame.back() = static_cast<char>(frame.back() ^ 1);
    ASSERT_TRUE((*tables)->db().Put({}, family, rows->key(), frame).ok());
  }
  address_ = "127.0.0.1:1";  // nobody is asked
  const Ran ran = Run({"receipt", "--check", file, "--offline", Vault()});
  EXPECT_EQ(ran.code, 4);
  EXPECT_EQ(ran.err.find("the same"), std::string::npos) << ran.err;
}

TEST_F(RemoteTest, WhoMayNotIsToldSo) {
  const std::string forwarder = geo01_->issued_dir;
  Ran ran = RunAs(forwarder, {"query", "alpha"});
  EXPECT_EQ(ran.code, 5) << ran.err;
  EXPECT_EQ(ran.out, "");
  lab_.pki.Revoke("alice");
  lab_.clock.Advance(20 * kNanosPerSecond);
  lab_.collector->Tick();
  ran = Run({"query", "alpha"});
  EXPECT_EQ(ran.code, 5) << ran.err;
}

TEST_F(RemoteTest, WhoIsNotKnownDoesNotGetIn) {
  net::PkiLab others(lab_.pki.vault_name());
  const std::string mallory = others.Issue(pki::Role::kInvestigator, "alice");
  EXPECT_EQ(RunAs(mallory, {"query", "alpha"}).code, 6);
  const std::string expired = lab_.pki.Issue(pki::Role::kInvestigator, "late", 60 * kNanosPerSecond,
                                             3600 * kNanosPerSecond);
  EXPECT_EQ(RunAs(expired, {"query", "alpha"}).code, 6);
}

TEST_F(RemoteTest, AnotherVaultsKeyIsExit4) {
  net::PkiLab others(lab_.pki.vault_name());
  const std::string wrong = others.Issue(pki::Role::kInvestigator, "x");
  fs::copy_file(wrong + "/vault.pub", alice_ + "/vault.pub", fs::copy_options::overwrite_existing);
  Ran ran = Run({"query", "alpha"});
  EXPECT_EQ(ran.code, 4);
  EXPECT_THAT(ran.err, HasSubstr("not signed by the key in vault.pub"));
}

TEST_F(RemoteTest, VerifyNamesATamperedBlockAndShowRefusesIt) {
  StopCollector();
  storage::TablesOptions options;
  options.dir = Vault();
  std::uint64_t bad = 0;
  {
    Result<std::shared_ptr<storage::Tables>> tables = storage::Tables::Open(options);
    ASSERT_TRUE(tables.ok()) << tables.status();
    auto* family = (*tables)->PayloadFamilies().at(0);
    auto rows = (*tables)->Seek(family);
    rows->SeekToFirst();
    ASSERT_TRUE(rows->Valid());
    const std::string key = rows->key().ToString();
    bad = *storage::ParseNumberKey(key);
    std::string frame = rows->value().ToString();
    frame.back() = static_cast<char>(frame.back() ^ 1);
    ASSERT_TRUE((*tables)->db().Put({}, family, key, frame).ok());
  }
  lab_.Start();
  Ran ran = Run({"verify", "-o", "json"});
  EXPECT_EQ(ran.code, 4);
  const nlohmann::json finding = nlohmann::json::parse(ran.out.substr(0, ran.out.find('\n')));
  EXPECT_EQ(finding["block"], bad);
  EXPECT_EQ(finding["host"], "geo01");
  EXPECT_EQ(finding["source"], "app");
  EXPECT_EQ(finding["first_seq"], 1);
  EXPECT_EQ(Run({"show", "geo01/app/1"}).code, 4);
  ran = Run({"query", "alpha"});
  EXPECT_EQ(ran.code, 4);
  EXPECT_THAT(ran.out, HasSubstr("alpha three")) << "the rest is answered";
}

TEST_F(RemoteTest, VerifyHoldsTheVaultToAnAnchor) {
  const std::string file = lab_.pki.dir() + "/anchor.note";
  EXPECT_EQ(Run({"checkpoint", "--out", file}).code, 0);
  Add({"more\n"});
  EXPECT_EQ(Run({"verify", "--anchor", file}).code, 0);
  std::ofstream(file) << "other-vault/00000000\n1\nAAAA\n";
  EXPECT_EQ(Run({"verify", "--anchor", file}).code, 2) << "no note";
  std::ofstream(file) << evidence::SignCheckpoint({"other-vault/00000000", 1, evidence::Hash{}},
                                                  evidence::SigningKey::Generate());
  EXPECT_EQ(Run({"verify", "--anchor", file}).code, 4) << "another vault's";
  EXPECT_EQ(Run({"verify", "--anchor", "/nowhere"}).code, 2);
}

TEST_F(RemoteTest, AnAnswerThatBreaksOffIsExit3) {
  // Much more than pipes and flow control hold, so that most of it is still to come.
  for (int batch = 0; batch < 30; ++batch)
    Add(std::vector<std::string>(300, std::string(3000, 'x') + "\n"));
  Program program({"query", "xxx"}, EnvironmentAs(alice_));
  program.AwaitOutput();
  StopCollector();
  Ran ran = program.Finish();
  EXPECT_EQ(ran.code, 3) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("xxx")) << "what arrived is shown";
  EXPECT_THAT(ran.err, HasSubstr("INCOMPLETE: "));
  EXPECT_THAT(ran.err, Not(HasSubstr("handshake"))) << "it was there before";
}

TEST_F(RemoteTest, AnInterruptIsExit130) {
  for (int batch = 0; batch < 30; ++batch)
    Add(std::vector<std::string>(300, std::string(3000, 'x') + "\n"));
  Program program({"query", "xxx"}, EnvironmentAs(alice_));
  program.AwaitOutput();
  program.Signal(SIGINT);
  Ran ran = program.Finish();
  EXPECT_EQ(ran.code, 130) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("; interrupted"));
}

TEST_F(RemoteTest, ACollectorThatIsGoneIsExit6) {
  address_ = lab_.collector->query_address();
  StopCollector();
  Ran ran = Run({"query", "alpha"});
  EXPECT_EQ(ran.code, 6);
  EXPECT_THAT(ran.err, HasSubstr(address_));
}

}  // namespace
}  // namespace logvault::cli
