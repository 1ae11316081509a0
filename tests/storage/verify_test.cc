// `verify --offline`: a true vault has no findings; whatever is edited behind the collector's back
// is named.
#include "storage/verify.h"

#include <fstream>
#include <functional>

#include "evidence/checkpoint.h"
#include "storage/anchor.h"
#include "storage/keys.h"
#include "storage/tables.h"
#include "tests/storage/vault_fixture.h"

namespace logvault::storage {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::vector<std::string> Reasons(const VerifyReport& report) {
  std::vector<std::string> reasons;
  for (const evidence::Finding& finding : report.findings) {
    reasons.push_back(std::to_string(finding.block) + " " + finding.host + "/" + finding.source +
                      " " + std::to_string(finding.first_seq) + "-" +
                      std::to_string(finding.last_seq) + ": " + finding.reason);
  }
  return reasons;
}

// A closed vault of 63 blocks: GENESIS, KEY, STREAM, then batch i of two records each as block 3 +
// i.
class VerifyTest : public VaultTest {
 protected:
  static constexpr int kBatches = 60;

  void CreateAndClose() {
    CreateVaultWithStream();
    for (int i = 0; i < kBatches; i += 3) Append({NextBatch(), NextBatch(), NextBatch()});
    head_ = vault_->head();
    vault_.reset();
  }
  // Edits rows of the closed vault with RocksDB itself, as root on the collector could.
  void Edit(const std::function<void(Tables&)>& edit) {
    TablesOptions options;
    options.dir = options_.dir;
    Result<std::shared_ptr<Tables>> tables = Tables::Open(options);
    ASSERT_TRUE(tables.ok()) << tables.status();
    edit(**tables);
  }
  static void FlipBit(Tables& tables, rocksdb::ColumnFamilyHandle* family, std::string_view key,
                      std::size_t byte) {
    std::string value = *tables.Get(family, key);
    ASSERT_LT(byte, value.size());
    value[byte] = static_cast<char>(value[byte] ^ 1);
    ASSERT_TRUE(tables.db().Put({}, family, ToSlice(key), value).ok());
  }
  static void Delete(Tables& tables, rocksdb::ColumnFamilyHandle* family, std::string_view key) {
    ASSERT_TRUE(tables.db().Delete({}, family, ToSlice(key)).ok());
  }
  VerifyOptions Options() {
    VerifyOptions options;
    options.dir = options_.dir;
    options.anchor = options_.anchor;
    options.key = evidence::VerifierKey::For(genesis_.origin, key_.public_key());
    options.certificate_check = testing::CheckTestCertificate;
    return options;
  }
  static VerifyReport Verify(const VerifyOptions& options) {
    Result<VerifyReport> report = VerifyVault(options);
    EXPECT_TRUE(report.ok()) << report.status();
    return report.ok() ? *std::move(report) : VerifyReport{};
  }
  VerifyReport Verify() { return Verify(Options()); }

