// A damaged spool: what still verifies goes on, the rest is told by its numbers, and the damaged file is kept.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

#include "forwarder/spool_check.h"
#include "forwarder/spool_command.h"
#include "forwarder/spool_wal.h"
#include "tests/forwarder/sealed_batch.h"
#include "tests/forwarder/test_host.h"

namespace logvault::forwarder {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::uint64_t kPage = kSpoolPageSize;

class SalvageTest : public testing::Test {
 protected:
  SalvageTest() { options_.dir = folder_ / "spool"; }

  std::unique_ptr<Spool> Open() {
    Result<std::unique_ptr<Spool>> spool = Spool::Open(options_, "host1");
    EXPECT_TRUE(spool.ok()) << spool.status();
    return *std::move(spool);
  }
  // Batches of three records each, in the file rather than in its log.
  void Fill(int batches, std::size_t bytes = 9000) {
    auto spool = Open();
    for (int i = 0; i < batches; ++i) {
      const std::uint64_t first = static_cast<std::uint64_t>(i) * 3 + 1;
      ASSERT_TRUE(spool
                      ->Append(CommitOf(SealedBatch("host1", "app", first, first + 2, bytes,
                                                    {{"file", std::to_string(first + 2)}})))
                      .ok());
    }
  }
  std::string File() const { return SpoolFile(options_.dir); }
  static std::string Read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void Overwrite(const std::string& path, std::uint64_t offset, const std::string& bytes) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(offset));
    ASSERT_TRUE(file << bytes);
  }
  void FlipBit(const std::string& path, std::uint64_t offset) {
    std::string bytes = Read(path);
    Overwrite(path, offset, std::string(1, static_cast<char>(bytes.at(offset) ^ 0x10)));
  }

  // The numbers that wait or are told as a gap; fails where one is in neither or in both.
  void ExpectEachNumberOnceOrTold(Spool& spool, std::uint64_t last) {
    std::map<std::uint64_t, int> seen;
    Result<std::vector<SpooledItem>> items = spool.Oldest(1 << 30, 10'000);
    ASSERT_TRUE(items.ok()) << items.status();
    for (const SpooledItem& item : *items) {
      EXPECT_TRUE(CheckItem(item, "host1").ok()) << item.first_seq;
      for (std::uint64_t seq = item.first_seq; seq <= item.last_seq; ++seq) ++seen[seq];
    }
    bool vague = false;
    Result<std::vector<OwedRecord>> owed = spool.Owed();
    for (const OwedRecord& record : *owed) {
      auto json = nlohmann::json::parse(record.json);
      if (json["type"] != "gap") continue;
      vague = vague || !json["exact"];
      if (!json["exact"]) continue;
      for (std::uint64_t seq = json["first_seq"]; seq <= json["last_seq"]; ++seq) ++seen[seq];
    }
    for (std::uint64_t seq = 1; seq <= last && !vague; ++seq) EXPECT_EQ(seen[seq], 1) << seq;
    for (const auto& [seq, times] : seen) EXPECT_EQ(times, 1) << seq;
  }

  TestFolder folder_;
  SpoolOptions options_;
};

TEST_F(SalvageTest, AFlippedByteInOneBatchCostsThatBatchOnly) {
  Fill(20);
  const std::string before = Read(File());
  FlipBit(File(), before.size() / 2);
  const std::string damaged = Read(File());
  EXPECT_EQ(VerifySpool(options_.dir).code, config::ExitCode::kIntegrity);
  auto spool = Open();
  ASSERT_TRUE(spool->salvaged().has_value());
  EXPECT_EQ(spool->salvaged()->items, 19u);
  EXPECT_EQ(spool->salvaged()->gaps, 1u);
  ExpectEachNumberOnceOrTold(*spool, 60);
  EXPECT_EQ((*spool->Head("app"))->next_seq, 61u);
  EXPECT_EQ(*spool->Position("app"), (std::vector<evidence::PositionEntry>{{"file", "60"}}));
  EXPECT_EQ(Read(File() + ".damaged-1"), damaged) << "the evidence is as it was found";
  EXPECT_EQ(VerifySpool(options_.dir).code, config::ExitCode::kOk);
  EXPECT_THAT(VerifySpool(options_.dir).text, HasSubstr("spool.sqlite.damaged-1"));
}

