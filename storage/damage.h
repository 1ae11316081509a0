// Which of a vault's files are damaged, as RocksDB's errors and its log tell it.
#pragma once

#include <rocksdb/env.h>

#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "common/mutex.h"

namespace logvault::storage {

// The names of RocksDB files in `text` ("000012.sst", "MANIFEST-000004").
std::set<std::string> FilesNamedIn(std::string_view text);

// Collects names of damaged files.  Safe from several threads.
class Damage {
 public:
  void Add(std::string file) LV_EXCLUDES(mutex_);
  // The files that an error names.
  void AddFrom(std::string_view error) LV_EXCLUDES(mutex_);
  [[nodiscard]] std::set<std::string> files() const LV_EXCLUDES(mutex_);

 private:
  mutable Mutex mutex_;
  std::set<std::string> files_ LV_GUARDED_BY(mutex_);
};

// Takes RocksDB's log and notes which write-ahead logs it had to drop bytes of.  `damage` must
// outlive it.
std::shared_ptr<rocksdb::Logger> WatchForDroppedBytes(Damage& damage);

}  // namespace logvault::storage
