// The whole forwarder with its threads: what --drain ships, and how it ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "common/mutex.h"
#include "forwarder/check.h"
#include "forwarder/forwarder.h"
#include "tests/forwarder/test_host.h"

namespace logvault::forwarder {
namespace {

using config::ExitCode;

// Lets the test's thread look while the shipper's is at work.
class LockedClient final : public net::IngestClient {
 public:
  LockedClient(ScriptedVault& vault, Mutex& mutex) : vault_(vault), mutex_(mutex) {}
  Result<v1::SessionOpened> Open(const v1::OpenRequest& request) override {
    MutexLock lock(mutex_);
    return vault_.Open(request);
  }
  Result<v1::AppendResponse> Append(const v1::AppendRequest& request) override {
    MutexLock lock(mutex_);
    return vault_.Append(request);
  }
  bool session_lost() const override { return false; }
  void Close() override {}
  void Cancel() override {}

 private:
  ScriptedVault& vault_;
  Mutex& mutex_;
};

class DrainTest : public testing::Test {
 protected:
  DrainTest() {
    config_.collectors = {"vault:1"};
    config_.spool.dir = folder_ / "spool";
    AddSource("app", "app.log");
  }
  void AddSource(const std::string& name, const std::string& path) {
    config::SourceConfig source;
    source.name = name;
    source.format = "plain";
    source.path = folder_ / path;
    config_.sources.push_back(source);
  }
  void Write(const std::string& name, const std::string& bytes) {
    WriteFile(folder_ / name, bytes);
  }
  Result<std::unique_ptr<Forwarder>> Open(RunMode mode) {
    return Forwarder::Open(
        config_, HostIdentity{"host1", "a certificate", key_, vault_.opening_key()}, vault_.key(),
        [this](const std::string& address) -> Result<std::unique_ptr<net::IngestClient>> {
          if (address == "nowhere:1") return Unavailable("nowhere");
          return std::unique_ptr<net::IngestClient>(std::make_unique<LockedClient>(vault_, mutex_));
        },
        mode, clock_);
  }
  ExitCode Drain(std::int64_t timeout = 20 * kNanosPerSecond) {
    Result<std::unique_ptr<Forwarder>> forwarder = Open(RunMode::kDrain);
    EXPECT_TRUE(forwarder.ok()) << forwarder.status();
    return forwarder.ok() ? (*forwarder)->Drain(timeout) : ExitCode::kUsage;
  }

