// Syslog over the network: each message is one record, as it was sent, from whom it came.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <random>

#include "forwarder/syslog_source.h"
#include "tests/forwarder/test_host.h"

namespace logvault::forwarder {
namespace {

using testing::ElementsAre;

std::vector<std::string> Pieces(SyslogFraming& framing) {
  std::vector<std::string> pieces;
  while (std::optional<SyslogPiece> piece = framing.Next()) pieces.emplace_back(piece->bytes);
  return pieces;
}

std::vector<std::string> Framed(std::string_view stream) {
  SyslogFraming framing;
  framing.Add(stream);
  std::vector<std::string> pieces = Pieces(framing);
  while (std::optional<SyslogPiece> piece = framing.Rest()) {
    pieces.push_back(std::string(piece->bytes) + (piece->partial ? " (partial)" : ""));
  }
  return pieces;
}

TEST(SyslogFramingTest, ALineKeepsItsEnd) {
  EXPECT_THAT(Framed("<1>a\n<2>b\r\n"), ElementsAre("<1>a\n", "<2>b\r\n"));
}

TEST(SyslogFramingTest, ACountedMessageLosesItsCount) {
  EXPECT_THAT(Framed("5 <1>ab7 <2>cdef"), ElementsAre("<1>ab", "<2>cdef"));
}

TEST(SyslogFramingTest, ACountedMessageMayHoldLineEnds) {
  EXPECT_THAT(Framed("7 <1>a\nb\n5 <1>ab"), ElementsAre("<1>a\nb\n", "<1>ab"));
}

TEST(SyslogFramingTest, OneConnectionMayMixBoth) {
  EXPECT_THAT(Framed("<1>a\n5 <1>ab<2>c\n5 <1>de\n<3>f\n"),
              ElementsAre("<1>a\n", "<1>ab", "<2>c\n", "<1>de", "<3>f\n"));
}

TEST(SyslogFramingTest, ALineThatBeginsWithANumberIsNoCount) {
  EXPECT_THAT(Framed("12 monkeys\n2026-11-23 x\n7\n123456789 <1>x\n"),
              ElementsAre("12 monkeys\n", "2026-11-23 x\n", "7\n", "123456789 <1>x\n"));
}

TEST(SyslogFramingTest, WhatTheConnectionEndsWithinIsPartial) {
  EXPECT_THAT(Framed("<1>a\n<2>b"), ElementsAre("<1>a\n", "<2>b (partial)"));
  EXPECT_THAT(Framed("9 <1>ab"), ElementsAre("<1>ab (partial)"));
}

TEST(SyslogFramingTest, ALongMessageComesInPieces) {
  SyslogFraming framing;
  framing.Add("<1>" + std::string(kMaxSyslogPiece, 'x') + "\n<1>b\n");
  std::optional<SyslogPiece> first = framing.Next();
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->bytes.size(), kMaxSyslogPiece);
  EXPECT_FALSE(first->continues);
  std::optional<SyslogPiece> second = framing.Next();
  EXPECT_EQ(second->bytes, "xxx\n");
  EXPECT_TRUE(second->continues);
  std::optional<SyslogPiece> third = framing.Next();
  EXPECT_EQ(third->bytes, "<1>b\n");
  EXPECT_FALSE(third->continues);
}

// However the network cuts the stream, the messages are the same.
TEST(SyslogFramingTest, TheCutsOfTheNetworkChangeNothing) {
  const std::string stream =
      "<1>a\n5 <1>ab<2>c\n11 <9>x\ny\nz12\n5 <1>de\n<3>ffffffffff\n10 x\n3 <4";
  const std::vector<std::string> whole = Framed(stream);
  std::mt19937 random(1);
  for (int round = 0; round < 500; ++round) {
    SyslogFraming framing;
    std::vector<std::string> pieces;
    for (std::size_t at = 0; at < stream.size();) {
      std::size_t size = 1 + random() % 6;
      framing.Add(std::string_view(stream).substr(at, size));
      at += size;
      for (std::string& piece : Pieces(framing)) pieces.push_back(std::move(piece));
    }
    while (std::optional<SyslogPiece> piece = framing.Rest())
      pieces.push_back(std::string(piece->bytes) + " (partial)");
    ASSERT_EQ(pieces, whole) << "round " << round << " of seed 1";
  }
}

class ListenerTest : public testing::Test {
 protected:
  void Listen() {
    config::SourceConfig config;
    config.name = "net";
    config.udp = config.tcp = "127.0.0.1:0";
    config.unix_path = folder_ / "log.sock";
    Result<std::unique_ptr<SyslogSource>> source =
        SyslogSource::Open(config, formats::TimeZone::Utc(), clock_);
    ASSERT_TRUE(source.ok()) << source.status();
    source_ = *std::move(source);
  }
  static sockaddr_in At(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }
  void SendUdp(std::string_view bytes) {
    int fd = ::socket(AF_INET, SOCK_DGRAM, 0);
    sockaddr_in to = At(source_->udp_port());
    ::sendto(fd, bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&to), sizeof to);
    ::close(fd);
  }
  int Connect() {
    int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in to = At(source_->tcp_port());
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
    Result<evidence::Payload> payload = evidence::Payload::Parse(sealed.frame);
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

TEST_F(ListenerTest, ADatagramIsOneRecordAsReceived) {
  Listen();
  SendUdp("<13>Nov 23 10:00:00 web app: hello");
  SendUdp(std::string("<13>with\nline\0end", 17));
  EXPECT_THAT(Records(2), ElementsAre("<13>Nov 23 10:00:00 web app: hello",
                                      std::string("<13>with\nline\0end", 17)));
  EXPECT_EQ(origins_[0], "127.0.0.1");
}

TEST_F(ListenerTest, TcpMessagesComeFromSplitWritesOfSeveralConnections) {
  Listen();
  int a = Connect();
  int b = Connect();
  Send(a, "<1>fir");
  Send(b, "8 <2>c");
  EXPECT_THAT(Records(0), ElementsAre());
  Send(a, "st\n5 <");
  EXPECT_THAT(Records(1), ElementsAre("<1>first\n"));
  Send(b, "ount");
  EXPECT_THAT(Records(2), ElementsAre("<1>first\n", "<2>count"));
  Send(a, "1>ab<1>rest");
  ::close(a);
  EXPECT_THAT(Records(4), ElementsAre("<1>first\n", "<2>count", "<1>ab", "<1>rest"));
  EXPECT_EQ(flags_[3], evidence::kRecordPartial);
  ::close(b);
}

TEST_F(ListenerTest, AUnixDatagramSocketTakesWhatProgramsLog) {
  Listen();
  int fd = ::socket(AF_UNIX, SOCK_DGRAM, 0);
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::string path = folder_ / "log.sock";
  std::copy(path.begin(), path.end(), to.sun_path);
  ::sendto(fd, "<13>local", 9, 0, reinterpret_cast<sockaddr*>(&to), sizeof to);
  ::close(fd);
  EXPECT_THAT(Records(1), ElementsAre("<13>local"));
  EXPECT_EQ(origins_[0], "unix:" + path);
}

TEST_F(ListenerTest, AFloodIsTakenWholeWhileTheQueueStaysBounded) {
  Listen();
  int fd = Connect();
  std::thread sender([fd] {
    std::string line = "<1>" + std::string(1000, 'x') + "\n";
    std::string lines;
    for (int i = 0; i < 100; ++i) lines += line;
    for (int i = 0; i < 200; ++i) Send(fd, lines);
    ::close(fd);
  });
  std::uint64_t most = 0;
  for (int i = 0; i < 20; ++i) {
    source_->Watch();
    most = std::max(most, source_->state().lag_bytes);
  }
  EXPECT_LE(most, kMaxQueuedBytes + 1'000'000);
  EXPECT_EQ(Records(20'000).size(), 20'000u);
  sender.join();
}

TEST_F(ListenerTest, ConnectionsBeyondTheLimitAreRefusedAndSaid) {
  Listen();
  std::vector<int> open;
  for (std::size_t i = 0; i < kMaxSyslogConnections + 3; ++i) {
    open.push_back(Connect());
    source_->Watch();
  }
  OwnRecords records;
  auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (records.empty() && std::chrono::steady_clock::now() < until) {
    source_->Watch();
    records = source_->TakeOwnRecords();
  }
  ASSERT_FALSE(records.empty());
  EXPECT_THAT(records[0], testing::HasSubstr("connections refused"));
  for (int fd : open) ::close(fd);
}

TEST_F(ListenerTest, AnAddressInUseIsAnError) {
  Listen();
  config::SourceConfig config;
  config.name = "other";
  config.tcp = "127.0.0.1:" + std::to_string(source_->tcp_port());
  EXPECT_EQ(SyslogSource::Open(config, formats::TimeZone::Utc(), clock_).status().code(),
            StatusCode::kFailedPrecondition);
}

// util-linux's client, as the hosts have it.
TEST_F(ListenerTest, LoggersMessagesAreParsedByTheirFormat) {
  if (::access("/usr/bin/logger", X_OK) != 0) {
    std::printf("logger is not installed: not tried\n");
    return;
  }
  Listen();
  const std::string udp = std::to_string(source_->udp_port());
  const std::string tcp = std::to_string(source_->tcp_port());
  const std::vector<std::string> commands = {
      "logger -n 127.0.0.1 -P " + udp + " -d --rfc3164 -t app one",
      "logger -n 127.0.0.1 -P " + udp + " -d --rfc5424 -t app two",
      "logger -n 127.0.0.1 -P " + tcp + " -T --rfc5424 -t app three",
      "logger -n 127.0.0.1 -P " + tcp + " -T --rfc5424 --octet-count -t app four",
  };
  for (std::size_t i = 0; i < commands.size(); ++i) {
    ASSERT_EQ(std::system(commands[i].c_str()), 0);
    ASSERT_EQ(Records(i + 1).size(), i + 1) << commands[i];
    EXPECT_THAT(taken_[i], testing::StartsWith("<13>")) << commands[i];
  }
  EXPECT_THAT(taken_[3], testing::EndsWith("four"));
  std::printf("%zu messages of logger\n", commands.size());
}

}  // namespace
}  // namespace logvault::forwarder
