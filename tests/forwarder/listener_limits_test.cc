// What a listener costs, and whom it may keep waiting: bounded, whatever senders do, and whether the vault is there or not.
#include <fcntl.h>
#include <sys/stat.h>

#include <random>
#include <thread>

#include "tests/forwarder/listener_fixture.h"

namespace logvault::forwarder {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Nobody reads the source: the spool is full, and `when_full: block`.
TEST_F(ListenerTest, ASenderToTheUnixSocketNeverWaitsForTheVault) {
  Listen();
  const int fd = ConnectUnix();
  const int messages = 20'000;
  for (int i = 0; i < messages; ++i) Send(fd, "<13>" + std::to_string(i) + std::string(1000, 'x'));
  ::close(fd);
  const nlohmann::json gap = Said("no sender waits");
  source_->Finish();
  std::size_t dropped = gap.value("records", 0u);
  const std::size_t taken = Records(kMaxQueuedBytes / 1200).size();
  while (source_->Read(batch_) == Source::Outcome::kFull) Take();
  Take();
  for (const std::string& own : source_->TakeOwnRecords())
    dropped += nlohmann::json::parse(own).value("records", 0u);
  EXPECT_GT(taken, 3000u);
  EXPECT_EQ(taken_.size() + dropped, static_cast<std::size_t>(messages)) << "counted exactly";
  EXPECT_EQ(gap["exact"], true);
}

TEST_F(ListenerTest, ASenderOverTcpWaitsNoLongerThanTheBound) {
  SyslogListenerOptions options;
  options.tcp = "127.0.0.1:0";
  options.sender_wait_nanos = kNanosPerSecond / 5;
  Listen(options);
  const int fd = Connect();
  const std::string lines = [] {
    std::string text;
    for (int i = 0; i < 1000; ++i) text += "<1>" + std::string(1000, 'x') + "\n";
    return text;
  }();
  for (int i = 0; i < 40; ++i) Send(fd, lines);  // far more than every buffer on the way
  ::close(fd);
  const nlohmann::json gap = Said("no sender waits");
  source_->Finish();
  std::size_t dropped = gap.value("records", 0u);
  while (source_->Read(batch_) == Source::Outcome::kFull) Take();
  Take();
  for (const std::string& own : source_->TakeOwnRecords())
    dropped += nlohmann::json::parse(own).value("records", 0u);
  EXPECT_EQ(taken_.size() + dropped, 40'000u);
}

TEST_F(ListenerTest, ASenderOverTcpThatWaitedIsTakenWhole) {
  Listen();
  const int fd = Connect();
  std::thread sender([fd] {
    const std::string line = "<1>" + std::string(2000, 'x') + "\n";
    for (int i = 0; i < 10'000; ++i) Send(fd, line);
    ::close(fd);
  });
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (source_->state().lag_bytes < kMaxQueuedBytes * 3 / 4 &&
         std::chrono::steady_clock::now() < until)
    ::poll(nullptr, 0, 1);
  EXPECT_EQ(Records(10'000).size(), 10'000u);
  sender.join();
  EXPECT_THAT(source_->TakeOwnRecords(), ElementsAre());
}

TEST_F(ListenerTest, EmptyMessagesAreBoundedToo) {
  MessageQueue queue;
  for (std::size_t i = 0; i < kMaxQueuedBytes; ++i) {
    Message empty;
    empty.origin = std::make_shared<std::string>();
    queue.Push(std::move(empty));
  }
  EXPECT_GE(queue.TakeDropped().messages,
            kMaxQueuedBytes - kMaxQueuedBytes / kMessageOverheadBytes - 1);
}

TEST_F(ListenerTest, OneAddressHasAShareOfTheConnections) {
  Listen();
  std::vector<int> open;
  for (std::size_t i = 0; i < kMaxConnectionsOfOneAddress + 3; ++i) open.push_back(Connect());
  EXPECT_EQ(Said("too many are open")["address"], "127.0.0.1");
  Send(open.front(), "<1>still heard\n");
  EXPECT_THAT(Records(1), ElementsAre("<1>still heard\n"));
  for (int fd : open) ::close(fd);
}

// Unfinished messages of many senders do not add up.
TEST_F(ListenerTest, WhatManySendersLeaveUnfinishedIsBounded) {
  Listen();
  std::vector<int> open;
  const std::string half = "<1>" + std::string(kMaxSyslogPiece - 100, 'h');
  const std::size_t senders = kMaxUnfinishedBytes / kMaxSyslogPiece + 20;
  for (std::size_t i = 0; i < senders; ++i) {
    open.push_back(Connect());
    Send(open.back(), half);
    Records(0);
  }
  EXPECT_GE(Records(10).size(), 10u) << "pieces, although no message has ended";
  for (int fd : open) ::close(fd);
  std::size_t bytes = 0;
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  for (std::size_t seen = 0;
       bytes < senders * half.size() && std::chrono::steady_clock::now() < until;) {
    Records(seen + 1);
    for (; seen < taken_.size(); ++seen) bytes += taken_[seen].size();
  }
  EXPECT_EQ(bytes, senders * half.size());
}

// NULs, invalid UTF-8, CRLF, endless lines: a line's bytes are a record's bytes, whatever they are.
TEST_F(ListenerTest, AnyBytesArriveAsTheyWereSent) {
  const std::uint64_t seed = std::random_device{}();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  Listen();
  std::string sent;
  const std::string parts[] = {"\r\n", std::string(3, '\0'), "\xff\xfe", "<13>",
                               "\n",   "\xED\xA0\x80",       " ",        "x 12 <y"};
  while (sent.size() < 3'000'000) {
    sent += parts[random() % std::size(parts)];
    if (random() % 5000 == 0) sent.append(random() % (3 * kMaxSyslogPiece), 'L');
  }
  sent += "\n";
  const int fd = Connect();
  std::thread sender([&] {
    for (std::size_t at = 0; at < sent.size();) {
      const std::size_t size = std::min(sent.size() - at, std::size_t{1} + random() % 9000);
      Send(fd, std::string_view(sent).substr(at, size));
      at += size;
    }
    ::close(fd);
  });
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  std::string got;
  for (std::size_t seen = 0;
       got.size() < sent.size() && std::chrono::steady_clock::now() < until;) {
    Records(seen + 1);
    for (; seen < taken_.size(); ++seen) got += taken_[seen];
  }
  sender.join();
  EXPECT_EQ(got.size(), sent.size());
  EXPECT_TRUE(got == sent);
}

// One of UDP is never longer than 64 KiB, one of a Unix socket may be.
TEST_F(ListenerTest, ALongDatagramOfAUnixSocketIsTakenWholeOrSaidToBeCut) {
  Listen();
  const int fd = ConnectUnix();
  const int room = 1024 * 1024;
  ::setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
  const std::string whole = "<13>" + std::string(150'000, 'w');
  ASSERT_EQ(::send(fd, whole.data(), whole.size(), 0), static_cast<ssize_t>(whole.size()));
  const std::string longer = "<13>" + std::string(kMaxDatagramBytes, 'l');
  const bool sent =
      ::send(fd, longer.data(), longer.size(), 0) > 0;  // where its buffer may be that large
  ASSERT_EQ(Records(sent ? 2 : 1).size(), sent ? 2u : 1u);
  EXPECT_TRUE(taken_[0] == whole);
  EXPECT_EQ(flags_[0], 0u);
  ::close(fd);
  if (!sent) return;
  EXPECT_EQ(taken_[1], longer.substr(0, kMaxDatagramBytes));
  EXPECT_EQ(flags_[1], evidence::kRecordPartial);
  const nlohmann::json gap = Said("cut");
  EXPECT_EQ(gap["type"], "gap");
  EXPECT_EQ(gap["bytes"], 4);
  EXPECT_EQ(gap["exact"], true);
}

// Two addresses of this machine: one floods, the other is heard.
TEST_F(ListenerTest, WhoFloodsLosesByItselfAndIsNamed) {
  SyslogListenerOptions options;
  options.udp = "127.0.0.1:0";
  options.sender_rate = 1000;
  Listen(options);
  const std::size_t flood = 200;
  for (std::size_t i = 0; i < flood; ++i) SendUdpFrom("127.0.0.2", "<13>" + std::string(100, 'f'));
  for (int i = 0; i < 5; ++i) SendUdpFrom("127.0.0.3", "<13>small");
  const nlohmann::json gap = Said("sender_rate");
  EXPECT_EQ(gap["type"], "gap");
  EXPECT_EQ(gap["sender"], "127.0.0.2");
  EXPECT_EQ(gap["exact"], true);
  EXPECT_EQ(gap["bytes"], gap["records"].get<std::size_t>() * 104);
  source_->Finish();
  while (source_->Read(batch_) == Source::Outcome::kFull) Take();
  Take();
  std::size_t dropped = gap["records"];
  for (const std::string& own : source_->TakeOwnRecords()) {
    EXPECT_EQ(nlohmann::json::parse(own)["sender"], "127.0.0.2");
    dropped += nlohmann::json::parse(own)["records"].get<std::size_t>();
  }
  const auto heard = std::count(origins_.begin(), origins_.end(), "127.0.0.3");
  EXPECT_EQ(heard, 5);
  EXPECT_EQ(taken_.size() - static_cast<std::size_t>(heard) + dropped, flood) << "counted exactly";
  EXPECT_EQ(source_->state().over_rate, dropped);
  EXPECT_EQ(source_->state().dropped, dropped);
}

TEST_F(ListenerTest, WhoFloodsOverTcpIsReadSlowlyAndLosesNothing) {
  SyslogListenerOptions options;
  options.tcp = "127.0.0.1:0";
  options.sender_rate = 4 * 1024 * 1024;
  Listen(options);
  const std::size_t messages = 5000;  // twice the burst
  const int fd = Connect();
  std::thread sender([fd] {
    for (std::size_t i = 0; i < messages; ++i) Send(fd, "<1>" + std::string(1000, 'x') + "\n");
    ::close(fd);
  });
  EXPECT_EQ(Records(messages).size(), messages);
  sender.join();
  EXPECT_THAT(source_->TakeOwnRecords(), ElementsAre());
  EXPECT_EQ(source_->state().dropped, 0u);
}

TEST_F(ListenerTest, TheUnixSocketIsForEverybodyAndGoesWithTheListener) {
  Listen();
  struct stat facts {};
  ASSERT_EQ(::stat((folder_ / "log.sock").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0666u);
  source_->Finish();
  EXPECT_NE(::access((folder_ / "log.sock").c_str(), F_OK), 0);
}

TEST_F(ListenerTest, AStaleUnixSocketIsReplacedAndALiveOneIsNot) {
  Listen();
  SyslogListenerOptions options;
  options.unix_path = folder_ / "log.sock";
  EXPECT_THAT(
      SyslogSource::Open("other", options, formats::TimeZone::Utc(), clock_).status().message(),
      HasSubstr("another process listens"));
  // A process that was killed leaves its path behind.
  options.unix_path = folder_ / "stale.sock";
  Result<BoundSocket> killed = BindPath(options.unix_path);
  ASSERT_TRUE(killed.ok());
  ::close(killed->fd);
  Listen(options);
  source_.reset();
  WriteFile(folder_ / "file", "keep me");
  options.unix_path = folder_ / "file";
  EXPECT_THAT(
      SyslogSource::Open("other", options, formats::TimeZone::Utc(), clock_).status().message(),
      HasSubstr("no socket"));
  EXPECT_EQ(::access((folder_ / "file").c_str(), F_OK), 0);
}

TEST_F(ListenerTest, WhatArrivedBeforeTheStopIsTaken) {
  Listen();
  const int fd = Connect();
  for (int i = 0; i < 200; ++i) SendUdp("<1>udp");
  for (int i = 0; i < 200; ++i) Send(fd, "<1>tcp\n");
  Send(fd, "<1>unfinished");
  source_->Finish();
  EXPECT_EQ(Records(401).size(), 401u);
  EXPECT_EQ(taken_.back(), "<1>unfinished");
  EXPECT_EQ(flags_.back(), evidence::kRecordPartial);
  ::close(fd);
}

// What the kernel dropped is known although nothing comes after it.
TEST(KernelDropsTest, AreCountedWhenTheBufferWasFull) {
  Result<BoundSocket> bound = BindAddress("127.0.0.1:0", SOCK_DGRAM);
  ASSERT_TRUE(bound.ok());
  const int small = 1;
  ::setsockopt(bound->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  const int fd = ::socket(AF_INET, SOCK_DGRAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(bound->port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const std::string datagram(900, 'd');
  for (int i = 0; i < 100; ++i)
    ::sendto(fd, datagram.data(), datagram.size(), 0, reinterpret_cast<sockaddr*>(&to), sizeof to);
  std::uint32_t taken = 0;
  std::string buffer(1000, '\0');
  while (::recv(bound->fd, buffer.data(), buffer.size(), 0) > 0) ++taken;
  EXPECT_GT(KernelDrops(bound->fd), 0u);
  EXPECT_EQ(taken + KernelDrops(bound->fd), 100u);
  ::close(fd);
  ::close(bound->fd);
}

}  // namespace
}  // namespace logvault::forwarder
