#include "forwarder/file_bytes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace logvault::forwarder {

namespace {

constexpr std::size_t kSkipBytes = 64 * 1024;

Status ErrnoStatus(const std::string& path) {
  std::string message = path + ": " + std::strerror(errno);
  switch (errno) {
    case ENOENT:
    case ENOTDIR:
      return NotFound(message);
    case EACCES:
    case EPERM:
      return PermissionDenied(message);
    default:
      return Unavailable(message);
  }
}

UnixNanos NanosOf(const struct statx_timestamp& time) {
  return static_cast<UnixNanos>(time.tv_sec) * kNanosPerSecond + time.tv_nsec;
}

// Of `path` under the folder `fd`; with an empty one, of `fd` itself.
Result<FileFacts> Ask(int fd, const std::string& path, const std::string& shown) {
  struct statx facts {};
  constexpr unsigned kWanted = STATX_BASIC_STATS | STATX_BTIME;
  if (::statx(fd, path.c_str(), path.empty() ? AT_EMPTY_PATH : 0, kWanted, &facts) != 0)
    return ErrnoStatus(shown);
  if (S_ISDIR(facts.stx_mode)) return FailedPrecondition(shown + " is a directory");
  if (!S_ISREG(facts.stx_mode)) return FailedPrecondition(shown + " is not a regular file");
  FileFacts result;
  result.id = {::gnu_dev_makedev(facts.stx_dev_major, facts.stx_dev_minor), facts.stx_ino};
  result.size = facts.stx_size;
  result.mtime = NanosOf(facts.stx_mtime);
  if ((facts.stx_mask & STATX_BTIME) != 0) result.born = NanosOf(facts.stx_btime);
  result.links = facts.stx_nlink;
  return result;
}

}  // namespace

Result<FileFacts> FactsOf(const std::string& path) { return Ask(AT_FDCWD, path, path); }

Result<std::unique_ptr<FileBytes>> FileBytes::Open(const std::string& path) {
  // O_NONBLOCK: a pipe that took the file's place must not hold us up.
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return ErrnoStatus(path);
  std::unique_ptr<FileBytes> file(new FileBytes(path, fd, CompressionOf(path)));
  Result<FileFacts> facts = file->Facts();
  if (!facts.ok()) return facts.status();
  return file;
}

FileBytes::FileBytes(std::string path, int fd, Compression compression)
    : path_(std::move(path)), fd_(fd), compression_(compression) {}

FileBytes::~FileBytes() { ::close(fd_); }

Result<FileFacts> FileBytes::Facts() const { return Ask(fd_, "", path_); }

Result<std::string> FileBytes::ReadAt(std::uint64_t offset, std::size_t size) {
  std::string bytes;
  Result<std::size_t> got = AppendAt(offset, size, bytes);
  if (!got.ok()) return got.status();
  return bytes;
}

Result<std::size_t> FileBytes::AppendAt(std::uint64_t offset, std::size_t size, std::string& out) {
  if (compressed()) LV_RETURN_IF_ERROR(MoveTo(offset));
  const std::size_t before = out.size();
  out.resize(before + size);
  const std::span<char> room = std::span(out).subspan(before);
  Result<std::size_t> got = compressed() ? ReadNext(room) : ReadPlain(offset, room);
  out.resize(before + (got.ok() ? *got : 0));
  return got;
}

Result<std::size_t> FileBytes::ReadPlain(std::uint64_t offset, std::span<char> room) const {
  std::size_t got = 0;
  while (got < room.size()) {
    ssize_t n =
        ::pread(fd_, room.data() + got, room.size() - got, static_cast<off_t>(offset + got));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoStatus(path_);
    if (n == 0) break;
    got += static_cast<std::size_t>(n);
  }
  return got;
}

Status FileBytes::MoveTo(std::uint64_t offset) {
  if (expanded_ == nullptr || offset < expanded_offset_) {
    Result<std::unique_ptr<Decompressor>> opened = Decompressor::Open(compression_, fd_);
    if (!opened.ok()) return opened.status().WithContext(path_);
    expanded_ = *std::move(opened);
    expanded_offset_ = 0;
  }
  std::string skipped(kSkipBytes, '\0');
  while (expanded_offset_ < offset) {
    const auto size =
        static_cast<std::size_t>(std::min<std::uint64_t>(offset - expanded_offset_, kSkipBytes));
    Result<std::size_t> got = ReadNext(std::span(skipped).first(size));
    if (!got.ok()) return got.status();
    if (*got == 0) break;
  }
  return Status::Ok();
}

Result<std::size_t> FileBytes::ReadNext(std::span<char> room) {
  Result<std::size_t> got = expanded_->Read(room);
  if (!got.ok()) return got.status().WithContext(path_);
  expanded_offset_ += *got;
  return got;
}

std::string FileBytes::PathNow() const {
  std::error_code error;
  std::filesystem::path link = "/proc/self/fd/" + std::to_string(fd_);
  std::string path = std::filesystem::read_symlink(link, error).string();
  if (error) return {};
  Result<FileFacts> there = FactsOf(path);
  Result<FileFacts> here = Facts();
  return there.ok() && here.ok() && there->id == here->id ? path : std::string();
}

std::uint64_t FileBytes::AfterHole(std::uint64_t offset) const {
  if (compressed()) return offset;
  off_t data = ::lseek(fd_, static_cast<off_t>(offset), SEEK_DATA);
  return data < 0 ? offset : static_cast<std::uint64_t>(data);
}

}  // namespace logvault::forwarder
