#include "config/small_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace logvault::config {
namespace {

// Closes on every way out.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  const int fd_;
};

Status SystemError(int error, const std::string& action, const std::string& path) {
  std::string message =
      "cannot " + action + " " + path + ": " + std::generic_category().message(error);
  switch (error) {
    case ENOENT:
      return NotFound(std::move(message));
    case EACCES:
    case EPERM:
      return PermissionDenied(std::move(message));
    case ENOSPC:
    case EDQUOT:
      return ResourceExhausted(std::move(message));
    default:
      return FailedPrecondition(std::move(message));
  }
}

Status WriteAll(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError(errno, "write", path);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return Status::Ok();
}

Status FillAndSync(int fd, std::string_view bytes, FileMode mode, const std::string& path) {
  if (::fchmod(fd, mode == FileMode::kPrivate ? 0600 : 0644) != 0)
    return SystemError(errno, "chmod", path);
  LV_RETURN_IF_ERROR(WriteAll(fd, bytes, path));
  if (::fsync(fd) != 0) return SystemError(errno, "sync", path);
  return Status::Ok();
}

Status SyncFolderOf(const std::string& path) {
  std::string folder = std::filesystem::path(path).parent_path().string();
  if (folder.empty()) folder = ".";
  const Descriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0 || ::fsync(fd.get()) != 0) return SystemError(errno, "sync", folder);
  return Status::Ok();
}

}  // namespace

Result<std::string> ReadSmallFile(const std::string& path, std::size_t max_bytes) {
  // Not blocking: a named pipe in the place of a file must not hold up a start.
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) return SystemError(errno, "read", path);
  struct stat info;
  if (::fstat(fd.get(), &info) != 0) return SystemError(errno, "read", path);
  if (!S_ISREG(info.st_mode)) return InvalidArgument(path + " is not a regular file");

  std::string bytes;
  char buffer[16384];
  while (true) {
    const ssize_t size = ::read(fd.get(), buffer, sizeof buffer);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return SystemError(errno, "read", path);
    if (size == 0) return bytes;
    bytes.append(buffer, static_cast<std::size_t>(size));
    if (bytes.size() > max_bytes) {
      return InvalidArgument(path + " is longer than " + std::to_string(max_bytes) + " bytes");
    }
  }
}

Status CheckReplaceable(const std::string& path) {
  struct stat info;
  if (::stat(path.c_str(), &info) != 0 || S_ISREG(info.st_mode)) return Status::Ok();
  return InvalidArgument(path + " is not a regular file, and is not replaced by one");
}

Status WriteSmallFile(const std::string& path, std::string_view bytes, FileMode mode) {
  LV_RETURN_IF_ERROR(CheckReplaceable(path));
  std::string temporary = path + ".XXXXXX";
  Status status;
  {
    const Descriptor fd(::mkostemp(temporary.data(), O_CLOEXEC));  // Made with mode 0600.
    if (fd.get() < 0) return SystemError(errno, "write", path);
    status = FillAndSync(fd.get(), bytes, mode, temporary);
  }
  if (status.ok() && ::rename(temporary.c_str(), path.c_str()) != 0) {
    status = SystemError(errno, "replace", path);
  }
  if (!status.ok()) {
    ::unlink(temporary.c_str());
    return status;
  }
  return SyncFolderOf(path);
}

}  // namespace logvault::config