TEST_F(SalvageTest, TheFirstPageCanBeLost) {
  Fill(20);
  Overwrite(File(), 0, std::string(kPage, '\x55'));
  auto spool = Open();
  ASSERT_TRUE(spool->salvaged().has_value());
  EXPECT_EQ(spool->salvaged()->items, 20u) << spool->salvaged()->Sentence();
  ExpectEachNumberOnceOrTold(*spool, 60);
  EXPECT_EQ((*spool->Head("app"))->next_seq, 61u);
}

TEST_F(SalvageTest, NothingLeftIsAFreshStartThatIsTold) {
  Fill(20);
  Overwrite(File(), 0, std::string(Read(File()).size(), '\0'));
  auto spool = Open();
  ASSERT_TRUE(spool->salvaged().has_value());
  EXPECT_EQ(spool->figures().pending_items, 0u);
  EXPECT_FALSE((*spool->Head("app")).has_value()) << "the vault is asked";
  Result<std::vector<OwedRecord>> owed = spool->Owed();
  ASSERT_EQ(owed->size(), 2u);
  EXPECT_THAT((*owed)[0].json, HasSubstr(R"("exact":false)"));
  EXPECT_THAT((*owed)[1].json, HasSubstr("spool.sqlite.damaged-1"));
}

TEST_F(SalvageTest, AnyPageCanBeLostAndEveryNumberIsThereOrTold) {
  const std::uint64_t seed = std::random_device{}();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 25; ++round) {
    SCOPED_TRACE(round);
    options_.dir = folder_ / ("spool" + std::to_string(round));
    Fill(12, 200 + random() % 9000);
    const std::uint64_t pages = Read(File()).size() / kPage;
    const std::uint64_t page = random() % pages;
    if (random() % 2 == 0) Overwrite(File(), page * kPage, evidence::RandomBytes(kPage));
    if (random() % 2 == 0) FlipBit(File(), random() % (pages * kPage));
    auto spool = Open();
    ExpectEachNumberOnceOrTold(*spool, 36);
    EXPECT_THAT(VerifySpool(options_.dir).text, HasSubstr("no damage"));
    // And it works again.
    Result<std::optional<StreamHead>> head = spool->Head("app");
    const std::uint64_t next = head->has_value() ? (*head)->next_seq : 37;
    EXPECT_TRUE(spool->Append(CommitOf(SealedBatch("host1", "app", next, next, 10))).ok());
  }
}

// Read version, page size, reserved bytes, fractions, schema format and encoding: what SQLite makes of them is seldom "damaged".
TEST_F(SalvageTest, AFlippedBitInTheHeaderCostsNothing) {
  Fill(4);
  const std::string sound = Read(File());
  for (const std::size_t at : {0u, 16u, 17u, 18u, 19u, 20u, 21u, 22u, 23u, 44u, 47u, 56u, 59u}) {
    SCOPED_TRACE(at);
    options_.dir = folder_ / ("spool-" + std::to_string(at));
    std::filesystem::create_directories(options_.dir);
    std::ofstream(File(), std::ios::binary) << sound;
    FlipBit(File(), at);
    EXPECT_EQ(VerifySpool(options_.dir).code, config::ExitCode::kIntegrity);
    auto spool = Open();
    EXPECT_TRUE(spool->salvaged().has_value());
    EXPECT_EQ(spool->figures().pending_items, 4u);
    EXPECT_EQ((*spool->Head("app"))->next_seq, 13u);
    EXPECT_EQ(*spool->Position("app"), (std::vector<evidence::PositionEntry>{{"file", "12"}}));
  }
}

// SQLite finds nothing wrong with a file that lacks one, and the files were sent once more from their beginning.
TEST_F(SalvageTest, ATableThatIsGoneIsDamage) {
  Fill(4);
  ASSERT_TRUE(Database::Open(File())->Execute("DROP TABLE position").ok());
  EXPECT_EQ(VerifySpool(options_.dir).code, config::ExitCode::kIntegrity);
  auto spool = Open();
  EXPECT_EQ(spool->figures().pending_items, 4u);
  EXPECT_EQ(*spool->Position("app"), (std::vector<evidence::PositionEntry>{{"file", "12"}}));
}

