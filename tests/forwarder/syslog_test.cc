// Syslog over the network: each message is one record, as it was sent, from whom it came.
#include <sys/wait.h>

#include <random>
#include <thread>

#include "tests/forwarder/listener_fixture.h"

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
  int fd = ConnectUnix();
  Send(fd, "<13>local");
  ::close(fd);
  EXPECT_THAT(Records(1), ElementsAre("<13>local"));
  EXPECT_EQ(origins_[0], "unix:" + (folder_ / "log.sock"));
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

TEST_F(ListenerTest, AnAddressInUseIsAnError) {
  Listen();
  SyslogListenerOptions options;
  options.tcp = "127.0.0.1:" + std::to_string(tcp_port());
  EXPECT_EQ(SyslogSource::Open("other", options, formats::TimeZone::Utc(), clock_).status().code(),
            StatusCode::kFailedPrecondition);
}

// util-linux's client, as the hosts have it.
TEST_F(ListenerTest, LoggersMessagesAreParsedByTheirFormat) {
  if (::access("/usr/bin/logger", X_OK) != 0) {
    std::printf("logger is not installed: not tried\n");
    return;
  }
  Listen();
  const std::string udp = std::to_string(udp_port());
  const std::string tcp = std::to_string(tcp_port());
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
