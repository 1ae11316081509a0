// Single cases of files that change under the reader: who writes late, what cannot be opened, what wakes the reader.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include <iostream>

#include "tests/forwarder/test_host.h"

namespace logvault::forwarder {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string Lines(int first, int last) {
  std::string text;
  for (int i = first; i <= last; ++i)
    text += "line " + std::to_string(i) + " with some words in it\n";
  return text;
}

bool Rings(TestHost& host) {
  pollfd waiting{host.source().poll_fd(), POLLIN, 0};
  return waiting.fd >= 0 && ::poll(&waiting, 1, 0) == 1;
}

// The file system's checks as for a user without rights.  REQUIRES: root.
class WithoutRights {
 public:
  WithoutRights() { ::setfsuid(65534); }
  ~WithoutRights() { ::setfsuid(0); }
};

TEST(FilesTest, AWriterThatNeverOpensItsLogAnewIsStillRead) {
  TestHost host;
  host.Write("app.log", Lines(1, 10));
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  host.Rename("app.log", "app.log.1");
  host.Write("app.log", Lines(11, 12));
  host.Run(200);
  host.Append("app.log.1", Lines(13, 14));
  host.Run(200);
  host.Append("app.log.1", Lines(15, 16));
  host.Run(200);
  EXPECT_EQ(host.Raw(), Lines(1, 16));
  EXPECT_THAT(host.Own(), Not(HasSubstr("\"gap\"")));
}

TEST(FilesTest, AHoleThatNobodyWroteIsLeftOutAndTold) {
  TestHost host;
  int writer = ::open(host.Path("app.log").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  const std::string before = Lines(1, 2000);
  ASSERT_EQ(::write(writer, before.data(), before.size()), static_cast<ssize_t>(before.size()));
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  std::filesystem::resize_file(host.Path("app.log"), 0);
  host.Settle();
  const std::string after = Lines(2001, 2002);
  ASSERT_EQ(::write(writer, after.data(), after.size()), static_cast<ssize_t>(after.size()));
  host.Settle();
  EXPECT_EQ(host.Raw(), before + after);
  EXPECT_THAT(host.Own(), HasSubstr(std::to_string(before.size()) + " bytes left out"));
  host.Crash();
  ASSERT_TRUE(host.Start().ok());
  ASSERT_EQ(::write(writer, "end\n", 4), 4);
  host.Settle();
  EXPECT_EQ(host.Raw(), before + after + "end\n");
  ::close(writer);
}

TEST(FilesTest, ASymbolicLinkThatMovesOnWhileNobodyReads) {
  TestHost host("current.log");
  std::filesystem::create_directory(host.Path("there"));
  auto point = [&](const std::string& target) {
    std::filesystem::remove(host.Path("current.log"));
    std::filesystem::create_symlink(host.Path(target), host.Path("current.log"));
  };
  host.Write("there/app-1.log", Lines(1, 10));
  point("there/app-1.log");
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  host.Crash();
  host.Append("there/app-1.log", Lines(11, 12));
  host.Write("there/app-2.log", Lines(13, 15));
  host.Write("there/app-3.log", Lines(16, 17));
  point("there/app-3.log");
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  EXPECT_EQ(host.Raw(), Lines(1, 17));
  EXPECT_THAT(host.Own(), Not(HasSubstr("\"gap\"")));
}

class RightsTest : public testing::TestWithParam<bool> {};

TEST_P(RightsTest, WhatMayNotBeReadForAWhileGoesOnWhereItWas) {
  if (::geteuid() != 0) {
    std::cout << "skipped: only root can give up its rights for a while\n";
    return;
  }
  const bool folder_too = GetParam();
  TestHost host("logs/*.log");
  std::filesystem::create_directory(host.Path("logs"));
  host.Write("logs/app.log", Lines(1, 10));
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  host.Crash();
  ASSERT_TRUE(host.Start().ok());
  ::chmod(host.Path("").c_str(), 0755);
  ::chmod(host.Path("logs").c_str(), folder_too ? 0 : 0755);
  ::chmod(host.Path("logs/app.log").c_str(), 0);
  for (int i = 0; i < 3; ++i) {
    WithoutRights now;
    OpenBatch batch;
    host.Tick(10 * kNanosPerSecond);
    host.source().Read(batch);
    EXPECT_TRUE(batch.empty());
    EXPECT_EQ(host.source().state().state, "unreadable");
  }
  ::chmod(host.Path("logs").c_str(), 0755);
  ::chmod(host.Path("logs/app.log").c_str(), 0600);
  host.Append("logs/app.log", Lines(11, 12));
  host.Settle();
  EXPECT_EQ(host.source().state().state, "ok");
  EXPECT_EQ(host.Raw(), Lines(1, 12));
  EXPECT_THAT(host.Own(), Not(HasSubstr("\"gap\"")));
}

INSTANTIATE_TEST_SUITE_P(All, RightsTest, testing::Bool());

// The path leads to a folder in memory after it led to one in /tmp, or the disk has another number after a start of the host.
TEST(FilesTest, AFileThatIsOnAnotherDiskNowGoesOnWhereItWas) {
  std::string memory = "/dev/shm/logvault-forwarder-XXXXXX";
  ASSERT_NE(::mkdtemp(memory.data()), nullptr) << "shm_open(3) needs /dev/shm, and so does this";
  for (const std::string pattern : {"disk/app.log", "disk/*.log"}) {
    TestHost host(pattern);
    std::filesystem::create_directory(host.Path("first"));
    std::filesystem::create_directory_symlink(host.Path("first"), host.Path("disk"));
    host.Write("disk/app.log", "short\n");
    ASSERT_TRUE(host.Start().ok());
    host.Settle();
    host.Crash();
    std::filesystem::copy_file(host.Path("first/app.log"), memory + "/app.log",
                               std::filesystem::copy_options::overwrite_existing);
    host.Remove("disk");
    std::filesystem::create_directory_symlink(memory, host.Path("disk"));
    host.Append("disk/app.log", Lines(1, 20));
    ASSERT_TRUE(host.Start().ok());
    host.Settle();
    EXPECT_EQ(host.Raw(), "short\n" + Lines(1, 20));
    EXPECT_THAT(host.Own(), Not(HasSubstr("\"gap\"")));
    // Another file under the same path is not that one.
    host.Crash();
    host.Remove("disk");
    std::filesystem::create_directory_symlink(host.Path("first"), host.Path("disk"));
    host.Write("disk/app.log", Lines(101, 110));
    ASSERT_TRUE(host.Start().ok());
    host.Settle();
    EXPECT_EQ(host.Raw(), "short\n" + Lines(1, 20) + Lines(101, 110));
  }
  std::filesystem::remove_all(memory);
}

TEST(FilesTest, JsonFilesOfAFolderAppearAndVanish) {
  TestHost host("*.json", formats::Format::kJson);
  std::string expected;
  ASSERT_TRUE(host.Start().ok());
  for (int i = 1; i <= 30; ++i) {
    std::string line =
        R"({"event":)" + std::to_string(i) + R"(,"statement":"EXEC xp_cmdshell"})" + "\n";
    host.Write("audit_" + std::to_string(i) + ".json", line + line);
    expected += line + line;
    host.Run(20);
    if (i > 5) host.Remove("audit_" + std::to_string(i - 5) + ".json");
  }
  host.Run(200);
  EXPECT_EQ(host.Raw(), expected);
  EXPECT_THAT(host.Own(), Not(HasSubstr("\"gap\"")));
}

TEST(FilesTest, ManyFilesThatVanishWhileNobodyReadsAreOneSummary) {
  TestHost host("*.json", formats::Format::kJson);
  for (int i = 0; i < 100; ++i) host.Write(std::to_string(i) + ".json", "{}\n");
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  host.Crash();
  for (int i = 0; i < 100; ++i) host.Remove(std::to_string(i) + ".json");
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  const std::string own = host.Own();
  std::size_t gaps = 0;
  for (std::size_t at = own.find("\"gap\""); at != std::string::npos;
       at = own.find("\"gap\"", at + 1))
    ++gaps;
  EXPECT_EQ(gaps, kMaxLossesTold + 1);
  EXPECT_THAT(own, HasSubstr("80 more files"));
}

TEST(FilesTest, AQuietFileWakesTheReaderOnlyWhenItIsWritten) {
  TestHost host;
  host.Write("app.log", Lines(1, 10));
  ASSERT_TRUE(host.Start().ok());
  host.Run(200);
  EXPECT_FALSE(Rings(host));
  host.Write("another.log", Lines(1, 10));
  host.Run(2);
  host.Append("app.log", Lines(11, 11));
  EXPECT_TRUE(Rings(host));
  host.Run(1);
  EXPECT_THAT(host.Raw(), testing::EndsWith(Lines(11, 11)));
  host.Rename("app.log", "app.log.1");
  EXPECT_TRUE(Rings(host));
  host.Run(1);
  EXPECT_FALSE(Rings(host));
}

TEST(FilesTest, AFolderThatAppearsLaterIsWatched) {
  TestHost host("later/*.log");
  ASSERT_TRUE(host.Start().ok());
  host.Run(200);
  std::filesystem::create_directory(host.Path("later"));
  host.Write("later/app.log", Lines(1, 2));
  host.Run(20);
  EXPECT_EQ(host.Raw(), Lines(1, 2));
  host.Run(200);
  host.Append("later/app.log", Lines(3, 3));
  EXPECT_TRUE(Rings(host));
}

}  // namespace
}  // namespace logvault::forwarder
