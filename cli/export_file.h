// The file of an export while it is made: parts that grow side by side, and the tar that they end up in.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "cli/export_manifest.h"
#include "common/status.h"
#include "evidence/hash.h"

namespace logvault::cli {

// A file without a name, beside the export so that it lies on the same disk.  Not for several threads.
class PartFile {
 public:
  // Beside `path`.
  static Result<std::unique_ptr<PartFile>> Create(const std::string& path);
  ~PartFile();
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  Status Add(std::string_view bytes);
  [[nodiscard]] std::uint64_t size() const { return size_; }
  // Ends it: what the manifest says of it under `name`.
  Result<ExportedFile> Finish(std::string name);

 private:
  friend class ExportFile;
  explicit PartFile(int fd) : fd_(fd) {}
  Status Flush();

  const int fd_;
  std::string buffer_;
  std::uint64_t size_ = 0;
  evidence::Sha256Stream hash_;
};

// The tar: a temporary file beside its place until Publish.  Not for several threads.
class ExportFile {
 public:
  static Result<std::unique_ptr<ExportFile>> Create(const std::string& path);
  ~ExportFile();  // removes what was not published
  ExportFile(const ExportFile&) = delete;
  ExportFile& operator=(const ExportFile&) = delete;

  Status Add(std::string_view name, std::string_view bytes);
  Status Add(std::string_view name, const PartFile& part);
  // Writes the tar's end and syncs; then temporary_path() can be read.
  Status Finish();
  [[nodiscard]] const std::string& temporary_path() const { return temporary_; }
  // Renames it into place, over what was there.
  Status Publish();

 private:
  ExportFile(int fd, std::string path, std::string temporary)
      : fd_(fd), path_(std::move(path)), temporary_(std::move(temporary)) {}

  const int fd_;
  const std::string path_;
  std::string temporary_;  // empty once published
};

}  // namespace logvault::cli
