// FaultyDisk: a file system under RocksDB that forgets what was not synced, fails a sync when told, or dies at a
// chosen operation.  Files are real ones below it.
#pragma once

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "common/mutex.h"

namespace logvault::storage {

class FaultyDisk final : public rocksdb::FileSystemWrapper {
 public:
  FaultyDisk() : rocksdb::FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  static const char* kClassName() { return "FaultyDisk"; }
  const char* Name() const override { return kClassName(); }

  // The next sync of a file whose path contains `part` fails, once.
  void FailSync(std::string part) LV_EXCLUDES(mutex_);
  // After `operations` more writes, syncs, creations or renames the disk is dead; the one at which it dies may be
  // done in part.
  void DieAfter(std::uint64_t operations) LV_EXCLUDES(mutex_);
  [[nodiscard]] bool dead() const LV_EXCLUDES(mutex_);
  // It works again, and has forgotten nothing: a process died, not the machine.
  void Revive() LV_EXCLUDES(mutex_);
  // What GetFreeSpace answers from now on.
  void SetFreeBytes(std::uint64_t bytes) LV_EXCLUDES(mutex_);
  // Bytes appended to files whose path ends in `suffix`.
  [[nodiscard]] std::uint64_t BytesAppended(const std::string& suffix) const LV_EXCLUDES(mutex_);

  // What becomes of bytes that were written and not synced.
  enum class Tail { kLost, kPrefixKept, kZeroed };
  // Power goes and comes back.  REQUIRES: no file is open any more.
  void Crash(Tail tail, std::mt19937_64& random) LV_EXCLUDES(mutex_);

  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* result,
                                    rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus ReopenWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                       std::unique_ptr<rocksdb::FSWritableFile>* result,
                                       rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewRandomRWFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSRandomRWFile>* result,
                                    rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewDirectory(const std::string& path, const rocksdb::IOOptions& options,
                                 std::unique_ptr<rocksdb::FSDirectory>* result,
                                 rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to,
                               const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus DeleteFile(const std::string& path, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus GetFreeSpace(const std::string& path, const rocksdb::IOOptions& options,
                                 std::uint64_t* bytes, rocksdb::IODebugContext* debug) override;

 private:
  friend class FaultyWritableFile;
  friend class FaultyRandomFile;
  friend class FaultyDirectory;

  // Bytes overwritten in place, to be put back if they were never synced.
  struct Overwrite {
    std::uint64_t offset = 0;
    std::string before;
  };
  struct File {
    std::uint64_t size = 0;
    std::uint64_t synced = 0;
    std::vector<Overwrite> overwrites;
  };

  enum class Fate { kDone, kInPart, kRefused };
  Fate NextOperation() LV_EXCLUDES(mutex_);
  rocksdb::IOStatus BeforeSync(const std::string& path) LV_EXCLUDES(mutex_);
  void Appended(const std::string& path, std::uint64_t bytes) LV_EXCLUDES(mutex_);
  void Overwritten(const std::string& path, Overwrite overwrite) LV_EXCLUDES(mutex_);
  void Synced(const std::string& path) LV_EXCLUDES(mutex_);
  void DirectorySynced(const std::string& path) LV_EXCLUDES(mutex_);
  rocksdb::IOStatus Opened(const std::string& path, bool is_new) LV_EXCLUDES(mutex_);

  mutable Mutex mutex_;
  std::map<std::string, File> files_ LV_GUARDED_BY(mutex_);
  std::set<std::string> created_ LV_GUARDED_BY(mutex_);  // and their directory not synced since
  // Replaced by a rename, and the directory not synced since: path → what stood there.
  std::map<std::string, std::string> replaced_ LV_GUARDED_BY(mutex_);
  std::optional<std::string> fail_sync_ LV_GUARDED_BY(mutex_);
  std::optional<std::uint64_t> operations_left_ LV_GUARDED_BY(mutex_);
  bool dead_ LV_GUARDED_BY(mutex_) = false;
  std::optional<std::uint64_t> free_bytes_ LV_GUARDED_BY(mutex_);
  std::map<std::string, std::uint64_t> appended_ LV_GUARDED_BY(mutex_);
};

}  // namespace logvault::storage
