#include "tests/forwarder/faulty_vfs.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <new>

namespace logvault::forwarder {

namespace {

// What a disk writes whole or not at all.
constexpr std::size_t kSector = 512;

FaultyVfs* faulty = nullptr;
sqlite3_vfs* real = nullptr;

// SQLite allocates szOsFile bytes: this, and behind it the real file.
struct WrappedFile {
  sqlite3_file base;
  std::string* path;

  static WrappedFile& Of(sqlite3_file* file) { return *reinterpret_cast<WrappedFile*>(file); }
  sqlite3_file* below() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

sqlite3_file* Below(sqlite3_file* file) { return WrappedFile::Of(file).below(); }

int Close(sqlite3_file* file) {
  delete WrappedFile::Of(file).path;
  return Below(file)->pMethods->xClose(Below(file));
}
int Read(sqlite3_file* file, void* to, int size, sqlite3_int64 offset) {
  return Below(file)->pMethods->xRead(Below(file), to, size, offset);
}
int Write(sqlite3_file* file, const void* from, int size, sqlite3_int64 offset) {
  if (!faulty->Operation()) return SQLITE_IOERR_WRITE;
  faulty->Wrote(*WrappedFile::Of(file).path, static_cast<std::uint64_t>(offset),
                {static_cast<const char*>(from), static_cast<std::size_t>(size)});
  return Below(file)->pMethods->xWrite(Below(file), from, size, offset);
}
int Truncate(sqlite3_file* file, sqlite3_int64 size) {
  if (!faulty->Operation()) return SQLITE_IOERR_TRUNCATE;
  faulty->Truncated(*WrappedFile::Of(file).path, static_cast<std::uint64_t>(size));
  return Below(file)->pMethods->xTruncate(Below(file), size);
}
int Sync(sqlite3_file* file, int flags) {
  if (!faulty->Operation()) return SQLITE_IOERR_FSYNC;
  faulty->Synced(*WrappedFile::Of(file).path);
  return Below(file)->pMethods->xSync(Below(file), flags);
}
int FileSize(sqlite3_file* file, sqlite3_int64* size) {
  return Below(file)->pMethods->xFileSize(Below(file), size);
}
int Lock(sqlite3_file* file, int level) { return Below(file)->pMethods->xLock(Below(file), level); }
int Unlock(sqlite3_file* file, int level) {
  return Below(file)->pMethods->xUnlock(Below(file), level);
}
int CheckReservedLock(sqlite3_file* file, int* result) {
  return Below(file)->pMethods->xCheckReservedLock(Below(file), result);
}
int FileControl(sqlite3_file* file, int operation, void* argument) {
  return Below(file)->pMethods->xFileControl(Below(file), operation, argument);
}
int SectorSize(sqlite3_file* file) { return Below(file)->pMethods->xSectorSize(Below(file)); }
// As SQLite takes every disk to be, unless told otherwise: a write harms no byte beside it.  It promises neither that a
// write is whole, nor an order.
int DeviceCharacteristics(sqlite3_file* /*file*/) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }
int ShmMap(sqlite3_file* file, int page, int size, int extend, void volatile** memory) {
  return Below(file)->pMethods->xShmMap(Below(file), page, size, extend, memory);
}
int ShmLock(sqlite3_file* file, int offset, int count, int flags) {
  return Below(file)->pMethods->xShmLock(Below(file), offset, count, flags);
}
void ShmBarrier(sqlite3_file* file) { Below(file)->pMethods->xShmBarrier(Below(file)); }
int ShmUnmap(sqlite3_file* file, int remove) {
  return Below(file)->pMethods->xShmUnmap(Below(file), remove);
}

const sqlite3_io_methods kMethods = {
    2,
    Close,
    Read,
    Write,
    Truncate,
    Sync,
    FileSize,
    Lock,
    Unlock,
    CheckReservedLock,
    FileControl,
    SectorSize,
    DeviceCharacteristics,
    ShmMap,
    ShmLock,
    ShmBarrier,
    ShmUnmap,
    nullptr,
    nullptr,
};

int Open(sqlite3_vfs* /*vfs*/, const char* path, sqlite3_file* file, int flags, int* out_flags) {
  WrappedFile& wrapped = WrappedFile::Of(file);
  wrapped.base.pMethods = nullptr;
  const int code = real->xOpen(real, path, wrapped.below(), flags, out_flags);
  if (code != SQLITE_OK) return code;
  wrapped.path = new std::string(path == nullptr ? "" : path);
  wrapped.base.pMethods = &kMethods;
  faulty->Opened(*wrapped.path);
  return SQLITE_OK;
}

sqlite3_vfs Wrapping() {
  sqlite3_vfs vfs = *real;  // everything else is the real one's
  vfs.zName = "logvault-faulty";
  vfs.szOsFile = static_cast<int>(sizeof(WrappedFile)) + real->szOsFile;
  vfs.pNext = nullptr;
  vfs.xOpen = Open;
  return vfs;
}

std::string Content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

sqlite3_vfs wrapping;

}  // namespace

FaultyVfs::FaultyVfs() {
  faulty = this;
  sqlite3_initialize();
  if (real == nullptr) {
    real = sqlite3_vfs_find(nullptr);
    wrapping = Wrapping();
  }
  sqlite3_vfs_register(&wrapping, 1);
}

FaultyVfs::~FaultyVfs() {
  sqlite3_vfs_unregister(&wrapping);
  sqlite3_vfs_register(real, 1);
  faulty = nullptr;
}

bool FaultyVfs::Operation() {
  if (left_ == 0) return false;
  if (left_ != UINT64_MAX) --left_;
  return left_ != 0;
}

void FaultyVfs::Opened(const std::string& path) {
  const auto [file, is_new] = files_.try_emplace(path);
  if (!is_new) return;
  file->second.synced = Content(path);
  file->second.was_synced = !file->second.synced.empty();
}

void FaultyVfs::Wrote(const std::string& path, std::uint64_t offset, std::string bytes) {
  files_[path].unsynced.push_back({offset, std::move(bytes), false});
}

void FaultyVfs::Truncated(const std::string& path, std::uint64_t size) {
  files_[path].unsynced.push_back({size, "", true});
}

void FaultyVfs::Synced(const std::string& path) {
  File& file = files_[path];
  for (const Write& write : file.unsynced) Apply(write, file.synced);
  file.unsynced.clear();
  file.was_synced = true;
}

void FaultyVfs::Apply(const Write& write, std::string& content) {
  if (write.truncation) return content.resize(write.offset);
  content.resize(std::max<std::size_t>(content.size(), write.offset + write.bytes.size()));
  content.replace(write.offset, write.bytes.size(), write.bytes);
}

void FaultyVfs::PowerCut(std::mt19937_64& random) {
  for (auto& [path, file] : files_) {
    if (!std::filesystem::exists(path)) continue;  // deleted, and that is durable here
    const bool none = random() % 3 == 0;
    for (Write& write : file.unsynced) {
      const std::uint64_t fate = none ? 0 : random() % 4;
      if (fate == 1 && !write.bytes.empty())
        write.bytes.resize(random() % write.bytes.size() / kSector * kSector);
      if (fate != 0) Apply(write, file.synced);
    }
    if (!file.was_synced && none) {
      std::filesystem::remove(path);
      continue;
    }
    std::ofstream(path, std::ios::binary | std::ios::trunc) << file.synced;
  }
  for (const auto& [path, file] : files_) std::filesystem::remove(path + "-shm");
  files_.clear();
  left_ = UINT64_MAX;
}

}  // namespace logvault::forwarder
