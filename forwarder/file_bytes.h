// FileBytes: an open regular file's bytes as its source wrote them; a compressed one is decompressed.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "common/clock.h"
#include "common/status.h"
#include "forwarder/decompressor.h"

namespace logvault::forwarder {

struct FileId {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  auto operator<=>(const FileId&) const = default;
};

// What stat says about a regular file.
struct FileFacts {
  FileId id;
  std::uint64_t size = 0;  // as stored
  UnixNanos mtime = 0;
  UnixNanos born = 0;  // 0 where the file system does not tell
  std::uint64_t links = 0;
  bool operator==(const FileFacts&) const = default;
};
// Symbolic links are followed.  kNotFound, kPermissionDenied, or kFailedPrecondition for what is not a regular file.
Result<FileFacts> FactsOf(const std::string& path);

// Owns the descriptor.  Not for several threads.
class FileBytes {
 public:
  // Errors as FactsOf.
  static Result<std::unique_ptr<FileBytes>> Open(const std::string& path);
  ~FileBytes();
  FileBytes(const FileBytes&) = delete;
  FileBytes& operator=(const FileBytes&) = delete;

  [[nodiscard]] Result<FileFacts> Facts() const;
  [[nodiscard]] bool compressed() const { return compression_ != Compression::kNone; }

  // Up to `size` bytes from `offset`; fewer where they end there.  Cheap for a compressed file only while offsets
  // grow; where it is damaged, kCorruption comes after the bytes before the damage.
  Result<std::string> ReadAt(std::uint64_t offset, std::size_t size);
  // The same to the end of `out`; how many there were.  On an error `out` is as it was.
  Result<std::size_t> AppendAt(std::uint64_t offset, std::size_t size, std::string& out);
  // What was damaged may have grown whole.
  void Restart() { expanded_.reset(); }
  // Where it lies now, whatever became of the name it was opened by; empty where it was deleted.
  [[nodiscard]] std::string PathNow() const;
  // Where the first byte at or after `offset` stands that was ever written; `offset` where nobody can tell.
  [[nodiscard]] std::uint64_t AfterHole(std::uint64_t offset) const;

 private:
  FileBytes(std::string path, int fd, Compression compression);
  Result<std::size_t> ReadPlain(std::uint64_t offset, std::span<char> room) const;
  Status MoveTo(std::uint64_t offset);
  Result<std::size_t> ReadNext(std::span<char> room);

  const std::string path_;
  const int fd_;
  const Compression compression_;
  std::unique_ptr<Decompressor> expanded_;
  std::uint64_t expanded_offset_ = 0;
};

}  // namespace logvault::forwarder
