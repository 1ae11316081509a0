// Files are rotated, truncated and replaced while they are read, and while nobody reads: what can be kept is kept.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/forwarder/test_host.h"

namespace logvault::forwarder {
namespace {

std::string Lines(int first, int last) {
  std::string text;
  for (int i = first; i <= last; ++i)
    text += "line " + std::to_string(i) + " with some words in it\n";
  return text;
}

void CopyTruncate(TestHost& host, const std::string& from, const std::string& to) {
  std::filesystem::copy_file(host.Path(from), host.Path(to),
                             std::filesystem::copy_options::overwrite_existing);
  std::filesystem::resize_file(host.Path(from), 0);
}

TEST(RotationTest, ARenamedFileIsReadToItsEndAndTheNewOneAfterIt) {
  TestHost host;
  host.Write("app.log", Lines(1, 10));
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  host.Append("app.log", Lines(11, 12));
  host.Rename("app.log", "app.log.1");
  host.Append("app.log.1", Lines(13, 13));  // a stale writer
  host.Write("app.log", Lines(14, 20));
  host.Settle();
  EXPECT_EQ(host.Raw(), Lines(1, 20));
}

TEST(RotationTest, ARenameWhileNobodyReadsIsFollowed) {
  TestHost host;
  host.Write("app.log", Lines(1, 10));
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  host.Crash();
  host.Append("app.log", Lines(11, 15));
  host.Rename("app.log", "app.log.1");
  host.Write("app.log", Lines(16, 20));
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  EXPECT_EQ(host.Raw(), Lines(1, 20));
}

TEST(RotationTest, CopyTruncateOfUnreadBytesIsReadFromTheCopy) {
  TestHost host;
  host.Write("app.log", Lines(1, 20));
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  host.Append("app.log", Lines(21, 25));
  CopyTruncate(host, "app.log", "app.log.1");
  host.Append("app.log", Lines(26, 30));
  host.Settle();
  EXPECT_THAT(host.Raw(), testing::HasSubstr(Lines(1, 20)));
  EXPECT_EQ(host.vault.streams["app"].records.size(), 30u);
}

TEST(RotationTest, CopyTruncateWhileNobodyReadsIsReadFromTheCopy) {
  TestHost host;
  host.Write("app.log", Lines(1, 20));
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  host.Crash();
  host.Append("app.log", Lines(21, 25));
  CopyTruncate(host, "app.log", "app.log.1");
  host.Append("app.log", Lines(26, 30));
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  EXPECT_EQ(host.vault.streams["app"].records.size(), 30u);
  EXPECT_THAT(host.Raw(), testing::HasSubstr(Lines(26, 30)));
  EXPECT_THAT(host.Raw(), testing::HasSubstr(Lines(21, 25)));
}

// logrotate copies, then truncates; what is written and read between stands in no copy.
TEST(RotationTest, ACopyThatEndsBeforeWhatWasReadIsNotSentAgain) {
  for (const int lines : {30, 1000}) {  // less than what a position hashes, and more
    TestHost host;
    host.Write("app.log", Lines(1, lines));
    ASSERT_TRUE(host.Start().ok());
    host.Append("app.log", Lines(lines + 1, lines + 5));
    host.Settle();
    ASSERT_EQ(host.Raw(), Lines(1, lines + 5));
    host.Write(
        "app.log.1",
        Lines(1, lines));  // as it was before the last lines: no scan sees it before the truncation
    host.Write("app.log", Lines(lines + 6, lines + 8));  // truncates it where it lies
    host.Settle();
    EXPECT_EQ(host.Raw(), Lines(1, lines + 8)) << lines;
    // Nor once it goes by another name, and not after a restart.
    host.Rename("app.log.1", "app.log.2");
    host.Settle();
    host.Crash();
    ASSERT_TRUE(host.Start().ok());
    host.Append("app.log", Lines(lines + 9, lines + 9));
    host.Settle();
    EXPECT_EQ(host.Raw(), Lines(1, lines + 9)) << lines;
  }
}

TEST(RotationTest, ACopyThatEndsBeforeWhatWasReadIsNotSentAgainByWhoWasDown) {
  TestHost host;
  host.Write("app.log", Lines(1, 1000));
  ASSERT_TRUE(host.Start().ok());
  host.Append("app.log", Lines(1001, 1005));
  host.Settle();
  host.Crash();
  host.Write("app.log.1", Lines(1, 1000));
  host.Write("app.log", Lines(1006, 1008));
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  EXPECT_EQ(host.Raw(), Lines(1, 1008));
}

TEST(RotationTest, AnotherFileThatIsShorterThanWhatWasReadIsRead) {
  TestHost host;
  host.Write("app.log", Lines(1, 1000));
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  host.Write("app.log.1", Lines(2001, 2500));  // begins otherwise
  host.Write("app.log", Lines(3001, 3003));
  host.Settle();
  EXPECT_EQ(host.Raw(), Lines(1, 1000) + Lines(2001, 2500) + Lines(3001, 3003));
}

TEST(RotationTest, ACopyInsideTheGlobIsNotSentAgain) {
  TestHost host("app*");
  host.Write("app.log", Lines(1, 20));
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  std::filesystem::copy_file(host.Path("app.log"), host.Path("app.log.1"));
  host.Run(3);
  std::filesystem::resize_file(host.Path("app.log"), 0);
  host.Append("app.log", Lines(21, 22));
  host.Run(100);
  EXPECT_EQ(host.Raw(), Lines(1, 22));
}

TEST(RotationTest, ATruncatedFileStartsOver) {
  TestHost host;
  host.Write("app.log", Lines(1, 5));
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  host.Write("app.log", Lines(6, 7));
  host.Settle();
  EXPECT_EQ(host.Raw(), Lines(1, 7));
  EXPECT_THAT(host.Own(), testing::HasSubstr("\"rotated\""));
}

TEST(RotationTest, AnOverwrittenFileOfTheSameSizeStartsOver) {
  TestHost host;
  host.Write("app.log", Lines(1, 5));
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  host.Write("app.log", Lines(5, 9));
  host.Settle();
  EXPECT_EQ(host.Raw(), Lines(1, 5) + Lines(5, 9));
}

TEST(RotationTest, WhatWasReadOfATruncatedLineIsKeptAsPartial) {
  TestHost host;
  host.Write("app.log", Lines(1, 3) + "cut off he");
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  host.Write("app.log", "new\n");
  host.Settle();
  EXPECT_EQ(host.Raw(), Lines(1, 3) + "cut off he" + "new\n");
}

TEST(RotationTest, BytesThatWereSeenAndTruncatedUnreadBecomeAGap) {
  TestHost host;
  host.Write("app.log", Lines(1, 3));
  host.spool_options.max_bytes = 1;
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  host.vault.fail_opens = 1'000'000;
  host.vault.fail_appends = 1'000'000;
  // One batch enters the spool, the next waits for room; what the file still holds is seen, but not read.
  const std::string line = std::string(4 * 1024 * 1024, 'x').append("\n");
  for (int i = 0; i < 6; ++i) host.Append("app.log", line);
  host.Run(30);
  host.Write("app.log", "");
  host.Run(5);
  host.vault.fail_opens = host.vault.fail_appends = 0;
  host.Run(600);
  EXPECT_THAT(host.Own(), testing::HasSubstr("\"gap\""));
  EXPECT_THAT(host.Own(), testing::HasSubstr("\"bytes\":"));
}

TEST(RotationTest, DeletedAndRecreatedWithTheSameBytesIsSentAgain) {
  TestHost host;
  host.Write("app.log", "same\n");
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  host.Remove("app.log");
  host.Write("app.log", "same\n");
  host.Run(120);
  EXPECT_EQ(host.Raw(), "same\nsame\n");
}

TEST(RotationTest, GlobsAreReadOldestFirstAndNewFilesArePickedUp) {
  TestHost host("*.txt");
  host.Write("b.txt", "older\n");
  host.Write("a.txt", "newer\n");
  auto now = std::filesystem::last_write_time(host.Path("a.txt"));
  std::filesystem::last_write_time(host.Path("b.txt"), now - std::chrono::hours(1));
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  EXPECT_EQ(host.Raw(), "older\nnewer\n");
  host.Write("c.txt", "newest\n");
  host.Run(20);
  EXPECT_EQ(host.Raw(), "older\nnewer\nnewest\n");
  EXPECT_THAT(host.vault.streams["app"].records[2].origin, testing::EndsWith("c.txt"));
}

TEST(RotationTest, ThousandsOfFilesAreReadWithFewOpen) {
  TestHost host("*.txt");
  std::string expected;
  for (int i = 0; i < 2000; ++i) host.Write(std::to_string(i) + ".txt", std::to_string(i) + "\n");
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  EXPECT_EQ(host.vault.streams["app"].records.size(), 2000u);
  std::size_t open = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
    open += entry.exists() ? 1 : 1;
  EXPECT_LT(open, 250u);
  host.Append("1234.txt", "more\n");
  host.Settle();
  EXPECT_EQ(host.vault.streams["app"].records.size(), 2001u);
}

TEST(RotationTest, EqualFilesAreBothRead) {
  TestHost host("*.txt");
  host.Write("a.txt", Lines(1, 30));
  host.Write("b.txt", Lines(1, 30));
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  EXPECT_EQ(host.Raw(), Lines(1, 30) + Lines(1, 30));
}

TEST(RotationTest, FromTheEndLeavesOutWhatWasThereAtTheFirstStartOnly) {
  TestHost host;
  host.from_end = true;
  host.Write("app.log", Lines(1, 10));
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  host.Append("app.log", Lines(11, 12));
  host.Settle();
  host.Crash();
  host.Append("app.log", Lines(13, 14));
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  EXPECT_EQ(host.Raw(), Lines(11, 14));
}

TEST(RotationTest, AMissingFileIsTroubleUntilItAppears) {
  TestHost host;
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  EXPECT_EQ(host.source().state().state, "missing");
  host.Write("app.log", "here\n");
  host.Settle();
  EXPECT_EQ(host.source().state().state, "ok");
  EXPECT_EQ(host.Raw(), "here\n");
  EXPECT_THAT(host.Own(), testing::HasSubstr("No such file"));
}

// Random operations against the simplest model: everything ever written, in order.
class ModelTest : public testing::TestWithParam<const char*> {};

class Model {
 public:
  Model(const char* pattern, std::uint32_t seed) : random_(seed), host_(pattern) {
    host_.Write("app-0.log", "");
    EXPECT_TRUE(host_.Start().ok());
  }

