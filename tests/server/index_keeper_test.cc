// The keeper of the index: it follows the vault, goes on after a stop, builds anew what was lost, and says a segment once.
#include "server/index_keeper.h"

#include <chrono>
#include <fstream>
#include <functional>
#include <thread>

#include "query/index_verify.h"
#include "tests/query/search_fixture.h"

namespace logvault::server {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class IndexKeeperTest : public query::SearchTest {
 protected:
  // Enough records for `segments` segments and a part of one more.
  void CommitSegments(int segments) {
    constexpr std::size_t kRecordBytes = 400 * 1024;
    constexpr int kBlocksASegment = query::kSegmentRawBytes / kRecordBytes;
    for (int i = 0; i < segments * kBlocksASegment + 3; ++i) {
      const std::string word = "word" + std::to_string(++words_) + "e\n";
      Commit("geo01", "a", {{std::string(kRecordBytes - word.size(), ' ') + word}});
    }
  }
  // Runs a keeper until `done`, and stops it.
  void KeepUntil(const std::function<bool(IndexKeeper&)>& done) {
    storage::Committer committer(*vault_);
    IndexKeeper keeper(*vault_, committer, counters_);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(120);
    do {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline);
      keeper.Tick();
      std::this_thread::yield();
    } while (!done(keeper));
  }
  void KeepUntilSegments(std::size_t segments) {
    KeepUntil([&](IndexKeeper&) { return Stored().size() == segments; });
  }
  std::vector<storage::IndexedSegment> Stored() {
    Result<std::vector<storage::IndexedSegment>> stored = vault_->reader().IndexedSegments();
    EXPECT_TRUE(stored.ok()) << stored.status();
    std::vector<storage::IndexedSegment> stated;
    for (const storage::IndexedSegment& segment : *stored) {
      if (segment.index_block != 0) stated.push_back(segment);
    }
    return stated;
  }
  int IndexBlocks() {
    int blocks = 0;
    EXPECT_TRUE(vault_->reader()
                    .ForEachBlock(0, vault_->head().size,
                                  [&](std::uint64_t, std::string_view bytes) {
                                    blocks += evidence::BlockHeader::Parse(bytes)->kind ==
                                                      evidence::BlockKind::kIndex
                                                  ? 1
                                                  : 0;
                                    return true;
                                  })
                    .ok());
    return blocks;
  }
  query::IndexReport Verified() {
    Result<query::IndexReport> report =
        query::VerifyIndex(vault_->reader(), vault_->head().size, {}, {});
    EXPECT_TRUE(report.ok()) << report.status();
    return report.ok() ? *std::move(report) : query::IndexReport{};
  }

  // As the collector does with what a search could not use.
  void RepairUnusable(const query::Found& found) {
    const std::uint64_t built = counters_.indexed_segments;
    KeepUntil([&](IndexKeeper& keeper) {
      if (counters_.indexed_segments == built) keeper.Repair(found.completeness.unusable_segments);
      return counters_.indexed_segments > built;
    });
  }
  // In the rows of the table that holds the first segment.
  void FlipBitInIndexTable() {
    constexpr std::streamoff kInRows = 100;
    Tamper([](storage::Tables& tables) {
      rocksdb::ColumnFamilyMetaData family;
      tables.db().GetColumnFamilyMetaData(tables.index(), &family);
      for (const rocksdb::LevelMetaData& level : family.levels) {
        for (const rocksdb::SstFileMetaData& table : level.files) {
          if (table.smallestkey > storage::IndexChunkKey(0, UINT32_MAX)) continue;
          std::fstream file(table.db_path + "/" + table.name,
                            std::ios::in | std::ios::out | std::ios::binary);
          file.seekg(kInRows);
          const char byte = static_cast<char>(file.peek() ^ 0x10);
          file.seekp(kInRows);
          ASSERT_TRUE(file.put(byte).flush());
        }
      }
    });
  }

  Counters counters_;
  int words_ = 0;
};

TEST_F(IndexKeeperTest, BuildsWhatIsCommittedAndGoesOnAfterAStop) {
  CommitSegments(2);
  KeepUntilSegments(2);
  EXPECT_EQ(Search("word7e").completeness.blocks_pruned_by_index, 79u);
  EXPECT_THAT(Search("word7e").records, SizeIs(1));
  CommitSegments(1);
  Reopen();
  KeepUntilSegments(3);
  EXPECT_EQ(IndexBlocks(), 3);
  EXPECT_EQ(counters_.indexed_segments, 3u) << "what was there was not built again";
  const query::IndexReport report = Verified();
  EXPECT_EQ(report.segments, 3u);
  EXPECT_THAT(report.findings, IsEmpty());
}

TEST_F(IndexKeeperTest, WhatIsLeftAfterABurstIsASegmentTooOnceItIsQuiet) {
  CommitSegments(1);
  CommitSegments(0);
  for (int i = 0; i < 3; ++i) CommitSegments(0);  // 15 blocks, 6 MB, behind the first segment
  KeepUntilSegments(2);
  EXPECT_EQ(Search("word7e").completeness.blocks_scanned, 1u);
  CommitSegments(0);  // three blocks are too few for one
  EXPECT_EQ(Search("word7e").completeness.blocks_scanned, 4u);
  EXPECT_EQ(Verified().segments, 2u);
}

