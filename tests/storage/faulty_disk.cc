#include "tests/storage/faulty_disk.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

namespace logvault::storage {

namespace fs = std::filesystem;
using rocksdb::IOStatus;

namespace {

IOStatus Dead() { return IOStatus::IOError("the disk is dead"); }

std::string ReadAll(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << in.rdbuf();
  return std::move(bytes).str();
}

void WriteAt(const std::string& path, std::uint64_t offset, std::string_view bytes) {
  std::fstream out(path, std::ios::in | std::ios::out | std::ios::binary);
  out.seekp(static_cast<std::streamoff>(offset));
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

}  // namespace

class FaultyWritableFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  FaultyWritableFile(std::unique_ptr<rocksdb::FSWritableFile> file, std::string path,
                     FaultyDisk& disk)
      : rocksdb::FSWritableFileOwnerWrapper(std::move(file)), path_(std::move(path)), disk_(disk) {}

  IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                  rocksdb::IODebugContext* debug) override {
    rocksdb::Slice part = data;
    const FaultyDisk::Fate fate = disk_.NextOperation();
    if (fate == FaultyDisk::Fate::kRefused) return Dead();
    if (fate == FaultyDisk::Fate::kInPart) part = rocksdb::Slice(data.data(), data.size() / 2);
    const IOStatus status = target()->Append(part, options, debug);
    if (status.ok()) disk_.Appended(path_, part.size());
    return fate == FaultyDisk::Fate::kInPart ? Dead() : status;
  }
  IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                  const rocksdb::DataVerificationInfo& /*checksum*/,
                  rocksdb::IODebugContext* debug) override {
    return Append(data, options, debug);
  }
  IOStatus Sync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override {
    IOStatus status = disk_.BeforeSync(path_);
    if (status.ok()) status = target()->Sync(options, debug);
    if (status.ok()) disk_.Synced(path_);
    return status;
  }
  IOStatus Fsync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override {
    return Sync(options, debug);
  }
  // Starts writing out; promises nothing.
  IOStatus RangeSync(std::uint64_t, std::uint64_t, const rocksdb::IOOptions&,
                     rocksdb::IODebugContext*) override {
    return IOStatus::OK();
  }
  IOStatus Close(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override {
    return target()->Close(options, debug);
  }

 private:
  const std::string path_;
  FaultyDisk& disk_;
};

class FaultyRandomFile final : public rocksdb::FSRandomRWFileOwnerWrapper {
 public:
  FaultyRandomFile(std::unique_ptr<rocksdb::FSRandomRWFile> file, std::string path,
                   FaultyDisk& disk)
      : rocksdb::FSRandomRWFileOwnerWrapper(std::move(file)), path_(std::move(path)), disk_(disk) {}

  IOStatus Write(std::uint64_t offset, const rocksdb::Slice& data,
                 const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override {
    rocksdb::Slice part = data;
    const FaultyDisk::Fate fate = disk_.NextOperation();
    if (fate == FaultyDisk::Fate::kRefused) return Dead();
    if (fate == FaultyDisk::Fate::kInPart) part = rocksdb::Slice(data.data(), data.size() / 2);
    disk_.Overwritten(path_, {offset, ReadAll(path_).substr(offset, part.size())});
    const IOStatus status = target()->Write(offset, part, options, debug);
    return fate == FaultyDisk::Fate::kInPart ? Dead() : status;
  }
  IOStatus Sync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override {
    IOStatus status = disk_.BeforeSync(path_);
    if (status.ok()) status = target()->Sync(options, debug);
    if (status.ok()) disk_.Synced(path_);
    return status;
  }
  IOStatus Fsync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override {
    return Sync(options, debug);
  }

 private:
  const std::string path_;
  FaultyDisk& disk_;
};

class FaultyDirectory final : public rocksdb::FSDirectoryWrapper {
 public:
  FaultyDirectory(std::unique_ptr<rocksdb::FSDirectory> directory, std::string path,
                  FaultyDisk& disk)
      : rocksdb::FSDirectoryWrapper(std::move(directory)), path_(std::move(path)), disk_(disk) {}

