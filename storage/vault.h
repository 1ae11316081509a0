// Vault: the append-only store.  One writer appends groups of entries; each group becomes blocks in
// one synced write together with tiles, stream heads and the signed checkpoint, and then moves the
// anchor.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "common/mutex.h"
#include "common/status.h"
#include "evidence/block.h"
#include "evidence/bodies.h"
#include "evidence/checkpoint.h"
#include "evidence/governance.h"
#include "evidence/keys.h"
#include "evidence/merkle.h"
#include "evidence/payload.h"
#include "evidence/receipt.h"
#include "storage/reader.h"

namespace rocksdb {
class Env;
class Statistics;
}  // namespace rocksdb

namespace logvault::storage {

inline constexpr std::uint64_t kDefaultDiskReserveBytes = 256ull << 20;
// Of a small disk the reserve is at most this part, so that it is of use too.
inline constexpr std::uint64_t kDiskReservePart = 4;
// The vault's own words may use all but this part of it: while ingest has stopped, an investigator still works and alerts
// are still recorded, also after RocksDB has written its memtable out.
inline constexpr std::uint64_t kOwnReservePart = 4;

struct VaultOptions {
  std::string dir;
  std::string anchor;           // a file, meant for another device
  rocksdb::Env* env = nullptr;  // for tests; nullptr is RocksDB's default.  Must outlive the vault.
  std::uint64_t disk_reserve_bytes = kDefaultDiskReserveBytes;  // below it Append refuses
  std::shared_ptr<rocksdb::Statistics> statistics;  // RocksDB's own counters; may be null
  // Judges administrators' certificates; without one no directive is taken.
  evidence::CertificateCheck certificate_check;
};

// What a caller asks to append.  The vault decides which block it becomes.
struct Entry {
  evidence::BlockKind kind = evidence::BlockKind::kRecords;
  std::uint16_t flags = 0;
  std::string body;
  std::string payload;                            // RECORDS: the zstd frame
  std::vector<evidence::PositionEntry> position;  // RECORDS: the position after the batch
  std::string seal_key;                           // KEY: K_0, 32 bytes
};

// Whether all of `entries` are the vault's own words (ACCESS, ALERT, SILENCE ...) and nothing that a host sent.
bool AreOwnWords(std::span<const Entry> entries);

enum class Outcome {
  kCommitted,
  kRepeated,  // this very batch is there already; `index` is the original block
  kConflict,  // its numbers are taken by another batch; `index` is the CONFLICT block that says so
};

struct Appended {
  Outcome outcome = Outcome::kCommitted;
  std::uint64_t index = 0;
  std::string block_bytes;            // the block's header as stored
  std::uint64_t stream_last_seq = 0;  // RECORDS: the stream's last number now
};

struct Commit {
  std::vector<Appended> entries;  // one for each entry of the group, in its order
  Head head;
};

// What the next block is chained to.
struct Chain {
  evidence::CompactTree tree;
  evidence::Hash prev;        // LeafHash of the newest block
  UnixNanos commit_time = 0;  // the newest block's
  bool operator==(const Chain&) const = default;
};

class Anchor;          // storage/anchor.h
class Group;           // storage/group.h
struct TablesOptions;  // storage/tables.h

// The private keys that may sign: more than one while the vault's key is being changed.
using SigningKeys = std::vector<evidence::SigningKey>;

class Vault {
 public:
  // Makes a new vault with its GENESIS block.  kAlreadyExists where `dir` holds anything or the
  // anchor exists.
  static Status Create(const VaultOptions& options, const evidence::GenesisBody& genesis,
                       const evidence::SigningKey& key, const Clock& clock);

  // Opens an existing vault and re-reads its head from disk.  kNotFound where there is none;
  // kIntegrity where the head is behind the anchor or inconsistent with it, or the anchor is
  // missing; kFailedPrecondition where a key of the vault that is in force is not among `keys`.  `clock` must outlive
  // the vault.
  static Result<std::unique_ptr<Vault>> Open(const VaultOptions& options, const SigningKeys& keys,
                                             const Clock& clock);
  // Goes on from an older copy, as `directive` (a rollback, evidence/rollback.h) accepts: the vault in `dir` must stand
  // exactly where it says, and the anchor, where there is one, must not have seen more than what it says is lost.  The
  // directive becomes the next block, and the anchor follows; where it was ended between the two, the same directive
  // goes on.  Returns the size that was restored.
  static Result<std::uint64_t> AcceptRollback(const VaultOptions& options, const SigningKeys& keys,
                                              const Clock& clock, std::string_view directive);
  ~Vault();
  Vault(const Vault&) = delete;
  Vault& operator=(const Vault&) = delete;

