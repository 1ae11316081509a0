// Group: the blocks and rows that one commit adds, built from entries by the order rules of the
// plan's section 5. Nothing is on disk before the vault writes rows().
#pragma once

#include <rocksdb/write_batch.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"
#include "evidence/batch.h"
#include "evidence/block.h"
#include "evidence/bodies.h"
#include "evidence/governance.h"
#include "storage/keys.h"
#include "storage/reader.h"
#include "storage/tiles.h"
#include "storage/vault.h"

namespace logvault::storage {

class Tables;

class Group {
 public:
  // `now` is the wall clock; every block gets `clock_flag` (kFlagClock or 0).  `tables` must
  // outlive the group.
  Group(Tables& tables, const Reader& reader, const evidence::Governance& governance, Chain start,
        UnixNanos now, std::uint16_t clock_flag);
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  // Decides what becomes of `entry`; later entries build on it.  After a failure the group is of no
  // use.
  Status Add(const Entry& entry);
  // A block of the vault's own, without order rules; returns its index.
  Result<std::uint64_t> AddOwn(evidence::BlockKind kind, std::string_view body);
  // Adds the rows that stand once for the whole group: tiles and stream heads.
  Status Finish();

  [[nodiscard]] bool adds_blocks() const { return adds_blocks_; }
  [[nodiscard]] const Chain& chain() const { return chain_; }
  [[nodiscard]] const TilePieces& tiles() const { return tiles_; }
  [[nodiscard]] rocksdb::WriteBatch& rows() { return rows_; }
  // The governing block that this group adds: one at most, since each is judged by those before it.
  [[nodiscard]] const std::optional<evidence::BlockHeader>& governing() const { return governing_; }
  [[nodiscard]] std::vector<Appended> TakeAppended() { return std::move(appended_); }

 private:
  struct Batch {
    evidence::Hash header_hash;
    Appended appended;
  };
  // A stream as it stands with this group's blocks.
  struct Stream {
    StreamDescription description;
    StreamProgress progress;
    bool progressed = false;
    std::map<std::uint64_t, Batch> batches;  // of this group, by first_seq
  };
  // The first registration of an epoch.
  struct Registration {
    EpochRecord record;
    Appended appended;
  };
  struct Block {
    std::uint64_t index = 0;
    UnixNanos commit_time = 0;
    std::string bytes;
  };

  Status AddStatement(const Entry& entry);
  Status AddSilence(const Entry& entry);
  Status AddGoverning(const Entry& entry);
  [[nodiscard]] Status CheckReviewed(const evidence::AlertReview& review) const;
  Status AddStream(const Entry& entry);
  Status AddKey(const Entry& entry);
  Status CommitEpoch(const Entry& entry, const evidence::KeyBody& body);
  Result<const Registration*> FindEpoch(const evidence::KeyBody& body);
  Status AddRecords(const Entry& entry);
  Status CommitBatch(const Entry& entry, const evidence::BatchHeader& header,
                     const evidence::Hash& header_hash, Stream& stream);
  // Adds `bytes` to what `host` sent on the day of `commit_time`.
  Status Count(const std::string& host, UnixNanos commit_time, std::uint64_t bytes);
  Status AddPayload(const Block& block, const StreamDescription& stream, std::string_view payload);
  // What is stored where `header` wants to be, if it is this very batch.
  Result<std::optional<Appended>> FindRepeated(const evidence::BatchHeader& header,
                                               const evidence::Hash& header_hash, Stream& stream);
  Status AddConflict(std::string_view body, std::uint64_t stream_last_seq);
  // The stream as this group sees it; nullptr where no STREAM block announced it.
  Result<Stream*> Find(const evidence::Hash& stream_id);
  Result<Block> AddBlock(evidence::BlockKind kind, std::uint16_t flags, std::string_view body);
  Status Put(rocksdb::ColumnFamilyHandle* family, std::string_view key, std::string_view value);

  Tables& tables_;
  const Reader& reader_;
  const evidence::Governance& governance_;
  const UnixNanos now_;
  const std::uint16_t clock_flag_;
  const evidence::CompactTree::OnNode on_node_;
  Chain chain_;
  TilePieces tiles_;
  rocksdb::WriteBatch rows_;
  std::map<evidence::Hash, Stream> streams_;
  std::map<std::pair<std::string, std::uint64_t>, Registration> epochs_;  // by host and epoch
  std::map<std::string, DayUse> uses_;                                    // by host
  std::vector<Appended> appended_;
  std::optional<evidence::BlockHeader> governing_;
  bool adds_blocks_ = false;
};

}  // namespace logvault::storage
