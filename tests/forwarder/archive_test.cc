// Rotated files that were compressed: what nobody read of them is read, once, and in its place.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <utility>

#include "forwarder/rotated_name.h"
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

std::string ReadWhole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// By the real tool, which keeps the file's time.
void Compress(const TestHost& host, const std::string& name, const std::string& suffix) {
  const std::map<std::string, std::string> kTools = {
      {".gz", "gzip"}, {".xz", "xz"}, {".zst", "zstd -q --rm"}, {".bz2", "bzip2"}};
  std::string command = kTools.at(suffix) + " '" + host.Path(name) + "'";
  ASSERT_EQ(std::system(command.c_str()), 0) << command;
}

class ArchiveTest : public testing::TestWithParam<const char*> {};

TEST_P(ArchiveTest, WhatWasRotatedAndCompressedWhileNobodyReadIsReadFromThere) {
  TestHost host;
  host.Write("app.log", Lines(1, 10));
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  host.Crash();
  host.Append("app.log", Lines(11, 400));
  host.Rename("app.log", "app.log.1");
  Compress(host, "app.log.1", GetParam());
  host.Write("app.log", Lines(401, 420));
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  EXPECT_EQ(host.Raw(), Lines(1, 420));
  EXPECT_THAT(host.Own(), Not(HasSubstr("\"gap\"")));
}

// copytruncate with compress: the copy was made before the last lines that were read.
TEST_P(ArchiveTest, ACompressedCopyThatEndsBeforeWhatWasReadIsNotSentAgain) {
  TestHost host;
  host.Write("app.log", Lines(1, 1000));
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  host.Write("app.log.1", Lines(1, 995));
  Compress(host, "app.log.1", GetParam());
  host.Write("app.log", Lines(1001, 1003));
  host.Settle();
  EXPECT_EQ(host.Raw(), Lines(1, 1003));
  const std::string suffix = GetParam();
  host.Rename("app.log.1" + suffix, "app.log.2" + suffix);
  host.Settle();
  host.Crash();
  ASSERT_TRUE(host.Start().ok());
  host.Append("app.log", Lines(1004, 1004));
  host.Settle();
  EXPECT_EQ(host.Raw(), Lines(1, 1004));
}

TEST_P(ArchiveTest, SeveralRotationsWhileNobodyReadAreReadInTheirOrder) {
  TestHost host;
  host.Write("app.log", Lines(1, 10));
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  host.Crash();
  host.Append("app.log", Lines(11, 20));
  for (int rotation = 1; rotation <= 4; ++rotation) {
    std::string suffix = GetParam();
    for (int rank = rotation - 1; rank >= 2; --rank) {
      host.Rename("app.log." + std::to_string(rank) + suffix,
                  "app.log." + std::to_string(rank + 1) + suffix);
    }
    if (rotation > 1) {
      host.Rename("app.log.1", "app.log.2");  // delaycompress
      Compress(host, "app.log.2", suffix);
    }
    host.Rename("app.log", "app.log.1");
    host.Write("app.log", Lines(rotation * 20 + 1, rotation * 20 + 20));
  }
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  EXPECT_EQ(host.Raw(), Lines(1, 100));
  EXPECT_THAT(host.Own(), Not(HasSubstr("\"gap\"")));
  host.Crash();
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  EXPECT_EQ(host.Raw(), Lines(1, 100));
}

TEST_P(ArchiveTest, AFileIsNotReadAgainWhenItIsCompressedWithinTheGlob) {
  TestHost host("app.log*");
  host.Write("app.log", Lines(1, 30));
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  host.Rename("app.log", "app.log.1");
  host.Write("app.log", Lines(31, 40));
  host.Settle();
  Compress(host, "app.log.1", GetParam());
  host.Run(100);
  host.Crash();
  ASSERT_TRUE(host.Start().ok());
  host.Run(100);
  EXPECT_EQ(host.Raw(), Lines(1, 40));
}

