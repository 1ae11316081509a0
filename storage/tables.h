// Tables: the opened RocksDB and its column families (storage/keys.h says what lies in them).  Only
// storage's sources include this file: nothing of RocksDB shows in the layer's contracts.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/env.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "common/mutex.h"
#include "common/status.h"
#include "evidence/dictionary.h"

namespace logvault::storage {

// RocksDB's Status as ours: its Corruption stays kCorruption, full and busy disks become
// kUnavailable.
Status FromRocks(const rocksdb::Status& status);

inline rocksdb::Slice ToSlice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }
inline std::string_view ToView(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

class TileCache;  // storage/tile_cache.h

enum class TablesMode { kCreate, kReadWrite, kReadOnly };

struct TablesOptions {
  std::string dir;
  rocksdb::Env* env = nullptr;  // nullptr: RocksDB's default
  TablesMode mode = TablesMode::kReadWrite;
  rocksdb::WALRecoveryMode wal_recovery = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  bool paranoid = true;  // false: open although files are missing
  std::shared_ptr<rocksdb::Logger>
      info_log;  // kReadOnly: takes RocksDB's log, which goes nowhere else
  std::shared_ptr<rocksdb::Statistics> statistics;  // may be null
};

// Safe from several threads; writing is the vault's, one thread at a time.
class Tables {
 public:
  // kNotFound where `dir` holds no RocksDB, kFailedPrecondition where another process has it open
  // for writing.
  static Result<std::shared_ptr<Tables>> Open(const TablesOptions& options);
  ~Tables();
  Tables(const Tables&) = delete;
  Tables& operator=(const Tables&) = delete;

  [[nodiscard]] rocksdb::DB& db() const { return *db_; }
  [[nodiscard]] rocksdb::ColumnFamilyHandle* block() const { return block_; }
  [[nodiscard]] rocksdb::ColumnFamilyHandle* tile() const { return tile_; }
  [[nodiscard]] rocksdb::ColumnFamilyHandle* checkpoint() const { return checkpoint_; }
  [[nodiscard]] rocksdb::ColumnFamilyHandle* stream() const { return stream_; }
  [[nodiscard]] rocksdb::ColumnFamilyHandle* secret() const { return secret_; }
  // nullptr where it is missing: what is derived may be.
  [[nodiscard]] rocksdb::ColumnFamilyHandle* index() const { return index_; }
  [[nodiscard]] rocksdb::ColumnFamilyHandle* rollup() const { return rollup_; }

  // The family for a payload committed at `commit_time`, made where it is not there yet.
  Result<rocksdb::ColumnFamilyHandle*> PayloadFamilyFor(std::string_view retention_class,
                                                        UnixNanos commit_time)
      LV_EXCLUDES(families_mutex_);
  // Every payload family, or those of one month, of whatever retention class.
  [[nodiscard]] std::vector<rocksdb::ColumnFamilyHandle*> PayloadFamilies() const
      LV_EXCLUDES(families_mutex_);
  [[nodiscard]] std::vector<rocksdb::ColumnFamilyHandle*> PayloadFamiliesOf(
      UnixNanos commit_time) const LV_EXCLUDES(families_mutex_);

  // All the others.
  [[nodiscard]] std::vector<rocksdb::ColumnFamilyHandle*> SmallFamilies() const
      LV_EXCLUDES(families_mutex_);

  [[nodiscard]] TileCache& tile_cache() const { return *tile_cache_; }

  // What payloads are decompressed with: those of the governing blocks that are committed.
  [[nodiscard]] std::shared_ptr<const evidence::Dictionaries> dictionaries() const
      LV_EXCLUDES(dictionaries_mutex_);
  void SetDictionaries(std::shared_ptr<const evidence::Dictionaries> dictionaries)
      LV_EXCLUDES(dictionaries_mutex_);

  // The value under `key`; kNotFound where there is none.
  [[nodiscard]] Result<std::string> Get(rocksdb::ColumnFamilyHandle* family,
                                        std::string_view key) const;
  // The same for a row that is large, or seldom read twice: it is not kept in RocksDB's cache.
  [[nodiscard]] Result<std::string> GetOnce(rocksdb::ColumnFamilyHandle* family,
                                            std::string_view key) const;
  // The same, and without RocksDB's checksum, which covers a table's block of many rows: for rows that have a hash of
  // their own to be checked by, so that one altered row does not cost its neighbours.
  [[nodiscard]] Result<std::string> GetUnchecked(rocksdb::ColumnFamilyHandle* family,
                                                 std::string_view key) const;
  // For a pass over many rows: checks checksums, reads ahead, leaves the cache alone.
  [[nodiscard]] std::unique_ptr<rocksdb::Iterator> Scan(rocksdb::ColumnFamilyHandle* family) const;
  // For a few rows.
  [[nodiscard]] std::unique_ptr<rocksdb::Iterator> Seek(rocksdb::ColumnFamilyHandle* family) const;

  // Writes every memtable out, so that the write-ahead log can go.
  Status Flush() LV_EXCLUDES(families_mutex_);

 private:
  Tables(std::unique_ptr<rocksdb::DB> db, std::shared_ptr<rocksdb::Cache> cache,
         const std::vector<rocksdb::ColumnFamilyHandle*>& handles);
  static Result<std::shared_ptr<Tables>> OpenOnce(const rocksdb::DBOptions& db_options,
                                                  const TablesOptions& options);
  Status FindFamilies();
  Status PinRewrittenFiles();
  [[nodiscard]] Result<std::string> Get(const rocksdb::ReadOptions& options,
                                        rocksdb::ColumnFamilyHandle* family,
                                        std::string_view key) const;

  const std::unique_ptr<rocksdb::DB> db_;
  const std::shared_ptr<rocksdb::Cache> cache_;  // one for all families
  rocksdb::ColumnFamilyHandle* block_ = nullptr;
  rocksdb::ColumnFamilyHandle* tile_ = nullptr;
  rocksdb::ColumnFamilyHandle* checkpoint_ = nullptr;
  rocksdb::ColumnFamilyHandle* stream_ = nullptr;
  rocksdb::ColumnFamilyHandle* secret_ = nullptr;
  rocksdb::ColumnFamilyHandle* index_ = nullptr;
  rocksdb::ColumnFamilyHandle* rollup_ = nullptr;

  std::vector<std::unique_ptr<rocksdb::Iterator>>
      pins_;  // kReadOnly: one for each file that may go away

  const std::unique_ptr<TileCache> tile_cache_;

  mutable Mutex dictionaries_mutex_;
  std::shared_ptr<const evidence::Dictionaries> dictionaries_ LV_GUARDED_BY(dictionaries_mutex_) =
      std::make_shared<evidence::Dictionaries>();

  mutable Mutex families_mutex_;
  std::map<std::string, rocksdb::ColumnFamilyHandle*, std::less<>> families_
      LV_GUARDED_BY(families_mutex_);
};

}  // namespace logvault::storage
