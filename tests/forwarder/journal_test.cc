// The journal, against journal files that systemd-journal-remote builds and what `journalctl -o export` makes of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "formats/journal_entry.h"
#include "forwarder/journal_source.h"
#include "tests/forwarder/test_host.h"

namespace logvault::forwarder {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kBuilder = "/lib/systemd/systemd-journal-remote";
constexpr std::uint64_t kMicros = 1'720'703'655'000'000;
constexpr std::size_t kHeaderState = 16;
constexpr char kArchived = 2;
constexpr std::size_t kHeaderEntries = 152;

std::string Entry(std::uint64_t number, std::string_view message, std::string_view more = "") {
  std::string entry;
  formats::AppendJournalField("__REALTIME_TIMESTAMP", std::to_string(kMicros + number * 1'000'000),
                              entry);
  formats::AppendJournalField("__MONOTONIC_TIMESTAMP", std::to_string(number * 1'000'000), entry);
  formats::AppendJournalField("_BOOT_ID", "0123456789abcdef0123456789abcdef", entry);
  formats::AppendJournalField("MESSAGE", message, entry);
  return entry + std::string(more) + "\n";
}

std::string Numbered(std::uint64_t from, std::uint64_t count, const std::string& what = "entry ") {
  std::string entries;
  for (std::uint64_t i = from; i < from + count; ++i) entries += Entry(i, what + std::to_string(i));
  return entries;
}

class JournalTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(::access(kBuilder, X_OK), 0)
        << kBuilder << ": deploy/install-deps --tests installs it";
    std::filesystem::create_directory(folder_ / "j");
    Start();
  }

  // ---- journal files ----
  std::string Path(const std::string& name) { return folder_ / ("j/" + name); }
  // Appends to the file, which is made where there is none.
  void Build(const std::string& name, const std::string& entries) {
    WriteFile(folder_ / "export", entries);
    const std::string command = std::string(kBuilder) + " -o " + Path(name) + " " +
                                (folder_ / "export") + " 2>" + (folder_ / "builder.log");
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
  }
  void Patch(const std::string& name, std::size_t at, std::string_view bytes) {
    std::fstream file(Path(name), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(at));
    file << bytes;
  }
  void Archive(const std::string& name) {
    Patch(name, kHeaderState, std::string_view(&kArchived, 1));
  }
  std::string Bytes(const std::string& name) {
    std::ifstream file(Path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::string Journalctl() {
    const std::string out = folder_ / "oracle";
    const std::string command = "journalctl -q -D " + (folder_ / "j") + " -o export >" + out;
    EXPECT_EQ(std::system(command.c_str()), 0);
    std::ifstream file(out, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  // ---- the source ----
  void Start(bool from_end = false) {
    JournalSourceOptions options{
        .name = "journal", .directory = folder_ / "j", .from_end = from_end};
    source_ = std::make_unique<JournalSource>(options, clock_);
    std::vector<evidence::PositionEntry> position;
    for (const auto& [key, value] : position_) position.push_back({key, value});
    source_->Resume(position, !position_.empty());
  }
  // One batch; what it holds counts as sealed with the position after it.
  Source::Outcome ReadBatch() {
    OpenBatch batch;
    const Source::Outcome outcome = source_->Read(batch);
    for (const std::string& own : source_->TakeOwnRecords())
      own_.push_back(nlohmann::json::parse(own));
    if (batch.empty()) return outcome;
    const evidence::PayloadBuilder::Sealed sealed =
        batch.builder().Finish(1, std::string(evidence::kBatchKeySize, 'k'), {});
    Result<evidence::Payload> payload = evidence::Payload::Parse(sealed.frame, {});
    EXPECT_TRUE(payload.ok()) << payload.status();
    for (std::uint32_t i = 0; i < payload->record_count(); ++i) {
      const evidence::RecordView record = payload->record(i);
      raw_ += record.bytes;
      flags_.push_back(record.flags);
      times_.push_back(record.event_time);
      if (auto message = formats::FindJournalField(record.bytes, "MESSAGE"); message.has_value())
        messages_.emplace_back(
            message->substr(message->size() - std::min<std::size_t>(message->size(), 40)));
    }
    for (const evidence::PositionEntry& entry : source_->TakePosition()) {
      position_[entry.key] = entry.value;
      if (entry.value.empty()) position_.erase(entry.key);
    }
    return outcome;
  }
  void ReadAll() {
    for (int looks = 0; looks < 25; ++looks) {
      while (ReadBatch() == Source::Outcome::kFull) {
      }
      clock_.Advance(kJournalLookNanos);
    }
  }
  std::vector<nlohmann::json> Gaps() {
    std::vector<nlohmann::json> gaps;
    for (const nlohmann::json& own : own_) {
      if (own["type"] == "gap") gaps.push_back(own);
    }
    return gaps;
  }

  TestFolder folder_;
  FakeClock clock_{1'764'000'000 * kNanosPerSecond};
  std::unique_ptr<JournalSource> source_;
  std::map<std::string, std::string> position_;
  std::string raw_;
  std::vector<std::string> messages_;
  std::vector<std::uint32_t> flags_;
  std::vector<UnixNanos> times_;
  std::vector<nlohmann::json> own_;
};

std::string RandomValue(std::mt19937_64& random) {
  static const std::array<std::string, 9> kParts = {
      "word ", "\n",           "\t",     std::string(1, '\0'), "\xC3\xA4", "\xED\xA0\x80",
      "=",     "\xEF\xBF\xBE", "\x1b[1m"};
  std::string value;
  const bool plain = random() % 2 == 0;
  for (std::size_t i = random() % 12; i > 0; --i)
    value += plain ? kParts[0] : kParts[random() % kParts.size()];
  if (random() % 50 == 0) value.append(random() % 30'000, 'x');
  if (random() % 9 == 0) value.push_back(static_cast<char>(random()));
  return value;
}

TEST_F(JournalTest, ARecordIsByteForByteWhatJournalctlExports) {
  const std::uint64_t seed = std::random_device{}();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  std::array<std::string, 3> files;
  for (std::uint64_t i = 0; i < 1500; ++i) {
    std::string more;
    for (std::size_t field = random() % 6; field > 0; --field)
      formats::AppendJournalField("F" + std::to_string(random() % 4), RandomValue(random), more);
    files[random() % 3] += Entry(i, RandomValue(random), more);
  }
  Build("a.journal", files[0]);
  Build("b.journal", files[1]);
  std::filesystem::create_directory(Path("0123456789abcdef0123456789abcdef"));
  Build("0123456789abcdef0123456789abcdef/c.journal", files[2]);
  ReadAll();
  EXPECT_EQ(flags_.size(), 1500u);
  EXPECT_TRUE(raw_ == Journalctl()) << "seed " << seed;
  EXPECT_EQ(times_.at(7), static_cast<UnixNanos>(kMicros + 7'000'000) * 1000);
  EXPECT_THAT(own_, IsEmpty());
  std::printf("%zu bytes of export format\n", raw_.size());
}

TEST_F(JournalTest, WhatIsAppendedComesOnceWhereverTheReaderWasStopped) {
  for (std::uint64_t i = 0; i < 8; ++i) {
    Build("a.journal", Numbered(i * 100, 100));
    if (i % 2 == 0) ReadAll();
    Start();
  }
  ReadAll();
  EXPECT_TRUE(raw_ == Journalctl());
  EXPECT_THAT(own_, IsEmpty());
}

TEST_F(JournalTest, AReaderThatIsKilledBetweenBatchesLosesAndRepeatsNothing) {
  Build("a.journal", Numbered(0, 5000, std::string(300, 'x')));
  while (ReadBatch() == Source::Outcome::kFull) Start();
  ReadAll();
  EXPECT_TRUE(raw_ == Journalctl());
}

TEST_F(JournalTest, FromTheEndOnlyWhatComesLater) {
  Build("a.journal", Numbered(0, 10));
  Start(true);
  ReadAll();
  EXPECT_THAT(messages_, IsEmpty());
  Build("a.journal", Numbered(10, 2));
  Build("b.journal", Numbered(12, 1));
  ReadAll();
  EXPECT_THAT(messages_, ElementsAre("entry 10", "entry 11", "entry 12"));
}

TEST_F(JournalTest, ARotatedFileIsReadOnUnderItsNewName) {
  Build("system.journal", Numbered(0, 5));
  ReadAll();
  std::filesystem::rename(Path("system.journal"), Path("system@1.journal"));
  Build("system@1.journal", Numbered(5, 5));
  Archive("system@1.journal");
  Build("system.journal", Numbered(10, 5));
  ReadAll();
  EXPECT_EQ(messages_.size(), 15u);
  Start();
  ReadAll();
  EXPECT_EQ(messages_.size(), 15u);
  EXPECT_THAT(own_, IsEmpty());
}

TEST_F(JournalTest, AFileThatIsDeletedWhileItIsReadIsReadToItsEnd) {
  Build("a.journal", Numbered(0, 4000, std::string(400, 'x')));
  ASSERT_EQ(ReadBatch(), Source::Outcome::kFull);
  const std::string all = Journalctl();
  std::filesystem::remove(Path("a.journal"));
  ReadAll();
  EXPECT_TRUE(raw_ == all);
  EXPECT_THAT(own_, IsEmpty());
  Build("b.journal", Numbered(4000, 1));
  ReadAll();
  EXPECT_EQ(position_.size(), 1u) << "a file that is gone is forgotten";
}

// journalctl passes over entries that come later than younger ones of another file.
TEST_F(JournalTest, EntriesThatComeLateAreReadToo) {
  Build("a.journal", Numbered(100, 5, "a "));
  ReadAll();
  Build("b.journal", Numbered(0, 5, "b "));
  ReadAll();
  EXPECT_EQ(messages_.size(), 10u);
}

TEST_F(JournalTest, AVacuumedFileThatWasNotReadIsAGapWithItsNumberOfEntries) {
  Build("a.journal", Numbered(0, 3000, std::string(400, 'x')));
  Archive("a.journal");
  ASSERT_EQ(ReadBatch(), Source::Outcome::kFull);
  const std::size_t read = messages_.size();
  std::filesystem::remove(Path("a.journal"));
  Build("b.journal", Numbered(3000, 1));
  Start();
  ReadAll();
  ASSERT_EQ(Gaps().size(), 1u);
  EXPECT_EQ(Gaps()[0]["records"], 3000 - read);
  EXPECT_EQ(Gaps()[0]["exact"], true);
  EXPECT_EQ(messages_.back(), "entry 3000");
  Start();
  ReadAll();
  EXPECT_EQ(Gaps().size(), 1u) << "told once";
}

TEST_F(JournalTest, AVacuumedFileThatWasReadIsNoGap) {
  Build("a.journal", Numbered(0, 10));
  Archive("a.journal");
  Build("b.journal", Numbered(10, 1));
  ReadAll();
  Build("b.journal", Numbered(11, 1));
  ReadAll();
  std::filesystem::remove(Path("a.journal"));
  Start();
  ReadAll();
  EXPECT_THAT(Gaps(), IsEmpty());
}

// Nobody knows whether more came into it before it went.
TEST_F(JournalTest, ACursorThatVanishedIsAGapOfUnknownSize) {
  Build("a.journal", Numbered(0, 10));
  ReadAll();
  std::filesystem::remove(Path("a.journal"));
  Build("a.journal", Numbered(20, 3));
  Start();
  ReadAll();
  ASSERT_EQ(Gaps().size(), 1u);
  EXPECT_EQ(Gaps()[0]["exact"], false);
  EXPECT_EQ(Gaps()[0].contains("records"), false);
  EXPECT_EQ(messages_.size(), 13u);
}

TEST_F(JournalTest, AFileThatIsNoJournalIsAWarningAndTheOthersAreRead) {
  WriteFile(Path("junk.journal"), std::string(10'000, 'j'));
  Build("a.journal", Numbered(0, 3));
  for (int scans = 0; scans < 4; ++scans) ReadAll();
  EXPECT_EQ(messages_.size(), 3u);
  ASSERT_EQ(own_.size(), 1u);
  EXPECT_EQ(own_[0]["type"], "warning");
  EXPECT_EQ(source_->state().state, "unreadable");
}

TEST_F(JournalTest, ADamagedHeaderInventsNoEntries) {
  Build("a.journal", Numbered(0, 3));
  Patch("a.journal", kHeaderEntries, std::string(8, '\x7f'));
  for (int scans = 0; scans < 4; ++scans) ReadAll();
  EXPECT_THAT(Gaps(), IsEmpty());
  ASSERT_EQ(own_.size(), 1u);
  EXPECT_THAT(own_[0]["reason"].get<std::string>(), ::testing::HasSubstr("header is damaged"));
}

// journald puts a file aside so after an unclean end, and writes no more into it.
TEST_F(JournalTest, AFilePutAsideIsReadAndThenDoneWith) {
  Build("a.journal", Numbered(0, 3));
  std::filesystem::rename(Path("a.journal"), Path("a.journal~"));
  Build("b.journal", Numbered(3, 1));
  ReadAll();
  EXPECT_EQ(messages_.size(), 4u);
  Build("b.journal", Numbered(4, 1));
  ReadAll();
  std::filesystem::remove(Path("a.journal~"));
  Start();
  ReadAll();
  EXPECT_THAT(Gaps(), IsEmpty());
}

TEST_F(JournalTest, AnOlderCopyPutBackIsToldAndReadOn) {
  Build("a.journal", Numbered(0, 10));
  const std::string older = Bytes("a.journal");
  Build("a.journal", Numbered(10, 5));
  ReadAll();
  WriteFile(Path("a.journal"), older);
  ReadAll();
  EXPECT_THAT(own_.at(0)["reason"].get<std::string>(), ::testing::HasSubstr("fewer entries"));
  Build("a.journal", Numbered(20, 3));
  ReadAll();
  EXPECT_EQ(messages_.size(), 18u);
  EXPECT_THAT(Gaps(), IsEmpty());
}

// A map of a file that shrinks is a SIGBUS.
TEST_F(JournalTest, AFileThatIsTruncatedWhileItIsReadEndsNobody) {
  Build("a.journal", Numbered(0, 3000, std::string(400, 'x')));
  Build("b.journal", Numbered(3000, 5));
  ASSERT_EQ(ReadBatch(), Source::Outcome::kFull);
  const std::size_t before = messages_.size();
  std::filesystem::resize_file(Path("a.journal"), 256 * 1024);
  ReadAll();
  EXPECT_EQ(std::set<std::string>(messages_.begin(), messages_.end()).size(), messages_.size());
  std::uint64_t lost = 0;
  for (const nlohmann::json& gap : Gaps()) lost += gap.value("records", 0u);
  EXPECT_GT(lost, 0u);
  EXPECT_EQ(messages_.size() + lost, 3005u);
  EXPECT_GE(messages_.size(), before + 5);
}

TEST_F(JournalTest, AFolderThatIsNotThereIsMissingUntilItComes) {
  std::filesystem::remove_all(folder_ / "j");
  ReadAll();
  EXPECT_EQ(source_->state().state, "missing");
  std::filesystem::create_directory(folder_ / "j");
  Build("a.journal", Numbered(0, 3));
  ReadAll();
  EXPECT_EQ(source_->state().state, "ok");
  EXPECT_EQ(messages_.size(), 3u);
}

TEST_F(JournalTest, AnEntryOverTheLargestRecordComesInPiecesAcrossARestart) {
  std::string more;
  formats::AppendJournalField("LARGE", std::string(40 << 20, 'z'), more);
  Build("a.journal", Numbered(0, 1) + Entry(1, "large", more) + Numbered(2, 1));
  while (ReadBatch() == Source::Outcome::kFull) Start();
  ReadAll();
  EXPECT_TRUE(raw_ == Journalctl());
  EXPECT_THAT(flags_, ElementsAre(0, 0, evidence::kRecordContinues, evidence::kRecordContinues, 0));
}

}  // namespace
}  // namespace logvault::forwarder
