// Small files: read with a limit, replaced as a whole, private where they must be.
#include "config/small_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

namespace logvault::config {
namespace {

namespace fs = std::filesystem;

class SmallFileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "small_file_XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }
  [[nodiscard]] std::string Path(const std::string& name) const { return folder_ + "/" + name; }
  [[nodiscard]] static int Mode(const std::string& path) {
    struct stat info;
    return ::stat(path.c_str(), &info) == 0 ? static_cast<int>(info.st_mode & 07777) : -1;
  }
  [[nodiscard]] std::size_t FilesInFolder() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

  std::string folder_;
};

TEST_F(SmallFileTest, WhatIsWrittenReadsBackByteForByte) {
  const std::string bytes("a\0\xff\r\n", 5);
  ASSERT_TRUE(WriteSmallFile(Path("f"), bytes, FileMode::kPublic).ok());
  EXPECT_EQ(*ReadSmallFile(Path("f")), bytes);
}

TEST_F(SmallFileTest, ReplacingLeavesOnlyTheNewFile) {
  ASSERT_TRUE(WriteSmallFile(Path("f"), "old and long", FileMode::kPublic).ok());
  ASSERT_TRUE(WriteSmallFile(Path("f"), "new", FileMode::kPublic).ok());
  EXPECT_EQ(*ReadSmallFile(Path("f")), "new");
  EXPECT_EQ(FilesInFolder(), 1u);
}

TEST_F(SmallFileTest, PrivateIsForTheOwnerOnlyWhateverStoodThere) {
  ASSERT_TRUE(WriteSmallFile(Path("k"), "x", FileMode::kPublic).ok());
  EXPECT_EQ(Mode(Path("k")), 0644);
  ASSERT_TRUE(WriteSmallFile(Path("k"), "x", FileMode::kPrivate).ok());
  EXPECT_EQ(Mode(Path("k")), 0600);
}

TEST_F(SmallFileTest, AFailedWriteLeavesTheOldFileAndNoOther) {
  fs::create_directory(Path("d"));
  const Status status = WriteSmallFile(Path("d"), "x", FileMode::kPublic);
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(status.message(), testing::HasSubstr(Path("d")));
  EXPECT_EQ(FilesInFolder(), 1u);
  EXPECT_EQ(WriteSmallFile(Path("none/f"), "x", FileMode::kPublic).code(), StatusCode::kNotFound);
}

TEST_F(SmallFileTest, ReadingIsLimitedAndSaysWhatIsWrong) {
  ASSERT_TRUE(WriteSmallFile(Path("f"), "12345", FileMode::kPublic).ok());
  EXPECT_EQ(*ReadSmallFile(Path("f"), 5), "12345");
  EXPECT_EQ(ReadSmallFile(Path("f"), 4).status(),
            InvalidArgument(Path("f") + " is longer than 4 bytes"));
  EXPECT_EQ(ReadSmallFile(Path("g")).status(),
            NotFound("cannot read " + Path("g") + ": No such file or directory"));
  EXPECT_EQ(ReadSmallFile(folder_).status(), InvalidArgument(folder_ + " is not a regular file"));
}

TEST_F(SmallFileTest, APipeInTheFilesPlaceDoesNotBlock) {
  ASSERT_EQ(::mkfifo(Path("p").c_str(), 0600), 0);
  EXPECT_EQ(ReadSmallFile(Path("p")).status(),
            InvalidArgument(Path("p") + " is not a regular file"));
}

}  // namespace
}  // namespace logvault::config
