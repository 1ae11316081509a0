// What a commit costs the disk, by RocksDB's own counters: payloads are written twice and never by a compaction.
#include <rocksdb/db.h>
#include <rocksdb/statistics.h>

#include <iostream>

#include "storage/tables.h"
#include "tests/storage/vault_fixture.h"

namespace logvault::storage {
namespace {

using WriteCostTest = VaultTest;

TEST_F(WriteCostTest, PayloadsAreMovedAndNeverRewritten) {
  options_.statistics = rocksdb::CreateDBStatistics();
  CreateVaultWithStream();
  constexpr std::size_t kFrame = 256 * 1024;
  constexpr int kFrames = 480;  // 120 MiB: several tables, so that level 0 overflows
  std::uint64_t handed_in = 0;
  for (int i = 0; i < kFrames; i += 4) {
    std::vector<Entry> group;
    for (int j = 0; j < 4; ++j) {
      group.push_back(host_.Records("access", {evidence::RandomBytes(kFrame)}));
      handed_in += group.back().body.size() + group.back().payload.size();
    }
    Append(group);
  }
  vault_.reset();
  const auto count = [this](rocksdb::Tickers ticker) {
    return options_.statistics->getTickerCount(ticker);
  };
  const std::uint64_t log = count(rocksdb::WAL_FILE_BYTES);
  const std::uint64_t flush = count(rocksdb::FLUSH_WRITE_BYTES);
  const std::uint64_t compaction = count(rocksdb::COMPACT_WRITE_BYTES);
  const double amplification =
      static_cast<double>(log + flush + compaction) / static_cast<double>(handed_in);
  std::cout << "handed in " << handed_in << ", log " << log << ", flushed " << flush
            << ", compacted " << compaction << ": write amplification " << amplification << "\n";
  EXPECT_LT(amplification, 2.1);
  EXPECT_LT(compaction, handed_in / 100) << "only rows of the small families";

  TablesOptions tables_options;
  tables_options.dir = options_.dir;
  tables_options.mode = TablesMode::kReadOnly;
  Result<std::shared_ptr<Tables>> tables = Tables::Open(tables_options);
  ASSERT_TRUE(tables.ok()) << tables.status();
  rocksdb::ColumnFamilyMetaData files;
  (*tables)->db().GetColumnFamilyMetaData((*tables)->PayloadFamilies().at(0), &files);
  ASSERT_EQ(files.levels.size(), 2u);
  EXPECT_GE(files.levels[1].files.size(), 4u) << "tables were moved to level 1";
  EXPECT_LT(files.levels[0].files.size(), 8u);
}

TEST_F(WriteCostTest, TheIndexIsMovedAndNeverRewritten) {
  options_.statistics = rocksdb::CreateDBStatistics();
  CreateVaultWithStream();
  constexpr std::uint64_t kSegments = 40, kBlocks = 16;
  constexpr std::size_t kChunk = 8 * 1024, kChunks = 64;
  for (std::uint64_t i = 0; i < kSegments; ++i) {
    std::vector<std::string> chunks;
    for (std::size_t j = 0; j < kChunks; ++j) chunks.push_back(evidence::RandomBytes(kChunk));
    IndexedSegment segment{i * kBlocks, (i + 1) * kBlocks, 0, kChunks, 0};
    ASSERT_TRUE(vault_->WriteIndex(segment, "directory", chunks).ok());
    segment.index_block = i + 1;
    ASSERT_TRUE(vault_->WriteIndexBlock(segment).ok());
  }
  vault_.reset();
  const std::uint64_t compaction =
      options_.statistics->getTickerCount(rocksdb::COMPACT_WRITE_BYTES);
  EXPECT_LT(compaction, kSegments * kChunks * kChunk / 100) << "only rows of the small families";
}

}  // namespace
}  // namespace logvault::storage
