// The metrics endpoint over plain HTTP.
#include "server/metrics.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "tests/server/server_lab.h"

namespace logvault::server {
namespace {

using ::testing::HasSubstr;

std::string Get(int port, const std::string& path) {
  const int connection = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
  std::string answer;
  if (connect(connection, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0) {
    const std::string request = "GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    EXPECT_EQ(write(connection, request.data(), request.size()),
              static_cast<ssize_t>(request.size()));
    std::array<char, 4096> buffer;
    for (ssize_t got; (got = read(connection, buffer.data(), buffer.size())) > 0;) {
      answer.append(buffer.data(), static_cast<std::size_t>(got));
    }
  }
  close(connection);
  return answer;
}

class MetricsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const Result<VaultKeys> keys = VaultKeys::Load(lab.config.signing_key);
    ASSERT_TRUE(keys.ok());
    storage::VaultOptions options;
    options.dir = lab.config.vault_dir;
    options.anchor = lab.config.anchor;
    vault = *storage::Vault::Open(options, keys->signing, lab.clock);
    committer = std::make_unique<storage::Committer>(*vault);
  }

  ServerLab lab;
  Counters counters;
  HostFigures figures;
  SessionTable sessions{lab.clock};
  std::unique_ptr<storage::Vault> vault;
  std::unique_ptr<storage::Committer> committer;
};

TEST_F(MetricsTest, CountersAreReadWhenAsked) {
  auto endpoint =
      MetricsEndpoint::Start("127.0.0.1:0", {counters, figures, sessions, *committer, *vault});
  ASSERT_TRUE(endpoint.ok()) << endpoint.status();
  counters.records += 42;
  const std::string text = Get((*endpoint)->port(), "/metrics");
  EXPECT_THAT(text, HasSubstr("logvault_records_total 42"));
  EXPECT_THAT(text, HasSubstr("logvault_blocks 1"));
}

TEST_F(MetricsTest, EachHostHasItsRowsAndTheirNumberIsBounded) {
  auto endpoint =
      MetricsEndpoint::Start("127.0.0.1:0", {counters, figures, sessions, *committer, *vault});
  ASSERT_TRUE(endpoint.ok()) << endpoint.status();
  figures.Committed("geo01", 3, 100, 7 * kNanosPerSecond);
  figures.Refused("geo01");
  std::string text = Get((*endpoint)->port(), "/metrics");
  EXPECT_THAT(text, HasSubstr("logvault_host_records_total{host=\"geo01\"} 3"));
  EXPECT_THAT(text, HasSubstr("logvault_host_refused_items_total{host=\"geo01\"} 1"));
  EXPECT_THAT(text, HasSubstr("logvault_host_last_commit_timestamp_seconds{host=\"geo01\"} 7"));
  for (std::size_t i = 0; i < kMaxHostsShown + 5; ++i) figures.Limited("host" + std::to_string(i));
  EXPECT_EQ(figures.All().size(), kMaxHostsShown + 1);
  EXPECT_EQ(figures.All()[kOtherHosts].limited_calls, 6u);
}

TEST_F(MetricsTest, AnAddressInUseIsTold) {
  auto first =
      MetricsEndpoint::Start("127.0.0.1:0", {counters, figures, sessions, *committer, *vault});
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(MetricsEndpoint::Start("127.0.0.1:" + std::to_string((*first)->port()),
                                   {counters, figures, sessions, *committer, *vault})
                .status()
                .code(),
            StatusCode::kUnavailable);
}

}  // namespace
}  // namespace logvault::server
