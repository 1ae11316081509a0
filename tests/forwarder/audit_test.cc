// Audit events live: the test speaks auditd's side of the af_unix plugin's socket.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "forwarder/audit_source.h"
#include "tests/forwarder/test_host.h"
#include "tests/support/shared_data.h"

namespace logvault::forwarder {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string Line(std::uint64_t serial, const std::string& type = "SYSCALL") {
  return "type=" + type + " msg=audit(1720703655.123:" + std::to_string(serial) +
         "): arch=c000003e syscall=59\n";
}

// The plugin: listens at a path, hears nobody, tells one client.
class Plugin {
 public:
  explicit Plugin(const std::string& path) : path_(path), fd_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    path.copy(name.sun_path, sizeof name.sun_path - 1);
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
    EXPECT_EQ(::listen(fd_, 5), 0);
  }
  ~Plugin() {
    Disconnect();
    ::close(fd_);
    std::filesystem::remove(path_);
  }
  void Accept() { client_ = ::accept(fd_, nullptr, nullptr); }
  void Disconnect() {
    if (client_ >= 0) ::close(client_);
    client_ = -1;
  }
  void Write(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t n = ::send(client_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      ASSERT_GT(n, 0);
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }

 private:
  const std::string path_;
  const int fd_;
  int client_ = -1;
};

class AuditTest : public ::testing::Test {
 protected:
  void StartPlugin() { plugin_ = std::make_unique<Plugin>(Path()); }
  void Start() {
    source_ = std::make_unique<AuditSource>("auditlive", Path(), clock_);
    source_->Resume(position_, !position_.empty());
  }
  std::string Path() const { return folder_ / "audit.sock"; }
  std::vector<std::string> Records(std::size_t count) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (taken_.size() < count && std::chrono::steady_clock::now() < until) {
      pollfd waiting{source_->poll_fd(), POLLIN, 0};
      ::poll(&waiting, 1, 100);
      while (source_->Read(batch_) == Source::Outcome::kFull) Take();
      Take();
    }
    return taken_;
  }
  void Take() {
    for (const std::string& own : source_->TakeOwnRecords())
      own_.push_back(nlohmann::json::parse(own));
    if (batch_.empty()) return;
    evidence::PayloadBuilder::Sealed sealed =
        batch_.builder().Finish(1, std::string(evidence::kBatchKeySize, 'k'), {});
    Result<evidence::Payload> payload = evidence::Payload::Parse(sealed.frame, {});
    for (std::uint32_t i = 0; i < payload->record_count(); ++i) {
      taken_.emplace_back(payload->record(i).bytes);
      flags_.push_back(payload->record(i).flags);
      times_.push_back(payload->record(i).event_time);
    }
    for (evidence::PositionEntry& entry : source_->TakePosition()) position_ = {std::move(entry)};
  }
  void WaitFor(std::string_view state) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (source_->state().state != state && std::chrono::steady_clock::now() < until)
      ::poll(nullptr, 0, 5);
    EXPECT_EQ(source_->state().state, state);
  }

  TestFolder folder_;
  SystemClock clock_;
  std::unique_ptr<Plugin> plugin_;
  std::unique_ptr<AuditSource> source_;
  std::vector<evidence::PositionEntry> position_;
  OpenBatch batch_;
  std::vector<std::string> taken_;
  std::vector<std::uint32_t> flags_;
  std::vector<UnixNanos> times_;
  std::vector<nlohmann::json> own_;
};

TEST_F(AuditTest, EveryLineIsARecordHoweverItArrives) {
  StartPlugin();
  Start();
  plugin_->Accept();
  plugin_->Write(Line(1).substr(0, 30));
  plugin_->Write(Line(1).substr(30) + Line(1, "EOE") + Line(2).substr(0, 5));
  EXPECT_THAT(Records(2), ElementsAre(Line(1), Line(1, "EOE")));
  plugin_->Write(Line(2).substr(5));
  EXPECT_EQ(Records(3).back(), Line(2));
  EXPECT_EQ(times_[0], 1'720'703'655'123'000'000);
  EXPECT_EQ(source_->state().state, "ok");
}

TEST_F(AuditTest, ItConnectsWheneverAuditdComes) {
  Start();
  WaitFor("missing");
  StartPlugin();
  plugin_->Accept();
  plugin_->Write(Line(1));
  EXPECT_THAT(Records(1), ElementsAre(Line(1)));
  WaitFor("ok");
}