// Most of what SQLite keeps there reads as well with a bit flipped: as another column, or another table.
TEST_F(SalvageTest, AFlippedBitInWhatTheFileSaysOfItsTablesCostsNothing) {
  Fill(4);
  const std::string sound = Read(File());
  int found = 0;
  for (const std::string_view word : {"value BLOB", "value BLOB NOT NULL, PRIMARY", "next_seq",
                                      "position", "owed", "item_by_state", "header BLOB"}) {
    SCOPED_TRACE(word);
    const std::size_t at = std::string_view(sound).substr(0, kPage).find(word);
    if (at == std::string_view::npos) continue;
    ++found;
    options_.dir = folder_ / ("spool-" + std::to_string(found));
    std::filesystem::create_directories(options_.dir);
    std::ofstream(File(), std::ios::binary) << sound;
    FlipBit(File(), at);
    auto spool = Open();
    EXPECT_TRUE(spool->salvaged().has_value());
    EXPECT_EQ(spool->figures().pending_items, 4u);
    EXPECT_EQ((*spool->Head("app"))->next_seq, 13u);
    EXPECT_EQ(*spool->Position("app"), (std::vector<evidence::PositionEntry>{{"file", "12"}}));
  }
  EXPECT_GE(found, 6);
}

// SQLite itself would drop everything from the flipped bit on, and not say so.
TEST_F(SalvageTest, AFlippedBitInTheLogIsNoticedAndCostsOneBatch) {
  std::string log;
  {
    auto spool = Open();
    for (std::uint64_t seq = 1; seq <= 10; ++seq)
      ASSERT_TRUE(spool->Append(CommitOf(SealedBatch("host1", "app", seq, seq, 9000))).ok());
    log = Read(File() + "-wal");
    EXPECT_FALSE(ReadSpoolWal(File() + "-wal")->damaged());
    // As a killed process leaves it.
    std::filesystem::copy(options_.dir, options_.dir + "2");
  }
  options_.dir += "2";
  ASSERT_EQ(Read(File() + "-wal"), log);
  FlipBit(File() + "-wal", log.size() / 2);
  EXPECT_TRUE(ReadSpoolWal(File() + "-wal")->damaged());
  auto spool = Open();
  ASSERT_TRUE(spool->salvaged().has_value());
  EXPECT_GE(spool->salvaged()->items, 9u);
  ExpectEachNumberOnceOrTold(*spool, 10);
  EXPECT_EQ(Read(File() + ".damaged-1-wal").size(), log.size());
}

TEST_F(SalvageTest, ATornEndOfTheLogIsNoDamage) {
  {
    auto spool = Open();
    for (std::uint64_t seq = 1; seq <= 10; ++seq)
      ASSERT_TRUE(spool->Append(CommitOf(SealedBatch("host1", "app", seq, seq, 9000))).ok());
    std::filesystem::copy(options_.dir, options_.dir + "2");
  }
  options_.dir += "2";
  const auto size = std::filesystem::file_size(File() + "-wal");
  std::filesystem::resize_file(File() + "-wal", size - 100);
  EXPECT_EQ(VerifySpool(options_.dir).code, config::ExitCode::kOk);
  auto spool = Open();
  EXPECT_FALSE(spool->salvaged().has_value());
  EXPECT_EQ(spool->figures().pending_items, 9u);
}

// Each state that a crash can leave behind between the steps of a salvage.
TEST_F(SalvageTest, ACrashDuringTheSalvageIsFinishedByTheNextStart) {
  Fill(5);
  Overwrite(File(), 0, std::string(kPage, '\x55'));
  const std::string damaged = Read(File());
  { Open(); }
  const std::string salvaged = Read(File());
  auto put_back = [&](const std::string& name, const std::string& bytes) {
    WriteFile(options_.dir + "/" + name, bytes);
  };
  auto clear = [&] {
    for (const char* name : {"spool.sqlite", "spool.sqlite-wal", "spool.sqlite-shm", "spool.flat",
                             "spool.salvage", "spool.salvaged", "spool.sqlite.damaged-1"})
      std::filesystem::remove(options_.dir + "/" + name);
  };
  // Before the damaged file moved, with a half-made new one.
  clear();
  put_back("spool.sqlite", damaged);
  put_back("spool.salvage", salvaged.substr(0, kPage));
  { ExpectEachNumberOnceOrTold(*Open(), 15); }
  clear();
  put_back("spool.sqlite", damaged);
  put_back("spool.salvaged", salvaged);
  { ExpectEachNumberOnceOrTold(*Open(), 15); }
  // After it moved; its log, which is not the new file's, did not.
  clear();
  put_back("spool.sqlite.damaged-1", damaged);
  put_back("spool.sqlite-wal", "another file's log");
  put_back("spool.salvaged", salvaged);
  { ExpectEachNumberOnceOrTold(*Open(), 15); }
  EXPECT_EQ(Read(File() + ".damaged-2-wal"), "another file's log");
}

