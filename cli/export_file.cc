#include "cli/export_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "cli/tar.h"
#include "config/small_file.h"

namespace logvault::cli {
namespace {

constexpr std::size_t kBufferSize = 64 * 1024;

Status SystemError(const std::string& action) {
  return InvalidArgument("cannot " + action + ": " + std::generic_category().message(errno));
}

Status WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError("write the export");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return Status::Ok();
}

// A new file beside `path`; its name is left in `temporary`.
Result<int> CreateBeside(const std::string& path, std::string& temporary) {
  temporary = path + ".XXXXXX";
  const int fd = ::mkostemp(temporary.data(), O_CLOEXEC);
  if (fd < 0) return SystemError("write " + path);
  return fd;
}

}  // namespace

Result<std::unique_ptr<PartFile>> PartFile::Create(const std::string& path) {
  std::string temporary;
  Result<int> fd = CreateBeside(path, temporary);
  if (!fd.ok()) return fd.status();
  ::unlink(temporary.c_str());
  return std::unique_ptr<PartFile>(new PartFile(*fd));
}

PartFile::~PartFile() { ::close(fd_); }

Status PartFile::Add(std::string_view bytes) {
  size_ += bytes.size();
  if (size_ > kMaxTarMember)
    return InvalidArgument("a file of the export would be longer than 8 GiB: narrow the question");
  hash_.Add(bytes);
  buffer_ += bytes;
  return buffer_.size() < kBufferSize ? Status::Ok() : Flush();
}

Status PartFile::Flush() {
  LV_RETURN_IF_ERROR(WriteAll(fd_, buffer_));
  buffer_.clear();
  return Status::Ok();
}

Result<ExportedFile> PartFile::Finish(std::string name) {
  LV_RETURN_IF_ERROR(Flush());
  return ExportedFile{std::move(name), size_, hash_.Finish().Hex()};
}

Result<std::unique_ptr<ExportFile>> ExportFile::Create(const std::string& path) {
  if (Status replaceable = config::CheckReplaceable(path); !replaceable.ok()) return replaceable;
  std::string temporary;
  Result<int> fd = CreateBeside(path, temporary);
  if (!fd.ok()) return fd.status();
  return std::unique_ptr<ExportFile>(new ExportFile(*fd, path, std::move(temporary)));
}

ExportFile::~ExportFile() {
  ::close(fd_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Status ExportFile::Add(std::string_view name, std::string_view bytes) {
  LV_RETURN_IF_ERROR(WriteAll(fd_, TarHeader(name, bytes.size())));
  LV_RETURN_IF_ERROR(WriteAll(fd_, bytes));
  return WriteAll(fd_, std::string(TarPadding(bytes.size()), '\0'));
}

Status ExportFile::Add(std::string_view name, const PartFile& part) {
  LV_RETURN_IF_ERROR(WriteAll(fd_, TarHeader(name, part.size())));
  std::string buffer(kBufferSize, '\0');
  for (std::uint64_t at = 0; at < part.size();) {
    const ssize_t got = ::pread(part.fd_, buffer.data(), buffer.size(), static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return SystemError("read back a part of the export");
    LV_RETURN_IF_ERROR(
        WriteAll(fd_, std::string_view(buffer).substr(0, static_cast<std::size_t>(got))));
    at += static_cast<std::uint64_t>(got);
  }
  return WriteAll(fd_, std::string(TarPadding(part.size()), '\0'));
}

Status ExportFile::Finish() {
  LV_RETURN_IF_ERROR(WriteAll(fd_, std::string(2 * kTarBlock, '\0')));
  if (::fchmod(fd_, 0644) != 0 || ::fsync(fd_) != 0) return SystemError("sync the export");
  return Status::Ok();
}

Status ExportFile::Publish() {
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) return SystemError("replace " + path_);
  temporary_.clear();
  std::string folder = std::filesystem::path(path_).parent_path().string();
  const int fd = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = fd >= 0 && ::fsync(fd) == 0;
  if (fd >= 0) ::close(fd);
  return synced ? Status::Ok() : SystemError("sync the folder of " + path_);
}

}  // namespace logvault::cli