  // Appends a group: one synced write, then the anchor, then the head is published.  RECORDS
  // entries follow the order rules: next → committed; a number skipped → committed with kFlagGap,
  // and an ALERT block follows; numbers taken by the same batch → repeated; by another, or next
  // with a stream_prev that is not the stream's head → a CONFLICT block.  KEY likewise: the same
  // registration again → repeated, another for that epoch → CONFLICT.  kInvalidArgument and
  // kFailedPrecondition (a stream without STREAM block) name an entry that cannot become a block,
  // kResourceExhausted the disk reserve: nothing of the group was written.  After a failed sync or
  // anchor the vault seals itself: every later call answers kUnavailable until it is opened anew.
  // One thread at a time: the committer's.
  Result<Commit> Append(std::span<const Entry> group);

  // What administrators ordered, up to the newest commit.  Safe from any thread.
  [[nodiscard]] std::shared_ptr<const evidence::Governance> governance() const
      LV_EXCLUDES(head_mutex_);
  // What the policy no longer keeps and no hold protects, as bodies for RETENTION entries.  Safe beside Append, one thread
  // at a time.
  [[nodiscard]] Result<std::vector<evidence::RetentionBody>> FindExpired() const;
  // Deletes what the RETENTION block `retention` says, as far as it is still there, and frees its room; returns the body
  // for the RETENTION_DONE entry.  kAborted where `stop` is set: it is gone on with later.  Safe beside Append, one thread at
  // a time.
  [[nodiscard]] Result<evidence::RetentionDoneBody> DeleteExpired(
      std::uint64_t retention, const std::atomic<bool>& stop) const;

  // Replace or finish a segment of the index.  kResourceExhausted at the disk reserve.  Safe beside Append, one thread at a time.
  Status WriteIndex(const IndexedSegment& segment, const std::string& directory,
                    const std::vector<std::string>& chunks) const;
  Status WriteIndexBlock(const IndexedSegment& segment) const;

  // `receipt` as a file, signed.  Safe from any thread.
  [[nodiscard]] Result<std::string> Sign(evidence::SearchReceipt receipt) const;

  // The newest published head.  Safe from any thread.
  [[nodiscard]] Head head() const LV_EXCLUDES(head_mutex_);
  [[nodiscard]] const Reader& reader() const { return reader_; }
  [[nodiscard]] const evidence::GenesisBody& genesis() const { return genesis_; }
  [[nodiscard]] const std::string& origin() const { return genesis_.origin; }

 private:
  Vault(VaultOptions options, SigningKeys keys, const Clock& clock, std::shared_ptr<Tables> tables);

  static Result<std::unique_ptr<Vault>> OpenAs(const TablesOptions& tables_options,
                                               const VaultOptions& options, const SigningKeys& keys,
                                               const Clock& clock);
  static Result<std::unique_ptr<Vault>> OpenAtLastGoodPoint(const VaultOptions& options,
                                                            const SigningKeys& keys,
                                                            const Clock& clock);
  Status Load();
  Status CheckAnchor();
  [[nodiscard]] Result<bool> AwaitsAnchorOf(std::string_view directive) const;
  Status CheckRestored(const evidence::AcceptedRollback& rollback, std::uint64_t size) const;
  Status CheckDiskReserve(std::span<const Entry> group) const;
  [[nodiscard]] bool ClockStepped(UnixNanos now, UnixNanos offset) const;
  // The keys in force by `governance`, newest first; kFailedPrecondition where one is not at hand.
  [[nodiscard]] Result<std::vector<const evidence::SigningKey*>> Signers(
      const evidence::Governance& governance) const;
  Status Write(Group& group, std::shared_ptr<const evidence::Governance> governed);
  [[nodiscard]] std::string SignHead(const evidence::Checkpoint& checkpoint,
                                     const evidence::Governance& governance) const;
  Status MoveAnchor(const std::string& note);
  Status Seal(std::string_view why, const Status& cause);
  Status LoadGovernance(std::uint64_t size);
  void Publish(Head head, std::shared_ptr<const evidence::Governance> governance)
      LV_EXCLUDES(head_mutex_);

  const VaultOptions options_;
  const SigningKeys keys_;
  const Clock& clock_;
  const std::shared_ptr<Tables> tables_;
  const Reader reader_;
  evidence::GenesisBody genesis_;

  // Owned by the appending thread.
  Chain chain_;
  Chain recomputed_;  // the same, kept from the serialized bytes alone; see storage/recompute.h
  std::unique_ptr<Anchor> anchor_;
  std::optional<UnixNanos> clock_offset_;  // wall clock less monotonic, at the last commit
  bool clock_flagged_ = false;             // the last commit bore kFlagClock
  Status sealed_;                          // why nothing is written any more; OK while all is well

  mutable Mutex head_mutex_;
  Head head_ LV_GUARDED_BY(head_mutex_);
  std::shared_ptr<const evidence::Governance> governance_ LV_GUARDED_BY(head_mutex_);
};

}  // namespace logvault::storage