TEST_F(IndexKeeperTest, BuildsAnewWhatWasDroppedAndSaysNothingTwice) {
  CommitSegments(2);
  KeepUntilSegments(2);
  const std::vector<storage::IndexedSegment> before = Stored();
  Tamper([&](storage::Tables& tables) {
    for (rocksdb::ColumnFamilyHandle* family : {tables.index(), tables.rollup()})
      ASSERT_TRUE(
          tables.db().DeleteRange({}, family, std::string(1, '\0'), std::string(1, '\xff')).ok());
  });
  ASSERT_THAT(Stored(), IsEmpty());
  EXPECT_THAT(Search("word7e").records, SizeIs(1));
  KeepUntilSegments(2);
  EXPECT_EQ(Stored(), before);
  EXPECT_EQ(IndexBlocks(), 2);
  EXPECT_EQ(Verified().segments, 2u);
}

TEST_F(IndexKeeperTest, BuildsAnewAtItsStartWhereOnlyTheSummariesAreLeft) {
  CommitSegments(2);
  KeepUntilSegments(2);
  const std::vector<storage::IndexedSegment> before = Stored();
  Tamper([&](storage::Tables& tables) {
    ASSERT_TRUE(tables.db()
                    .DeleteRange({}, tables.index(), std::string(1, '\0'), std::string(1, '\xff'))
                    .ok());
  });
  EXPECT_THAT(Search("word7e").records, SizeIs(1));
  const std::uint64_t built = counters_.indexed_segments;
  KeepUntil([&](IndexKeeper&) { return counters_.indexed_segments == built + 2; });
  EXPECT_EQ(Stored(), before);
  EXPECT_EQ(IndexBlocks(), 2);
  EXPECT_EQ(Verified().segments, 2u);
  EXPECT_THAT(Verified().findings, IsEmpty());
}

TEST_F(IndexKeeperTest, BuildsAnewWhatASearchFoundDamaged) {
  CommitSegments(1);
  KeepUntilSegments(1);
  Tamper([&](storage::Tables& tables) {
    tables.db().Put({}, tables.index(), storage::IndexChunkKey(0, 0), "nonsense");
  });
  EXPECT_THAT(Verified().findings, SizeIs(1));
  const query::Found found = Search("word7e");
  EXPECT_THAT(found.records, SizeIs(1));
  ASSERT_THAT(found.completeness.unusable_segments, SizeIs(1));
  RepairUnusable(found);
  EXPECT_THAT(Verified().findings, IsEmpty());
  EXPECT_EQ(IndexBlocks(), 1);
}

// In whichever level the table is: RocksDB takes what it cannot read while it compacts for a reason to write nothing any more.
TEST_F(IndexKeeperTest, ADamagedTableOfTheIndexIsBuiltAnewAndSealsNothing) {
  for (const int segments : {2, 4}) {
    SCOPED_TRACE(segments);
    CommitSegments(segments);
    KeepUntil([&](IndexKeeper&) { return Stored().size() >= static_cast<std::size_t>(segments); });
    FlipBitInIndexTable();
    const query::Found found = Search("word7e");
    EXPECT_THAT(found.records, SizeIs(1));
    ASSERT_THAT(found.completeness.unusable_segments, SizeIs(1));
    RepairUnusable(found);
    EXPECT_THAT(Search("word7e").completeness.unusable_segments, IsEmpty());
    EXPECT_THAT(Verified().findings, IsEmpty());
  }
  CommitSegments(1);  // it takes in what comes
}

// As retention leaves it: the payload gone, and the row that says by which block.
TEST_F(IndexKeeperTest, WhatWasDeletedLeavesTheIndexToo) {
  CommitSegments(1);
  KeepUntilSegments(1);
  const storage::IndexedSegment before = Stored().at(0);
  const Result<std::optional<std::uint64_t>> block =
      vault_->reader().Locate(Host("geo01").stream_id("a"), 7);
  ASSERT_TRUE(block.ok() && block->has_value());
  const std::string directory_before = *vault_->reader().IndexDirectory(0);
  Tamper([&](storage::Tables& tables) {
    DropPayload(tables, **block);
    tables.db().Put({}, tables.stream(), storage::DeletedKey(**block),
                    storage::NumberKey(before.index_block + 1));
  });
  EXPECT_EQ(Verified().outdated, 1u);
  KeepUntil([&](IndexKeeper&) { return Stored().at(0).index_block != before.index_block; });
  EXPECT_EQ(Stored().at(0).deleted_payloads, 1u);
  const query::IndexReport report = Verified();
  EXPECT_EQ(report.segments, 1u);
  EXPECT_THAT(report.findings, IsEmpty());
  Result<query::Directory> directory = query::Directory::Parse(*vault_->reader().IndexDirectory(0));
  ASSERT_TRUE(directory.ok());
  EXPECT_THAT(directory->always, SizeIs(1));
  EXPECT_NE(directory->salt, query::Directory::Parse(directory_before)->salt);
  // The block is visited whatever is asked: nothing is known of it any more.
  const std::uint64_t unsealed = Search("word7e").completeness.blocks_scanned;
  EXPECT_EQ(Search("absent").completeness.blocks_scanned, unsealed);
}

TEST_F(IndexKeeperTest, AnIndexThatItsBlocksDoNotGiveIsFound) {
  CommitSegments(1);
  KeepUntilSegments(1);
  storage::Entry lie;
  lie.kind = evidence::BlockKind::kIndex;
  lie.body = evidence::IndexBody{0, Stored().at(0).end, evidence::Sha256("a lie")}.Serialize();
  Append({lie});
  const query::IndexReport report = Verified();
  ASSERT_THAT(report.findings, SizeIs(1));
  EXPECT_EQ(report.findings[0].block, vault_->head().size - 1);
}

}  // namespace
}  // namespace logvault::server