// logrotate gives a compressed file the time that the plain one had before the rotation, although it was written to until its
// writer was told to open it anew.
TEST_P(ArchiveTest, ACompressedFileMaySeemOlderThanWhatWasReadOfIt) {
  TestHost host;
  host.Write("app.log", Lines(1, 10));
  const auto before = std::filesystem::last_write_time(host.Path("app.log"));
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  host.Append("app.log", Lines(11, 20));
  std::filesystem::last_write_time(host.Path("app.log"), before + std::chrono::seconds(90));
  host.Settle();
  host.Crash();
  host.Append("app.log", Lines(21, 30));
  host.Rename("app.log", "app.log-20260101");
  Compress(host, "app.log-20260101", GetParam());
  std::filesystem::last_write_time(host.Path("app.log-20260101") + GetParam(),
                                   before + std::chrono::seconds(30));
  host.Write("app.log", Lines(31, 40));
  std::filesystem::last_write_time(host.Path("app.log"), before + std::chrono::seconds(91));
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  EXPECT_EQ(host.Raw(), Lines(1, 40));
  EXPECT_THAT(host.Own(), Not(HasSubstr("\"gap\"")));
}

// What was rotated before the file that was read came to be is not that file, however it begins.
TEST_P(ArchiveTest, AnOlderFileThatBeginsAlikeIsNotTakenForAGoneOne) {
  TestHost host;
  host.Write("app.log-20260101", Lines(1, 40));
  Compress(host, "app.log-20260101", GetParam());
  const std::string old = host.Path("app.log-20260101") + GetParam();
  std::filesystem::last_write_time(old,
                                   std::filesystem::last_write_time(old) - std::chrono::hours(24));
  host.Write("app.log", Lines(1, 20));
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  host.Crash();
  host.Remove("app.log");
  host.Write("app.log", Lines(101, 120));
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  EXPECT_EQ(host.Raw(), Lines(1, 20) + Lines(101, 120));
  EXPECT_THAT(host.Own(), HasSubstr("\"gap\""));
}

INSTANTIATE_TEST_SUITE_P(All, ArchiveTest, testing::Values(".gz", ".xz", ".zst", ".bz2"));

TEST(ArchiveTest, AGlobReadsWhatIsCompressedAndNotItsPlainFormAgain) {
  TestHost host("app.log*");
  host.Write("app.log.2", Lines(1, 30));
  Compress(host, "app.log.2", ".gz");
  host.Write("app.log.1", Lines(31, 60));
  ASSERT_EQ(std::system(("gzip -k '" + host.Path("app.log.1") + "'").c_str()), 0);
  host.Write("app.log", Lines(61, 70));
  const auto now = std::filesystem::file_time_type::clock::now();
  for (const auto& [name, hours] : {std::pair("app.log.2.gz", 3), std::pair("app.log.1", 2),
                                    std::pair("app.log.1.gz", 2), std::pair("app.log", 1)}) {
    std::filesystem::last_write_time(host.Path(name), now - std::chrono::hours(hours));
  }
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  host.Remove("app.log.1");
  host.Run(100);
  EXPECT_EQ(host.Raw(), Lines(1, 70));
  EXPECT_THAT(host.vault.streams["app"].records[0].origin, testing::EndsWith("app.log.2.gz"));
}

TEST(ArchiveTest, OldArchivesAreNotReadWithANamedFile) {
  TestHost host;
  host.Write("app.log.1", Lines(1, 30));
  Compress(host, "app.log.1", ".gz");
  host.Write("app.log", Lines(31, 40));
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  host.Crash();
  host.Rename("app.log.1.gz", "app.log.2.gz");
  host.Append("app.log", Lines(41, 42));
  host.Rename("app.log", "app.log.1");
  host.Write("app.log", Lines(43, 44));
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  EXPECT_EQ(host.Raw(), Lines(31, 44));
}