  void Act() {
    unsigned action = static_cast<unsigned>(random_() % 12);
    story_ += std::to_string(action) + "@" + std::to_string(line_) + " ";
    switch (action) {
      case 0:
      case 1:
      case 2:
        return Say(1 + static_cast<int>(random_() % 40));
      case 3:
        return SayPart();
      case 4:
      case 5:
        return host_.Run(1 + static_cast<int>(random_() % 30));
      case 6:
        return Rename();
      case 7:
        return CopyAndTruncate();
      case 8:
        return Recreate();
      case 9:
        return Restart();
      case 10:
        host_.vault.lose_receipts = static_cast<int>(random_() % 3);
        return;
      case 11:
        host_.vault.fail_appends = static_cast<int>(random_() % 3);
        return;
    }
  }

  void Check() {
    EndLine();
    host_.Run(400);
    EXPECT_EQ(host_.Raw(), written_) << "actions@lines: " << story_;
    EXPECT_EQ(host_.vault.conflicts, 0u);
    EXPECT_THAT(host_.vault.complaints, testing::IsEmpty());
    EXPECT_EQ(host_.vault.streams["app"].gaps, 0u);
    EXPECT_EQ(host_.spool().figures().pending_items, 0u);
  }

 private:
  void Put(const std::string& text) {
    host_.Append(kName, text);
    written_ += text;
  }
  void Say(int lines) {
    EndLine();
    for (int i = 0; i < lines; ++i)
      Put("line " + std::to_string(++line_) + " " + std::to_string(random_()) + "\n");
  }
  void SayPart() {
    Put("part " + std::to_string(++line_) + " of");
    open_line_ = true;
  }
  void EndLine() {
    if (open_line_) Put(" a line\n");
    open_line_ = false;
  }
  // Everything was read: what happens to the old bytes now costs nothing.
  void CatchUp() {
    EndLine();
    host_.Run(60);
  }
  void Rename() {
    EndLine();
    host_.Run(8);  // one rotation a look; the file was seen
    host_.Rename(kName, "old-" + std::to_string(++files_));
    host_.Write(kName, "");
    if (random_() % 3 == 0) Restart();
    host_.Run(8);
  }
  void CopyAndTruncate() {
    Say(20);  // at least kMinContentMatch: shorter copies are not known by their content
    CatchUp();
    std::filesystem::copy_file(host_.Path(kName),
                               host_.Path("app-copy" + std::to_string(++files_) + ".log"));
    if (random_() % 2 == 0) {
      host_.Run(4);
      story_ += "(between) ";
    }
    std::filesystem::resize_file(host_.Path(kName), 0);
    if (random_() % 3 == 0) Restart();
    host_.Run(70);
  }
  void Recreate() {
    CatchUp();
    host_.Remove(kName);
    if (random_() % 2 == 0) host_.Run(10);
    host_.Write(kName, "");
    if (random_() % 3 == 0) Restart();
    Say(1);
    host_.Run(60);
  }
  void Restart() {
    story_ += "(restart) ";
    host_.Crash();
    EXPECT_TRUE(host_.Start().ok());
  }

  static constexpr const char* kName = "app-0.log";
  std::mt19937 random_;
  TestHost host_;
  std::string written_;
  std::string story_;
  int line_ = 0;
  int files_ = 0;
  bool open_line_ = false;
};

TEST_P(ModelTest, EveryByteArrivesOnceAndInOrder) {
  for (std::uint32_t seed = 1; seed <= 8; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Model model(GetParam(), seed);
    for (int i = 0; i < 40; ++i) model.Act();
    model.Check();
    if (HasFailure()) break;
  }
}

INSTANTIATE_TEST_SUITE_P(All, ModelTest, testing::Values("app-0.log", "app-*.log"));

}  // namespace
}  // namespace logvault::forwarder
