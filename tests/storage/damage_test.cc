// Flipped bits in the vault's files: the file is named and every block that it cost, or no evidence was touched.
#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <set>

#include "storage/tables.h"
#include "storage/verify.h"
#include "tests/storage/faulty_disk.h"
#include "tests/storage/vault_fixture.h"
#include "tests/support/seeds.h"

namespace logvault::storage {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class DamageTest : public VaultTest {
 protected:
  DamageTest() { options_.env = env_.get(); }
  ~DamageTest() override { vault_.reset(); }

  // A vault of `flushed` batches in tables and `logged` ones in the write-ahead log only; closed by a kill.
  void Create(int flushed, int logged) {
    CreateVaultWithStream();
    for (int i = 0; i < flushed; ++i) Append({RandomBatch()});
    Reopen();
    for (int i = 0; i < logged; ++i) Append({RandomBatch()});
    head_ = vault_->head();
    disk_->DieAfter(0);
    vault_.reset();
    disk_->Revive();
  }
  Entry RandomBatch() {
    return host_.Records("access", {evidence::RandomBytes(3000), evidence::RandomBytes(900)});
  }
  std::vector<fs::path> FilesWith(std::string_view part) const {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(options_.dir)) {
      const std::string name = entry.path().filename().string();
      if (name.find(part) != std::string::npos && entry.file_size() > 0) {
        files.push_back(entry.path());
      }
    }
    std::sort(files.begin(), files.end());
    return files;
  }
  static void FlipBit(const fs::path& path, std::uint64_t bit) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(bit / 8));
    const char byte = static_cast<char>(file.get() ^ (1 << bit % 8));
    file.seekp(static_cast<std::streamoff>(bit / 8));
    file.put(byte);
  }
  // Where `bytes` stand in the file.
  static std::uint64_t Find(const fs::path& path, const std::string& bytes) {
    std::ifstream in(path, std::ios::binary);
    const std::string all{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    return all.find(bytes);
  }
  VerifyReport Verify() {
    VerifyOptions options;
    options.dir = options_.dir;
    options.anchor = options_.anchor;
    options.key = evidence::VerifierKey::For(genesis_.origin, key_.public_key());
    options.certificate_check = testing::CheckTestCertificate;
    Result<VerifyReport> report = VerifyVault(options);
    EXPECT_TRUE(report.ok()) << report.status();
    return report.ok() ? *std::move(report) : VerifyReport{};
  }
  // Every block, payload and checkpoint, as they are read back.
  std::string Evidence() const {
    TablesOptions options;
    options.dir = options_.dir;
    options.mode = TablesMode::kReadOnly;
    Result<std::shared_ptr<Tables>> tables = Tables::Open(options);
    if (!tables.ok()) return tables.status().ToString();
    std::vector<rocksdb::ColumnFamilyHandle*> families = (*tables)->PayloadFamilies();
    families.push_back((*tables)->block());
    families.push_back((*tables)->checkpoint());
    std::string all;
    for (rocksdb::ColumnFamilyHandle* family : families) {
      const std::unique_ptr<rocksdb::Iterator> rows = (*tables)->Scan(family);
      for (rows->SeekToFirst(); rows->Valid(); rows->Next()) {
        all.append(rows->key().ToString()).append(rows->value().ToString());
      }
      all.append(rows->status().ToString());
    }
    return all;
  }
  static std::vector<std::uint64_t> Blocks(const VerifyReport& report) {
    std::vector<std::uint64_t> blocks;
    for (const evidence::Finding& finding : report.findings) blocks.push_back(finding.block);
    return blocks;
  }

  const std::shared_ptr<FaultyDisk> disk_ = std::make_shared<FaultyDisk>();
  const std::unique_ptr<rocksdb::Env> env_ = rocksdb::NewCompositeEnv(disk_);
  Head head_;
};

TEST_F(DamageTest, AnUnharmedKilledVaultHasNoFindings) {
  Create(30, 30);
  const VerifyReport report = Verify();
  EXPECT_THAT(report.findings, IsEmpty());
  EXPECT_EQ(report.blocks, head_.size);
}

TEST_F(DamageTest, AFlippedBitInAPayloadNamesTheTableAndThatBlockAlone) {
  Create(60, 0);
  Reopen();
  const std::string frame = *vault_->reader().Payload(40, BlockAt(40).commit_time);
  vault_.reset();
  std::string named;
  for (const fs::path& path : FilesWith(".sst")) {
    const std::uint64_t at = Find(path, frame);
    if (at == std::string::npos) continue;
    FlipBit(path, at * 8 + 100);
    named = path.filename().string();
  }
  ASSERT_FALSE(named.empty());
  const VerifyReport report = Verify();
  EXPECT_THAT(report.damaged_files, ElementsAre(named));
  ASSERT_THAT(Blocks(report), ElementsAre(40u)) << "its neighbours in the table are what they were";
  EXPECT_EQ(report.findings[0].host, "geo01");
  EXPECT_EQ(report.findings[0].source, "access");
  EXPECT_EQ(report.findings[0].last_seq, 2 * (40u - 2));
  EXPECT_THAT(report.findings[0].reason, HasSubstr("hash is not the one"));
}

