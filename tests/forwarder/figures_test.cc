// What the forwarder tells about itself while it runs: figures, and text over its local socket.
#include "forwarder/figures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "forwarder/state_socket.h"
#include "tests/forwarder/test_host.h"

namespace logvault::forwarder {
namespace {

using ::testing::HasSubstr;

constexpr UnixNanos kYear = 365LL * 24 * 3600 * kNanosPerSecond;

TEST(FiguresTest, LagIsCountedFromTheMomentWhenSomethingIsNotInTheVault) {
  TestHost host;
  host.Write("app.log", "one\n");
  ASSERT_TRUE(host.Start().ok());
  FigureKeeper keeper(host.intake(), host.spool(), host.shipper(), host.clock);
  host.Settle();
  EXPECT_EQ(keeper.Now(kYear).sources.at(0).lag_seconds, 0);
  EXPECT_EQ(keeper.Now(kYear).sources.at(0).bytes, 4u);
  EXPECT_TRUE(keeper.Now(kYear).connected);
  host.vault.fail_appends = host.vault.fail_opens = 1'000'000;
  host.Append("app.log", "two\n");
  host.Run(100);
  EXPECT_GE(keeper.Now(kYear).sources.at(0).lag_seconds, 10);
  EXPECT_THAT(keeper.Describe(kYear), HasSubstr("running, no session: "));
  host.vault.fail_appends = host.vault.fail_opens = 0;
  host.Run(600);
  EXPECT_EQ(keeper.Now(kYear).sources.at(0).lag_seconds, 0);
  EXPECT_GT(keeper.Now(kYear).bytes_shipped, 0u);
  EXPECT_THAT(keeper.Describe(kYear), HasSubstr("running, session open with vault:1\n"));
  EXPECT_THAT(keeper.Describe(kYear),
              HasSubstr("source app: ok, 0 bytes not read, behind for 0 s"));
}

TEST(StateSocketTest, WhoeverAsksIsAnsweredAndNobodyIsWaitedFor) {
  TestFolder folder;
  EXPECT_EQ(AskState(folder / "").status().code(), StatusCode::kUnavailable);
  {
    Result<std::unique_ptr<StateSocket>> socket = StateSocket::Open(folder / "");
    ASSERT_TRUE(socket.ok()) << socket.status();
    (*socket)->Answer("nobody waits");
    Result<std::string> answer = Unavailable("");
    std::thread asking([&] { answer = AskState(folder / ""); });
    pollfd waiting{(*socket)->fd(), POLLIN, 0};
    ASSERT_EQ(::poll(&waiting, 1, 60'000), 1);
    (*socket)->Answer("all is well\n");
    asking.join();
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_EQ(*answer, "all is well\n");
  }
  EXPECT_EQ(AskState(folder / "").status().code(), StatusCode::kUnavailable);
  EXPECT_TRUE(StateSocket::Open(folder / "").ok());
}

}  // namespace
}  // namespace logvault::forwarder