  TestFolder folder_;
  SystemClock clock_;
  config::ForwarderConfig config_;
  evidence::SigningKey key_ = evidence::SigningKey::Generate();
  Mutex mutex_;
  ScriptedVault vault_{"host1", key_.public_key()};
};

TEST_F(DrainTest, ShipsEverythingWithStartAndStop) {
  Write("app.log", "one\ntwo, without an end");
  EXPECT_EQ(Drain(), ExitCode::kOk);
  EXPECT_EQ(vault_.Raw("app"), "one\ntwo, without an end");
  EXPECT_THAT(vault_.Raw("logvault"), testing::HasSubstr("\"type\":\"start\""));
  EXPECT_THAT(vault_.Raw("logvault"), testing::EndsWith("{\"type\":\"stop\"}\n"));
}

TEST_F(DrainTest, TwiceAddsNothingToTheFilesStream) {
  Write("app.log", "one\ntwo, without an end");
  EXPECT_EQ(Drain(), ExitCode::kOk);
  EXPECT_EQ(Drain(), ExitCode::kOk);
  EXPECT_EQ(vault_.Raw("app"), "one\ntwo, without an end");
  EXPECT_EQ(vault_.streams["app"].last_seq, 2u);
}

TEST_F(DrainTest, AMissingFileNeedsAttentionAndTheRestIsShipped) {
  Write("app.log", "one\n");
  AddSource("gone", "gone.log");
  EXPECT_EQ(Drain(), ExitCode::kAttention);
  EXPECT_EQ(vault_.Raw("app"), "one\n");
}

TEST_F(DrainTest, ADirectoryNeedsAttention) {
  Write("app.log", "one\n");
  AddSource("dir", "spool");
  EXPECT_EQ(Drain(), ExitCode::kAttention);
  EXPECT_EQ(vault_.Raw("app"), "one\n");
}

TEST_F(DrainTest, AGlobWithoutMatchIsOnlyAWarning) {
  Write("app.log", "one\n");
  AddSource("none", "*.nothing");
  EXPECT_EQ(Drain(), ExitCode::kOk);
}

TEST_F(DrainTest, AnUnreachableVaultEndsItAfterTheTimeout) {
  Write("app.log", "one\n");
  config_.collectors = {"nowhere:1"};
  EXPECT_EQ(Drain(kNanosPerSecond / 2), ExitCode::kCannotConnect);
}

TEST_F(DrainTest, CollectorsAreTriedInOrder) {
  Write("app.log", "one\n");
  config_.collectors = {"nowhere:1", "vault:1"};
  EXPECT_EQ(Drain(), ExitCode::kOk);
}

TEST_F(DrainTest, ARefusalEndsItAtOnce) {
  Write("app.log", "one\n");
  vault_.fail_opens = 1'000'000;
  vault_.failure = PermissionDenied("revoked");
  EXPECT_EQ(Drain(), ExitCode::kNotPermitted);
}

TEST_F(DrainTest, ARollbackEndsIt) {
  Write("app.log", "one\n");
  EXPECT_EQ(Drain(), ExitCode::kOk);
  vault_.RollBack(2);
  EXPECT_EQ(Drain(), ExitCode::kIntegrity);
}

TEST_F(DrainTest, AVaultThatSaysItIsAnOldCopyEndsIt) {
  Write("app.log", "one\n");
  vault_.fail_opens = 1'000'000;
  vault_.failure = Integrity("this vault ends before the checkpoint shown");
  EXPECT_EQ(Drain(), ExitCode::kIntegrity);
}

TEST_F(DrainTest, ASetAsideBatchNeedsAttention) {
  Write("app.log", "one\n");
  vault_.refuse = [](const evidence::BatchHeader&, const std::string& source) {
    return source == "app" ? std::string("poison") : std::string();
  };
  EXPECT_EQ(Drain(), ExitCode::kAttention);
}

TEST_F(DrainTest, ASpoolInUseIsRefused) {
  Result<std::unique_ptr<Forwarder>> first = Open(RunMode::kFollow);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(Open(RunMode::kDrain).status().code(), StatusCode::kFailedPrecondition);
}

TEST_F(DrainTest, ASmallSpoolOnlyMakesItSlower) {
  config_.spool.max_bytes = 100'000;
  std::string text;
  for (int i = 0; i < 2000; ++i) text += ToHex(evidence::RandomBytes(500)) + "\n";
  Write("app.log", text);
  EXPECT_EQ(Drain(), ExitCode::kOk);
  EXPECT_TRUE(vault_.Raw("app") == text);
}

TEST_F(DrainTest, BatchesOfASourceThatIsNoLongerConfiguredAreShippedToo) {
  Write("app.log", "one\n");
  EXPECT_EQ(Drain(), ExitCode::kOk);
  WriteFile(folder_ / "app.log", "one\ntwo\n");
  vault_.failure = Unavailable("away");
  vault_.fail_appends = 1'000'000;
  EXPECT_EQ(Drain(kNanosPerSecond / 2), ExitCode::kCannotConnect);
  vault_.fail_appends = 0;
  config_.sources.clear();
  AddSource("other", "other.log");
  Write("other.log", "");
  EXPECT_EQ(Drain(), ExitCode::kOk);
  EXPECT_EQ(vault_.Raw("app"), "one\ntwo\n");
}

TEST_F(DrainTest, FollowingShipsWhatIsTypedAndStopsCleanly) {
  Write("app.log", "one\n");
  config::SourceConfig net;
  net.name = "net";
  net.type = config::SourceType::kSyslog;
  net.format = "syslog";
  net.unix_path = folder_ / "log.sock";
  config_.sources.push_back(net);
  Result<std::unique_ptr<Forwarder>> forwarder = Open(RunMode::kFollow);
  ASSERT_TRUE(forwarder.ok()) << forwarder.status();
  int stop_fd = ::eventfd(0, EFD_CLOEXEC);
  ExitCode code = ExitCode::kInterrupted;
  std::thread running([&] { code = (*forwarder)->Follow(stop_fd); });
  auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  auto raw = [this] {
    MutexLock lock(mutex_);
    return vault_.Raw("app");
  };
  AppendFile(folder_ / "app.log", "typed\n");
  while (raw() != "one\ntyped\n" && std::chrono::steady_clock::now() < until)
    std::this_thread::yield();
  EXPECT_EQ(raw(), "one\ntyped\n");
  std::uint64_t one = 1;
  ASSERT_EQ(::write(stop_fd, &one, sizeof one), static_cast<ssize_t>(sizeof one));
  running.join();
  ::close(stop_fd);
  EXPECT_EQ(code, ExitCode::kOk);
  EXPECT_THAT(vault_.Raw("logvault"), testing::EndsWith("{\"type\":\"stop\"}\n"));
}

TEST_F(DrainTest, CheckFindsWhatCannotWork) {
  Write("app.log", "one\n");
  EXPECT_EQ(CheckSources(config_), ExitCode::kOk);
  AddSource("gone", "gone.log");
  EXPECT_EQ(CheckSources(config_), ExitCode::kAttention);
  config_.sources[0].timezone = "Middle/Earth";
  EXPECT_EQ(CheckSources(config_), ExitCode::kUsage);
}

}  // namespace
}  // namespace logvault::forwarder