TEST_F(AuditTest, EventsThatCameWhileNotConnectedAreAGap) {
  StartPlugin();
  Start();
  plugin_->Accept();
  plugin_->Write(Line(10));
  Records(1);
  plugin_->Disconnect();
  plugin_->Accept();
  plugin_->Write(Line(15));
  EXPECT_THAT(Records(2), ElementsAre(Line(10), Line(15)));
  ASSERT_EQ(own_.size(), 1u);
  EXPECT_EQ(own_[0]["type"], "gap");
  EXPECT_EQ(own_[0]["records"], 4);
  EXPECT_EQ(own_[0]["exact"], false);
}

TEST_F(AuditTest, AReconnectionThatMissedNothingIsNoGap) {
  StartPlugin();
  Start();
  plugin_->Accept();
  plugin_->Write(Line(10));
  Records(1);
  plugin_->Disconnect();
  plugin_->Accept();
  plugin_->Write(Line(10, "EOE") + Line(11));
  Records(3);
  EXPECT_THAT(own_, IsEmpty());
}

TEST_F(AuditTest, EventsThatCameWhileTheForwarderWasStoppedAreAGap) {
  StartPlugin();
  Start();
  plugin_->Accept();
  plugin_->Write(Line(10));
  Records(1);
  source_.reset();
  plugin_->Disconnect();
  Start();
  plugin_->Accept();
  plugin_->Write(Line(13));
  Records(2);
  ASSERT_EQ(own_.size(), 1u);
  EXPECT_EQ(own_[0]["records"], 2);
}

TEST_F(AuditTest, WhatTheConnectionEndsWithinIsPartial) {
  StartPlugin();
  Start();
  plugin_->Accept();
  plugin_->Write(Line(1) + "type=PATH msg=aud");
  plugin_->Disconnect();
  EXPECT_EQ(Records(2).back(), "type=PATH msg=aud");
  EXPECT_EQ(flags_.back(), evidence::kRecordPartial);
}

// Nobody reads the source: auditd is told nothing of it.
TEST_F(AuditTest, AuditdNeverWaitsForTheVault) {
  StartPlugin();
  Start();
  plugin_->Accept();
  const std::uint64_t events = 200'000;
  std::string lines;
  for (std::uint64_t i = 1; i <= events; ++i) lines += Line(i);
  plugin_->Write(lines);
  plugin_->Disconnect();
  WaitFor("missing");
  while (source_->Read(batch_) == Source::Outcome::kFull) Take();
  Take();
  ASSERT_EQ(own_.size(), 1u);
  EXPECT_EQ(own_[0]["records"].get<std::uint64_t>() + taken_.size(), events);
  EXPECT_EQ(own_[0]["exact"], true);
}

TEST_F(AuditTest, RealRecordsArriveAsTheyAre) {
  const std::optional<std::filesystem::path> samples = testing::SharedData("logs/auditd");
  if (!samples.has_value()) return;
  StartPlugin();
  Start();
  plugin_->Accept();
  std::string all;
  int files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(*samples)) {
    const std::string name = entry.path().filename();
    if (!name.ends_with(".log") && !name.ends_with(".txt")) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    if (text.empty()) continue;
    if (!text.ends_with('\n')) text.push_back('\n');
    all += text;
    ++files;
    plugin_->Write(text);
    Records(static_cast<std::size_t>(std::count(all.begin(), all.end(), '\n')));
  }
  std::string taken;
  for (const std::string& record : taken_) taken += record;
  EXPECT_TRUE(taken == all);
  std::printf("%d sample files, %zu records\n", files, taken_.size());
}

// After a kill the position tells what is missing: what waits for the next batch is not in this one.
TEST_F(AuditTest, ThePositionOfAFullBatchIsThatOfItsLastRecord) {
  StartPlugin();
  Start();
  plugin_->Accept();
  for (std::uint64_t serial = 1; serial <= 200; ++serial) {
    std::string line = Line(serial);
    line.insert(line.size() - 1, 8000, 'x');
    plugin_->Write(line);
  }
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  Source::Outcome outcome = Source::Outcome::kIdle;
  while (outcome == Source::Outcome::kIdle && std::chrono::steady_clock::now() < until) {
    pollfd waiting{source_->poll_fd(), POLLIN, 0};
    ::poll(&waiting, 1, 100);
    outcome = source_->Read(batch_);
  }
  ASSERT_EQ(outcome, Source::Outcome::kFull);
  const std::string last = std::to_string(batch_.record_count());
  Take();
  ASSERT_EQ(position_.size(), 1u);
  EXPECT_EQ(position_.front().value, last);
}

}  // namespace
}  // namespace logvault::forwarder
