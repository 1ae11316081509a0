// logvault-collector as a program: its command line, its exit codes, its one line on stderr.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "evidence/checkpoint.h"
#include "evidence/keys.h"
#include "net/ingest_client.h"
#include "net/query_client.h"
#include "tests/net/pki_lab.h"

namespace logvault::server {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

class ProgramTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::rename(pki.Issue(pki::Role::kCollector, "vault1"), pki.dir() + "/collector");
    WriteConfig("");
  }
  void TearDown() override {
    if (running_ > 0) Stop(SIGKILL);
  }

  void WriteConfig(const std::string& more) {
    std::ofstream(config())
        << "listen: {ingest: 127.0.0.1:0, query: 127.0.0.1:0}\n"
           "tls: {ca: collector/ca.pem, cert: collector/cert.pem, key: collector/key.pem, "
           "crl: collector/crl.pem}\n"
           "vault: {dir: vault, name: lab-vault, signing_key: collector/vault.key}\n"
        << more;
  }
  std::string config() const { return pki.dir() + "/collector.yaml"; }
  std::string out() const { return ReadAll(pki.dir() + "/out"); }
  std::string err() const { return ReadAll(pki.dir() + "/err"); }

  pid_t Spawn(const std::vector<std::string>& arguments) {
    const pid_t child = fork();
    if (child != 0) return child;
    const int out_file = open((pki.dir() + "/out").c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600);
    const int err_file = open((pki.dir() + "/err").c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600);
    dup2(out_file, STDOUT_FILENO);
    dup2(err_file, STDERR_FILENO);
    std::vector<char*> argv;
    std::vector<std::string> all = {LOGVAULT_BIN_DIR "/logvault-collector"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    for (std::string& argument : all) argv.push_back(argument.data());
    argv.push_back(nullptr);
    execv(argv[0], argv.data());
    _exit(127);
  }
  static int Wait(pid_t child) {
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
  }
  int Run(const std::vector<std::string>& arguments) { return Wait(Spawn(arguments)); }

  // Starts and waits for the line that says it is ready.
  void Start() {
    running_ = Spawn({"--config", config()});
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (err().find("ready ingest=") == std::string::npos || err().back() != '\n') {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << err();
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
  int Stop(int signal) {
    kill(running_, signal);
    return Wait(std::exchange(running_, 0));
  }
  int AwaitEnd() { return Wait(std::exchange(running_, 0)); }
  std::string IngestAddress() const { return Between("ready ingest=", ' '); }
  std::string QueryAddress() const { return Between(" query=", '\n'); }

  net::PkiLab pki;

 private:
  std::string Between(const std::string& before, char after) const {
    const std::string text = err();
    const std::size_t begin = text.find(before) + before.size();
    return text.substr(begin, text.find(after, begin) - begin);
  }

  pid_t running_ = 0;
};

TEST_F(ProgramTest, InitMakesTheVaultOnceAndPrintsItsKey) {
  EXPECT_EQ(Run({"--config", config(), "--init"}), 0);
  const std::string key = out();
  EXPECT_THAT(key, StartsWith("lab-vault/"));
  EXPECT_EQ(key, ReadAll(pki.dir() + "/collector/vault.pub").substr(0, key.size()));
  EXPECT_EQ(Run({"--config", config(), "--init"}), 2);
  EXPECT_EQ(out(), "");
}

TEST_F(ProgramTest, AMissingVaultIsNotMadeByItself) {
  EXPECT_EQ(Run({"--config", config()}), 2);
  EXPECT_THAT(err(), HasSubstr("--init"));
  EXPECT_FALSE(std::filesystem::exists(pki.dir() + "/vault"));
}

TEST_F(ProgramTest, ReadyNamesTheRealPortsAndStdoutStaysEmpty) {
  ASSERT_EQ(Run({"--config", config(), "--init"}), 0);
  Start();
  EXPECT_THAT(err(), ::testing::ContainsRegex(
                         "ready ingest=127\\.0\\.0\\.1:[1-9][0-9]* query=127\\.0\\.0\\.1:"));
  auto client =
      net::ConnectQuery(pki.QueryOptions(QueryAddress(), pki.Issue(pki::Role::kAdmin, "root")));
  ASSERT_TRUE(client.ok());
  EXPECT_TRUE((*client)->Status({}).ok());
  EXPECT_EQ(Stop(SIGTERM), 0);
  EXPECT_EQ(out(), "");
}

TEST_F(ProgramTest, AnInterruptEndsItToo) {
  ASSERT_EQ(Run({"--config", config(), "--init"}), 0);
  Start();
  EXPECT_EQ(Stop(SIGINT), 0);
}

TEST_F(ProgramTest, AMissingAnchorIsAnIntegrityFailure) {
  ASSERT_EQ(Run({"--config", config(), "--init"}), 0);
  std::filesystem::remove(pki.dir() + "/vault.anchor");
  EXPECT_EQ(Run({"--config", config()}), 4);
}

// Whoever put back an older folder with its anchor is found out by the first forwarder that knew the newer one.
TEST_F(ProgramTest, AnOldCopyEndsWithAnIntegrityFailure) {
  ASSERT_EQ(Run({"--config", config(), "--init"}), 0);
  Start();
  const Result<evidence::SigningKey> key =
      evidence::SigningKey::FromPem(ReadAll(pki.dir() + "/collector/vault.key"));
  ASSERT_TRUE(key.ok());
  v1::OpenRequest request;
  request.set_have_note(evidence::SignCheckpoint(
      {evidence::OriginFor("lab-vault", key->public_key()), 1000, evidence::Sha256("newer")},
      *key));
  auto client = net::ConnectIngest(
      pki.IngestOptions(IngestAddress(), pki.Issue(pki::Role::kForwarder, "geo01")));
  ASSERT_TRUE(client.ok());
  EXPECT_EQ((*client)->Open(request).status().code(), StatusCode::kIntegrity);
  EXPECT_EQ(AwaitEnd(), 4);
  EXPECT_THAT(err(), HasSubstr("old copy"));
}

TEST_F(ProgramTest, CheckReadsTheFilesAndStartsNothing) {
  EXPECT_EQ(Run({"--config", config(), "--check"}), 0);
  std::filesystem::remove(pki.dir() + "/collector/key.pem");
  EXPECT_EQ(Run({"--config", config(), "--check"}), 2);
  EXPECT_THAT(err(), HasSubstr("key.pem"));
}

TEST_F(ProgramTest, WrongUseIsTold) {
  EXPECT_EQ(Run({}), 2);
  EXPECT_EQ(Run({"--config", config(), "--frobnicate"}), 2);
  EXPECT_EQ(Run({"--config", pki.dir() + "/none.yaml"}), 2);
  WriteConfig("colour: blue\n");
  EXPECT_EQ(Run({"--config", config(), "--check"}), 2);
  EXPECT_THAT(err(), HasSubstr("colour"));
  EXPECT_EQ(Run({"--help"}), 0);
}

TEST_F(ProgramTest, ACertificateOfAnotherRoleIsNoCollectors) {
  const std::string other = pki.Issue(pki::Role::kForwarder, "geo01");
  std::filesystem::copy_file(other + "/cert.pem", pki.dir() + "/collector/cert.pem",
                             std::filesystem::copy_options::overwrite_existing);
  std::filesystem::copy_file(other + "/key.pem", pki.dir() + "/collector/key.pem",
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_EQ(Run({"--config", config(), "--check"}), 2);
  EXPECT_THAT(err(), HasSubstr("spiffe://lab-vault/forwarder/geo01"));
}

}  // namespace
}  // namespace logvault::server
