// A syslog listener on loopback, and senders for it.
#pragma once

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "forwarder/syslog_source.h"
#include "tests/forwarder/test_host.h"

namespace logvault::forwarder {

class ListenerTest : public testing::Test {
 protected:
  void Listen() {
    SyslogListenerOptions options;
    options.udp = options.tcp = "127.0.0.1:0";
    options.unix_path = folder_ / "log.sock";
    Listen(options);
  }
  void Listen(const SyslogListenerOptions& options) {
    source_.reset();
    Result<std::unique_ptr<SyslogSource>> source =
        SyslogSource::Open("net", options, formats::TimeZone::Utc(), clock_);
    ASSERT_TRUE(source.ok()) << source.status();
    source_ = *std::move(source);
  }
  [[nodiscard]] std::uint16_t udp_port() const { return source_->listener().udp_port(); }
  [[nodiscard]] std::uint16_t tcp_port() const { return source_->listener().tcp_port(); }
  static sockaddr_in At(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }
  void SendUdp(std::string_view bytes) {
    int fd = ::socket(AF_INET, SOCK_DGRAM, 0);
    sockaddr_in to = At(udp_port());
    ::sendto(fd, bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&to), sizeof to);
    ::close(fd);
  }
  void SendUdpFrom(const char* address, std::string_view bytes) {
    const int fd = ::socket(AF_INET, SOCK_DGRAM, 0);
    sockaddr_in from = At(0);
    ::inet_pton(AF_INET, address, &from.sin_addr);
    EXPECT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&from), sizeof from), 0);
    sockaddr_in to = At(udp_port());
    ::sendto(fd, bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&to), sizeof to);
    ::close(fd);
  }
  int Connect() {
    int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in to = At(tcp_port());
    EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
    return fd;
  }
  static void Send(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
      ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      ASSERT_GT(n, 0);
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  [[nodiscard]] int ConnectUnix() const {
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM, 0);
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    const std::string path = folder_ / "log.sock";
    std::copy(path.begin(), path.end(), to.sun_path);
    EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
    return fd;
  }
  // The first own record that holds `text`, waited for.
  nlohmann::json Said(const std::string& text) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (std::chrono::steady_clock::now() < until) {
      for (const std::string& own : source_->TakeOwnRecords()) {
        if (own.find(text) != std::string::npos) return nlohmann::json::parse(own);
      }
      ::poll(nullptr, 0, 5);
    }
    return nlohmann::json{{"reason", "nothing was said of: " + text}};
  }
  // Reads until `count` records are there, or ten seconds have gone.
  std::vector<std::string> Records(std::size_t count) {
    auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (taken_.size() < count && std::chrono::steady_clock::now() < until) {
      pollfd waiting{source_->poll_fd(), POLLIN, 0};
      ::poll(&waiting, 1, 100);
      while (source_->Read(batch_) == Source::Outcome::kFull) Take();
      Take();
    }
    return taken_;
  }
  void Take() {
    if (batch_.empty()) return;
    std::string key = evidence::RandomBytes(evidence::kBatchKeySize);
    evidence::PayloadBuilder::Sealed sealed = batch_.builder().Finish(1, key, {});
    Result<evidence::Payload> payload = evidence::Payload::Parse(sealed.frame, {});
    for (std::uint32_t i = 0; i < payload->record_count(); ++i) {
      taken_.emplace_back(payload->record(i).bytes);
      origins_.emplace_back(payload->record(i).origin);
      flags_.push_back(payload->record(i).flags);
    }
  }

  TestFolder folder_;
  SystemClock clock_;
  std::unique_ptr<SyslogSource> source_;
  OpenBatch batch_;
  std::vector<std::string> taken_, origins_;
  std::vector<std::uint32_t> flags_;
};

}  // namespace logvault::forwarder