TEST_F(SalvageTest, InspectAndVerifyWorkBesideTheRunningForwarder) {
  auto spool = Open();
  ASSERT_TRUE(spool->Append(CommitOf(SealedBatch("host1", "app", 1, 3, 100))).ok());
  SpoolAnswer inspected = InspectSpool(options_.dir);
  EXPECT_EQ(inspected.code, config::ExitCode::kOk);
  EXPECT_THAT(inspected.text, HasSubstr("item 1 waiting: app 1-3 epoch 7"));
  EXPECT_THAT(inspected.text, HasSubstr("1 items wait"));
  SpoolAnswer verified = VerifySpool(options_.dir);
  EXPECT_EQ(verified.code, config::ExitCode::kOk);
  EXPECT_THAT(verified.text, HasSubstr("1 items verified, no damage"));
  EXPECT_TRUE(spool->Append(CommitOf(SealedBatch("host1", "app", 4, 4, 100))).ok());
}

TEST_F(SalvageTest, NoSpoolIsAUsageError) {
  EXPECT_EQ(InspectSpool("/nowhere").code, config::ExitCode::kUsage);
  EXPECT_EQ(VerifySpool("/nowhere").code, config::ExitCode::kUsage);
}

// The whole way: what was salvaged is shipped, and the own stream says what is missing.
TEST(SalvageToVaultTest, TheRestIsShippedAndTheGapIsARecord) {
  TestHost host;
  host.Write("app.log", "first\n");
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  host.vault.fail_appends = host.vault.fail_opens = 1'000'000;
  for (int i = 0; i < 10; ++i) {
    host.Append("app.log", ToHex(evidence::RandomBytes(4000)) + "\n");
    host.Run(12);
  }
  host.Crash();
  const std::string path = host.Path("spool/spool.sqlite");
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(std::filesystem::file_size(path) / 2));
  file << std::string(8, '\x55');
  file.close();
  host.vault.fail_appends = host.vault.fail_opens = 0;
  ASSERT_TRUE(host.Start().ok());
  ASSERT_TRUE(host.spool().salvaged().has_value());
  host.Run(200);
  EXPECT_EQ(host.vault.streams["app"].last_seq, 11u);
  EXPECT_EQ(host.vault.streams["app"].records.size(), 10u);
  EXPECT_THAT(host.Own(), HasSubstr("could not be salvaged"));
  EXPECT_THAT(host.vault.complaints, IsEmpty());
}

TEST(SalvageToVaultTest, ALostRegistrationCostsNoRecord) {
  TestHost host;
  host.Write("app.log", "one\n");
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  host.Crash();
  host.vault.fail_appends = host.vault.fail_opens = 1'000'000;
  ASSERT_TRUE(host.Start().ok());
  host.Append("app.log", "two\n");
  host.Settle();
  host.Crash();
  {
    Result<Database> db = Database::Open(host.Path("spool/spool.sqlite"));
    ASSERT_TRUE(db->Execute("DELETE FROM item WHERE kind=1 AND state=0").ok());
    ASSERT_EQ(db->changes(), 1);
  }
  host.vault.fail_appends = host.vault.fail_opens = 0;
  ASSERT_TRUE(host.Start().ok());
  host.Run(200);
  EXPECT_EQ(host.Raw(), "one\ntwo\n");
  EXPECT_EQ(host.shipper().state().set_aside, 0u);
  EXPECT_THAT(host.vault.complaints, IsEmpty());
}

}  // namespace
}  // namespace logvault::forwarder