  IOStatus Fsync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override {
    IOStatus status = disk_.BeforeSync(path_);
    if (status.ok()) status = rocksdb::FSDirectoryWrapper::Fsync(options, debug);
    if (status.ok()) disk_.DirectorySynced(path_);
    return status;
  }
  IOStatus FsyncWithDirOptions(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug,
                               const rocksdb::DirFsyncOptions& /*reason*/) override {
    return Fsync(options, debug);
  }

 private:
  const std::string path_;
  FaultyDisk& disk_;
};

void FaultyDisk::FailSync(std::string part) {
  MutexLock lock(mutex_);
  fail_sync_ = std::move(part);
}

void FaultyDisk::DieAfter(std::uint64_t operations) {
  MutexLock lock(mutex_);
  operations_left_ = operations;
}

bool FaultyDisk::dead() const {
  MutexLock lock(mutex_);
  return dead_;
}

void FaultyDisk::Revive() {
  MutexLock lock(mutex_);
  operations_left_.reset();
  dead_ = false;
}

void FaultyDisk::SetFreeBytes(std::uint64_t bytes) {
  MutexLock lock(mutex_);
  free_bytes_ = bytes;
}

std::uint64_t FaultyDisk::BytesAppended(const std::string& suffix) const {
  MutexLock lock(mutex_);
  std::uint64_t bytes = 0;
  for (const auto& [path, count] : appended_) {
    if (path.ends_with(suffix)) bytes += count;
  }
  return bytes;
}

FaultyDisk::Fate FaultyDisk::NextOperation() {
  MutexLock lock(mutex_);
  if (dead_) return Fate::kRefused;
  if (!operations_left_) return Fate::kDone;
  if (*operations_left_ > 0) {
    --*operations_left_;
    return Fate::kDone;
  }
  dead_ = true;
  return Fate::kInPart;
}

IOStatus FaultyDisk::BeforeSync(const std::string& path) {
  if (NextOperation() != Fate::kDone) return Dead();
  MutexLock lock(mutex_);
  if (!fail_sync_ || path.find(*fail_sync_) == std::string::npos) return IOStatus::OK();
  fail_sync_.reset();
  return IOStatus::IOError("this sync fails: " + path);
}

void FaultyDisk::Appended(const std::string& path, std::uint64_t bytes) {
  MutexLock lock(mutex_);
  files_[path].size += bytes;
  appended_[path] += bytes;
}

void FaultyDisk::Overwritten(const std::string& path, Overwrite overwrite) {
  MutexLock lock(mutex_);
  files_[path].overwrites.push_back(std::move(overwrite));
}

void FaultyDisk::Synced(const std::string& path) {
  MutexLock lock(mutex_);
  File& file = files_[path];
  file.synced = file.size;
  file.overwrites.clear();
}

void FaultyDisk::DirectorySynced(const std::string& path) {
  MutexLock lock(mutex_);
  const fs::path directory = fs::path(path).lexically_normal() / "";
  const auto inside = [&directory](const std::string& file) {
    return fs::path(file).lexically_normal().parent_path() / "" == directory;
  };
  std::erase_if(created_, inside);
  std::erase_if(replaced_, [&inside](const auto& entry) { return inside(entry.first); });
}

IOStatus FaultyDisk::Opened(const std::string& path, bool is_new) {
  if (NextOperation() != Fate::kDone) return Dead();
  MutexLock lock(mutex_);
  File file;
  if (is_new) {
    created_.insert(path);
  } else {
    std::error_code error;
    file.size = file.synced = fs::file_size(path, error);
  }
  files_[path] = file;
  return IOStatus::OK();
}

IOStatus FaultyDisk::NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                     std::unique_ptr<rocksdb::FSWritableFile>* result,
                                     rocksdb::IODebugContext* debug) {
  IOStatus status = Opened(path, true);
  if (status.ok()) status = target()->NewWritableFile(path, options, result, debug);
  if (!status.ok()) return status;
  *result = std::make_unique<FaultyWritableFile>(std::move(*result), path, *this);
  return status;
}