// RocksDB 7.8.3's iterator passes over a table in silence when its first block is damaged and it is
// not the first of its level.
TEST_F(DamageTest, APayloadInADamagedTableIsNotCalledMissing) {
  CreateVaultWithStream();
  for (int table = 0; table < 8; ++table) {
    for (int i = 0; i < 10; ++i) Append({RandomBatch()});
    Reopen();
  }
  std::vector<std::string> frames;
  for (std::uint64_t block = 10; block < vault_->head().size; block += 10) {
    frames.push_back(*vault_->reader().Payload(block, BlockAt(block).commit_time));
  }
  vault_.reset();  // an open vault may still move and drop tables
  std::set<fs::path> tables;
  for (const fs::path& path : FilesWith(".sst")) {
    for (const std::string& frame : frames) {
      if (Find(path, frame) != std::string::npos) tables.insert(path);
    }
  }
  ASSERT_GT(tables.size(), 2u);
  for (const fs::path& table : tables) {
    FlipBit(table, 300 * 8);
    const VerifyReport report = Verify();
    EXPECT_THAT(report.damaged_files, ElementsAre(table.filename().string()));
    EXPECT_LE(report.findings.size(), 1u) << table;
    for (const evidence::Finding& finding : report.findings) {
      EXPECT_THAT(finding.reason, Not(HasSubstr("missing"))) << table;
    }
    FlipBit(table, 300 * 8);
  }
}

TEST_F(DamageTest, AFlippedBitInTheLogNamesItAndEveryBlockUpToTheAnchor) {
  Create(10, 20);
  const fs::path log = FilesWith(".log").back();
  FlipBit(log, fs::file_size(log) * 8 / 2);
  const VerifyReport report = Verify();
  EXPECT_THAT(report.damaged_files, Contains(log.filename().string()));
  ASSERT_LT(report.blocks, head_.size);
  ASSERT_GT(report.blocks, 12u) << "the log's good part is read";
  const std::vector<std::uint64_t> blocks = Blocks(report);
  for (std::uint64_t index = report.blocks; index < head_.size; ++index) {
    EXPECT_THAT(blocks, Contains(index));
  }
  EXPECT_THAT(blocks, Not(Contains(report.blocks - 1)));
  // The collector refuses the folder for the same reason.
  EXPECT_EQ(TryOpen().code(), StatusCode::kIntegrity);
}

TEST_F(DamageTest, ALogThatIsGoneCostsTheBlocksUpToTheAnchor) {
  Create(10, 5);
  for (const fs::path& log : FilesWith(".log")) fs::remove(log);
  const std::vector<std::uint64_t> blocks = Blocks(Verify());
  for (std::uint64_t index = head_.size - 5; index < head_.size; ++index) {
    EXPECT_THAT(blocks, Contains(index));
  }
}

TEST_F(DamageTest, ATableThatIsGoneIsNamed) {
  Create(30, 0);
  const fs::path table = FilesWith(".sst").back();
  fs::remove(table);
  const VerifyReport report = Verify();
  EXPECT_THAT(report.damaged_files, Contains(table.filename().string()));
  EXPECT_THAT(report.findings, Not(IsEmpty()));
}

TEST_F(DamageTest, ADamagedManifestIsNamedAndEveryBlockIsOutOfReach) {
  Create(10, 0);
  const fs::path manifest = FilesWith("MANIFEST").back();
  FlipBit(manifest, 8 * 20);
  const VerifyReport report = Verify();
  EXPECT_THAT(report.damaged_files, Contains(manifest.filename().string()));
  EXPECT_GE(report.findings.size(), head_.size);
}

TEST_F(DamageTest, EveryFlippedBitIsAFindingOrTouchedNoEvidence) {
  Create(40, 20);
  const std::string evidence_before = Evidence();
  std::vector<fs::path> files;
  for (const char* part : {".sst", ".log", "MANIFEST", "CURRENT"}) {
    for (const fs::path& path : FilesWith(part)) files.push_back(path);
  }
  files.emplace_back(options_.anchor);
  const fs::path kept = folder_.path() / "kept";
  int found = 0;
  const int seeds = testing::SeedCount(60);
  for (int seed = 1; seed <= seeds; ++seed) {
    std::mt19937_64 random(static_cast<std::uint64_t>(seed));
    const fs::path& path = files[random() % files.size()];
    fs::copy_file(path, kept, fs::copy_options::overwrite_existing);
    const std::uint64_t bit = random() % (fs::file_size(path) * 8);
    FlipBit(path, bit);
    if (!Verify().findings.empty()) {
      ++found;
    } else {
      EXPECT_EQ(Evidence(), evidence_before)
          << "seed " << seed << ": bit " << bit << " of " << path.filename();
    }
    fs::copy_file(kept, path, fs::copy_options::overwrite_existing);
  }
  EXPECT_THAT(Verify().findings, IsEmpty()) << "each file was put back";
  std::cout << "seeds 1 to " << seeds << ": " << found
            << " found, the others touched no evidence\n";
}

}  // namespace
}  // namespace logvault::storage