  Head head_;
};

TEST_F(VerifyTest, ATrueVaultHasNoFindings) {
  CreateAndClose();
  const VerifyReport report = Verify();
  EXPECT_THAT(Reasons(report), IsEmpty());
  EXPECT_THAT(report.damaged_files, IsEmpty());
  EXPECT_EQ(report.blocks, head_.size);
  EXPECT_EQ(report.records, 2u * kBatches);
  EXPECT_EQ(report.seals_checked, std::uint64_t{kBatches});
  EXPECT_GT(report.payload_bytes, 0u);
  EXPECT_EQ(report.origin, genesis_.origin);
  EXPECT_EQ(report.note, head_.note);
  EXPECT_TRUE(report.key_pinned);
}

TEST_F(VerifyTest, ADaysRowOfAHostWithoutAStreamIsFound) {
  CreateAndClose();
  Edit([](Tables& tables) {
    const std::string row = SerializeDayUse({"geo02", 1, 1});
    ASSERT_TRUE(tables.db().Put({}, tables.stream(), DayUseKey("geo02"), row).ok());
  });
  EXPECT_THAT(Reasons(Verify()), Contains(HasSubstr("of a host that no STREAM block announced")));
}

TEST_F(VerifyTest, GapsConflictsAndRepeatsAreNoFindings) {
  CreateVaultWithStream();
  const Entry first = NextBatch();
  const testing::TestHost::Place start = host_.place("access");
  Append({first, NextBatch()});
  NextBatch();
  const Entry behind_gap = NextBatch();
  Append({behind_gap, first});
  const testing::TestHost::Place after = host_.place("access");
  host_.place("access") = start;
  Append({NextBatch(3)});
  host_.place("access") = after;
  host_.StartEpoch(5);
  Append({host_.Key(), host_.Stream("access", "access"), NextBatch()});
  vault_.reset();
  EXPECT_THAT(Reasons(Verify()), IsEmpty());
}

TEST_F(VerifyTest, TheLargerTreeAndManyTilesHold) {
  CreateVaultWithStream();
  for (int group = 0; group < 9; ++group) {
    std::vector<Entry> entries;
    for (int i = 0; i < 61; ++i) entries.push_back(NextBatch(1));
    Append(entries);
  }
  vault_.reset();
  EXPECT_THAT(Reasons(Verify()), IsEmpty());
  Edit([](Tables& tables) { FlipBit(tables, tables.tile(), TileKey{1, 0, 0}.Serialize(), 5); });
  EXPECT_THAT(Reasons(Verify()), Contains(HasSubstr("tile 1/0: hash 0 is not the tree's")));
}

TEST_F(VerifyTest, ItWorksBesideTheWriter) {
  CreateVaultWithStream();
  Append({NextBatch()});
  EXPECT_THAT(Reasons(Verify()), IsEmpty());
}

TEST_F(VerifyTest, AnEditedHeaderNamesItsBlockHostSourceAndNumbers) {
  CreateAndClose();
  Edit([](Tables& tables) { FlipBit(tables, tables.block(), NumberKey(10), 72 + 180); });
  const VerifyReport report = Verify();
  const std::vector<std::string> reasons = Reasons(report);
  EXPECT_THAT(reasons, Contains(HasSubstr("10 geo01/access 15-16: ")));
  EXPECT_THAT(reasons,
              Contains("10 geo01/access 15-16: the block is not the one whose hash was signed"));
  EXPECT_THAT(reasons, Not(Contains(HasSubstr("no later root fits"))));
}

TEST_F(VerifyTest, AHeaderEditedTogetherWithItsTileIsFoundByTheSignedRoot) {
  CreateAndClose();
  Edit([](Tables& tables) {
    // Block 10 is the second of the group of blocks 9..11.
    FlipBit(tables, tables.block(), NumberKey(10), 72 + 180);
    const std::string leaf(evidence::LeafHash(*tables.Get(tables.block(), NumberKey(10))).view());
    const std::string key = TileKey{0, 0, 9}.Serialize();
    std::string piece = *tables.Get(tables.tile(), key);
    piece.replace(32, 32, leaf);
    ASSERT_TRUE(tables.db().Put({}, tables.tile(), key, piece).ok());
  });
  EXPECT_THAT(Reasons(Verify()), Contains(HasSubstr("one of the blocks 9 to 11 ")));
}

TEST_F(VerifyTest, AnEditedPayloadIsNamed) {
  CreateAndClose();
  Edit([](Tables& tables) { FlipBit(tables, tables.PayloadFamilies().at(0), NumberKey(20), 30); });
  const std::vector<std::string> reasons = Reasons(Verify());
  ASSERT_EQ(reasons.size(), 1u) << ::testing::PrintToString(reasons);
  EXPECT_THAT(reasons[0], HasSubstr("20 geo01/access 35-36: "));
}

TEST_F(VerifyTest, AMissingAndAnOrphanedPayloadAreNamed) {
  CreateAndClose();
  Edit([](Tables& tables) {
    rocksdb::ColumnFamilyHandle* family = tables.PayloadFamilies().at(0);
    Delete(tables, family, NumberKey(20));
    ASSERT_TRUE(tables.db().Put({}, family, NumberKey(2), "x").ok());
    ASSERT_TRUE(tables.db().Put({}, family, NumberKey(500), "x").ok());
  });
  const std::vector<std::string> reasons = Reasons(Verify());
  EXPECT_EQ(reasons.size(), 3u) << ::testing::PrintToString(reasons);
  EXPECT_THAT(reasons, Contains("20 geo01/access 35-36: the payload is missing"));
  EXPECT_THAT(reasons, Contains(HasSubstr("2 / 0-0: a payload is stored for a block that is no")));
  EXPECT_THAT(reasons, Contains(HasSubstr("500 / 0-0: a payload is stored for a block that is")));
}

TEST_F(VerifyTest, ADeletedBlockIsNamed) {
  CreateAndClose();
  Edit([](Tables& tables) { Delete(tables, tables.block(), NumberKey(30)); });
  EXPECT_THAT(Reasons(Verify()),
              Contains(HasSubstr("30 geo01/access 55-56: the block is missing")));
}

TEST_F(VerifyTest, ATruncatedTailIsNamedByTheAnchor) {
  CreateAndClose();
  Edit([this](Tables& tables) {
    for (std::uint64_t index = head_.size - 3; index < head_.size; ++index) {
      Delete(tables, tables.block(), NumberKey(index));
      Delete(tables, tables.checkpoint(), NumberKey(index + 1));
    }
  });
  const std::vector<std::string> reasons = Reasons(Verify());
  for (const char* missing :
       {"60 geo01/access 115-116", "61 geo01/access 117-118", "62 geo01/access 119-120"}) {
    EXPECT_THAT(reasons, Contains(HasSubstr(std::string(missing) + ": the block is missing")));
  }
}

TEST_F(VerifyTest, EditedDerivedRowsAreNamed) {
  CreateAndClose();
  const evidence::Hash id = host_.stream_id("access");
  const std::vector<std::pair<std::string, std::string>> rows = {
      {ProgressKey(id), "the stream's stored head is not"},
      {DescriptionKey(id), "the stream's stored description is not"},
      {SequenceKey(id, 9), "the row of the batch's place is not"},
      {EpochKey("geo01", 1), "the row of epoch 1 is not"},
  };
  for (const auto& row : rows) {
    const std::string& key = row.first;
    const std::string& reason = row.second;
    Edit([&key](Tables& tables) { FlipBit(tables, tables.stream(), key, 7); });
    EXPECT_THAT(Reasons(Verify()), Contains(HasSubstr(reason)));
    Edit([&key](Tables& tables) { FlipBit(tables, tables.stream(), key, 7); });
  }
  Edit([](Tables& tables) { FlipBit(tables, tables.secret(), SealKeyKey("geo01", 1), 7); });
  EXPECT_THAT(Reasons(Verify()), Contains(HasSubstr("the seals of epoch 1 cannot be checked")));
}

TEST_F(VerifyTest, AnEditedTileIsToldFromAnEditedBlock) {
  CreateAndClose();
  Edit([](Tables& tables) {
    FlipBit(tables, tables.tile(), TileKey{0, 0, 9}.Serialize(), 32 + 3);
  });
  const std::vector<std::string> reasons = Reasons(Verify());
  ASSERT_EQ(reasons.size(), 1u) << ::testing::PrintToString(reasons);
  EXPECT_EQ(reasons[0], "10 geo01/access 15-16: tile 0/0 holds another hash than this block's");
}

TEST_F(VerifyTest, AnEditedCheckpointIsNamed) {
  CreateAndClose();
  Edit([](Tables& tables) { FlipBit(tables, tables.checkpoint(), NumberKey(9), 40); });
  EXPECT_THAT(Reasons(Verify()), Contains(HasSubstr("the stored checkpoint of size 9: ")));
  Edit([this](Tables& tables) {
    FlipBit(tables, tables.checkpoint(), NumberKey(9), 40);
    FlipBit(tables, tables.checkpoint(), NumberKey(head_.size), 40);
  });
  EXPECT_THAT(Reasons(Verify()), Contains(HasSubstr("the stored checkpoint of size 63: ")));
}

TEST_F(VerifyTest, AnAnchorOfAnotherHistoryIsAFinding) {
  CreateAndClose();
  fs::remove(options_.anchor);
  EXPECT_THAT(Reasons(Verify()), IsEmpty()) << "an absent anchor is the caller's to judge";
  const evidence::Checkpoint other{genesis_.origin, 10, evidence::Sha256("another history")};
  VerifyOptions options = Options();
  options.known_note = evidence::SignCheckpoint(other, key_);
  EXPECT_THAT(Reasons(Verify(options)),
              Contains(HasSubstr("first 10 blocks are not the ones that the given checkpoint")));
  options.known_note = evidence::SignCheckpoint(other, evidence::SigningKey::Generate());
  EXPECT_THAT(Reasons(Verify(options)), Contains(HasSubstr("is not signed by this vault")));
  options.known_note = head_.note;
  EXPECT_THAT(Reasons(Verify(options)), IsEmpty());
}

TEST_F(VerifyTest, TheKeyIsThePinnedOneOrElseTheOneOfGenesis) {
  CreateAndClose();
  VerifyOptions options = Options();
  options.key.reset();
  const VerifyReport report = Verify(options);
  EXPECT_THAT(Reasons(report), IsEmpty());
  EXPECT_FALSE(report.key_pinned);
  options.key =
      evidence::VerifierKey::For(genesis_.origin, evidence::SigningKey::Generate().public_key());
  EXPECT_THAT(Reasons(Verify(options)), Contains(HasSubstr("GENESIS states the key")));
}

TEST_F(VerifyTest, WhereThereIsNoVaultThereIsNoReport) {
  EXPECT_EQ(VerifyVault(Options()).status().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace logvault::storage