IOStatus FaultyDisk::ReopenWritableFile(const std::string& path,
                                        const rocksdb::FileOptions& options,
                                        std::unique_ptr<rocksdb::FSWritableFile>* result,
                                        rocksdb::IODebugContext* debug) {
  IOStatus status = Opened(path, !fs::exists(path));
  if (status.ok()) status = target()->ReopenWritableFile(path, options, result, debug);
  if (!status.ok()) return status;
  *result = std::make_unique<FaultyWritableFile>(std::move(*result), path, *this);
  return status;
}

IOStatus FaultyDisk::NewRandomRWFile(const std::string& path, const rocksdb::FileOptions& options,
                                     std::unique_ptr<rocksdb::FSRandomRWFile>* result,
                                     rocksdb::IODebugContext* debug) {
  IOStatus status = Opened(path, false);
  if (status.ok()) status = target()->NewRandomRWFile(path, options, result, debug);
  if (!status.ok()) return status;
  *result = std::make_unique<FaultyRandomFile>(std::move(*result), path, *this);
  return status;
}

IOStatus FaultyDisk::NewDirectory(const std::string& path, const rocksdb::IOOptions& options,
                                  std::unique_ptr<rocksdb::FSDirectory>* result,
                                  rocksdb::IODebugContext* debug) {
  IOStatus status = target()->NewDirectory(path, options, result, debug);
  if (status.ok()) *result = std::make_unique<FaultyDirectory>(std::move(*result), path, *this);
  return status;
}

IOStatus FaultyDisk::RenameFile(const std::string& from, const std::string& to,
                                const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) {
  if (NextOperation() != Fate::kDone) return Dead();
  const bool replaces = fs::exists(to);
  std::string before = replaces ? ReadAll(to) : std::string();
  const IOStatus status = target()->RenameFile(from, to, options, debug);
  if (!status.ok()) return status;
  MutexLock lock(mutex_);
  if (auto moved = files_.extract(from)) {
    moved.key() = to;
    files_.erase(to);
    files_.insert(std::move(moved));
  }
  created_.erase(from);
  if (replaces) {
    replaced_.emplace(to, std::move(before));
  } else {
    created_.insert(to);
  }
  return status;
}

IOStatus FaultyDisk::DeleteFile(const std::string& path, const rocksdb::IOOptions& options,
                                rocksdb::IODebugContext* debug) {
  if (NextOperation() != Fate::kDone) return Dead();
  const IOStatus status = target()->DeleteFile(path, options, debug);
  MutexLock lock(mutex_);
  files_.erase(path);
  created_.erase(path);
  return status;
}

IOStatus FaultyDisk::GetFreeSpace(const std::string& path, const rocksdb::IOOptions& options,
                                  std::uint64_t* bytes, rocksdb::IODebugContext* debug) {
  {
    MutexLock lock(mutex_);
    if (free_bytes_) {
      *bytes = *free_bytes_;
      return IOStatus::OK();
    }
  }
  return target()->GetFreeSpace(path, options, bytes, debug);
}

void FaultyDisk::Crash(Tail tail, std::mt19937_64& random) {
  MutexLock lock(mutex_);
  for (const auto& [path, file] : files_) {
    if (!fs::exists(path)) continue;
    for (auto undo = file.overwrites.rbegin(); undo != file.overwrites.rend(); ++undo) {
      // A torn write: some of the new bytes may stay.
      const std::uint64_t kept = tail == Tail::kLost ? 0 : random() % (undo->before.size() + 1);
      WriteAt(path, undo->offset + kept, std::string_view(undo->before).substr(kept));
    }
    if (file.size <= file.synced) continue;
    const std::uint64_t kept = tail == Tail::kLost ? 0 : random() % (file.size - file.synced + 1);
    fs::resize_file(path, file.synced + kept);
    if (tail == Tail::kZeroed) fs::resize_file(path, file.size);
  }
  for (const std::string& path : created_) fs::remove(path);
  for (const auto& [path, before] : replaced_) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << before;
  }
  files_.clear();
  created_.clear();
  replaced_.clear();
  operations_left_.reset();
  dead_ = false;
}

}  // namespace logvault::storage