TEST(ArchiveTest, AFileOfAGlobThatCameAndWasCompressedWhileNobodyReadIsRead) {
  TestHost host("access.*.txt");
  host.Write("access.2026-01-01.txt", Lines(1, 30));
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  host.Crash();
  host.Append("access.2026-01-01.txt", Lines(31, 35));
  Compress(host, "access.2026-01-01.txt", ".gz");
  host.Write("access.2026-01-02.txt", Lines(36, 60));
  Compress(host, "access.2026-01-02.txt", ".xz");
  host.Write("access.2026-01-03.txt", Lines(61, 70));
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  EXPECT_EQ(host.Raw(), Lines(1, 70));
}

TEST(ArchiveTest, ADamagedArchiveIsReadUpToTheDamageAndLeavesAGap) {
  TestHost host;
  host.Write("app.log", Lines(1, 10));
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  host.Crash();
  host.Append("app.log", Lines(11, 20'000));
  host.Rename("app.log", "app.log.1");
  Compress(host, "app.log.1", ".gz");
  std::filesystem::resize_file(host.Path("app.log.1.gz"),
                               std::filesystem::file_size(host.Path("app.log.1.gz")) / 2);
  host.Write("app.log", "new\n");
  ASSERT_TRUE(host.Start().ok());
  host.Run(150);
  EXPECT_THAT(host.Raw(), testing::StartsWith(Lines(1, 1000)));
  EXPECT_THAT(host.Raw(), HasSubstr("new\n"));
  EXPECT_THAT(host.Own(), HasSubstr("\"gap\""));
  EXPECT_THAT(host.Own(), HasSubstr("cut short"));
  const std::string told = host.Own();
  const std::size_t records = host.vault.streams["app"].records.size();
  host.Crash();
  ASSERT_TRUE(host.Start().ok());
  host.Run(150);
  EXPECT_EQ(host.vault.streams["app"].records.size(), records);
  EXPECT_THAT(host.Own().substr(told.size()), Not(HasSubstr("\"gap\""))) << "told twice";
}

TEST(ArchiveTest, AnArchiveInTheMakingIsReadOnceItIsWhole) {
  TestHost host("*.gz");
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  TestFolder elsewhere;
  WriteFile(elsewhere / "a", Lines(1, 20'000));
  ASSERT_EQ(std::system(("gzip '" + (elsewhere / "a") + "'").c_str()), 0);
  std::string whole = ReadWhole(elsewhere / "a.gz");
  host.Write("a.gz", whole.substr(0, whole.size() / 3));
  host.Run(20);
  host.Append("a.gz", whole.substr(whole.size() / 3, whole.size() / 3));
  host.Run(20);
  host.Append("a.gz", whole.substr(whole.size() / 3 * 2));
  host.Run(100);
  EXPECT_EQ(host.Raw(), Lines(1, 20'000));
  EXPECT_THAT(host.Own(), Not(HasSubstr("\"gap\"")));
}

class DecompressorTest : public testing::Test {
 protected:
  Result<std::string> Expand(const std::string& bytes, Compression compression,
                             std::uint64_t max_bytes = kMaxExpandedBytes) {
    WriteFile(folder_ / "file", bytes);
    int fd = ::open((folder_ / "file").c_str(), O_RDONLY | O_CLOEXEC);
    Result<std::unique_ptr<Decompressor>> opened = Decompressor::Open(compression, fd, max_bytes);
    LV_CHECK(opened.ok());
    std::string all;
    Status status;
    while (true) {
      std::string block(1000, '\0');
      Result<std::size_t> got = (*opened)->Read(block);
      if (!got.ok()) status = got.status();
      if (!got.ok() || *got == 0) break;
      all.append(block, 0, *got);
    }
    ::close(fd);
    if (!status.ok()) return status;
    return all;
  }
  std::string Tool(const std::string& tool, const std::string& bytes) {
    WriteFile(folder_ / "in", bytes);
    std::string command = tool + " < '" + (folder_ / "in") + "' > '" + (folder_ / "out") + "'";
    LV_CHECK(std::system(command.c_str()) == 0);
    return ReadWhole(folder_ / "out");
  }

  TestFolder folder_;
};

TEST_F(DecompressorTest, MembersOneAfterTheOtherAndPaddingAreOneText) {
  for (auto [tool, compression] :
       {std::pair("gzip", Compression::kGzip), std::pair("xz", Compression::kXz),
        std::pair("zstd -q", Compression::kZstd), std::pair("bzip2", Compression::kBzip2)}) {
    std::string file = Tool(tool, "one\n") + Tool(tool, Lines(1, 5000)) + std::string(512, '\0');
    Result<std::string> text = Expand(file, compression);
    ASSERT_TRUE(text.ok()) << tool << ": " << text.status().ToString();
    EXPECT_EQ(*text, "one\n" + Lines(1, 5000)) << tool;
  }
}

TEST_F(DecompressorTest, EveryCutOfAnArchiveIsDamage) {
  for (auto [tool, compression] :
       {std::pair("gzip", Compression::kGzip), std::pair("xz", Compression::kXz),
        std::pair("zstd -q", Compression::kZstd), std::pair("bzip2", Compression::kBzip2)}) {
    std::string file = Tool(tool, Lines(1, 10));
    for (std::size_t size = 0; size < file.size(); ++size) {
      Result<std::string> text = Expand(file.substr(0, size), compression);
      EXPECT_EQ(text.status().code(), StatusCode::kCorruption) << tool << " of " << size;
    }
  }
}

TEST_F(DecompressorTest, ABombEndsAtTheLimit) {
  std::string bomb = Tool("gzip", std::string(4 * 1024 * 1024, '\0'));
  EXPECT_EQ(Expand(bomb, Compression::kGzip, 1024 * 1024).status().code(),
            StatusCode::kResourceExhausted);
}

TEST_F(DecompressorTest, AWindowOverTheMemoryLimitIsRefused) {
  std::string wide = Tool("zstd -q --long=30 --single-thread", Lines(1, 100));
  // Without a size in the header the decoder would have to take the whole window.
  EXPECT_FALSE(Expand(wide, Compression::kZstd).ok());
}

TEST(RotatedNameTest, NamesThatRotationMakes) {
  struct Case {
    const char* live;
    const char* name;
    bool rotated;
  };
  const Case kCases[] = {
      {"syslog", "syslog.1", true},
      {"syslog", "syslog.2.gz", true},
      {"syslog", "syslog-20260131", true},
      {"syslog", "syslog-20260131-1769817600.zst", true},
      {"syslog", "syslog-ng.log", false},
      {"syslog", "syslog", false},
      {"syslog", "syslog.conf", false},
      {"app.log", "app-20260131.log.xz", true},
      {"app.log", "app.log.2026-01-31_13", true},
      {"app.log", "app.log.old", true},
      {"app.log", "app.log.swp", false},
      {"app.log", "app2.log", false},
      {"geoserver.log", "geoserver-1.log", true},
      {"ERRORLOG", "ERRORLOG.1", true},
      {"errorlog", "errorlog.128", true},
      {"audit.log", "audit.log.4", true},
      {"access.2026-01-01.txt", "access.2026-01-01.txt.gz", true},
      {"access.2026-01-01.txt", "access.2026-01-02.txt.gz", false},
      {"a", "a.gz", true},
      {"", ".gz", false},
  };
  for (const Case& c : kCases)
    EXPECT_EQ(ParseRotatedName(c.live, c.name).has_value(), c.rotated) << c.live << " " << c.name;
  EXPECT_EQ(ParseRotatedName("errorlog", "errorlog.128")->rank, 128u);
  EXPECT_EQ(ParseRotatedName("syslog", "syslog-20260131")->rank, std::nullopt);
}

}  // namespace
}  // namespace logvault::forwarder
