// Finds the files of a pattern, and a file's content under another name.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/status.h"
#include "forwarder/position.h"
#include "forwarder/tracked_file.h"

namespace logvault::forwarder {

struct FoundFile {
  std::string path;
  FileFacts facts;
};

class FilePattern {
 public:
  explicit FilePattern(std::string pattern);

  [[nodiscard]] bool is_glob() const { return is_glob_; }
  // The regular files that the pattern names now, oldest first, each once.  `trouble` is the first file that
  // cannot be used, and why; OK where there is none.  A glob that matches nothing is no trouble.
  std::vector<FoundFile> Find(Status* trouble) const;

 private:
  const std::string pattern_;
  const bool is_glob_;
};

// Positions shorter than this are not recognised by their content alone: short files are often alike.
inline constexpr std::uint64_t kMinContentMatch = 256;

// Compares the bytes of one file with many positions; opens it when it must, and once.
class ContentProbe {
 public:
  // `found` must outlive the probe.
  explicit ContentProbe(const FoundFile& found) : found_(found) {}
  ~ContentProbe();
  ContentProbe(const ContentProbe&) = delete;
  ContentProbe& operator=(const ContentProbe&) = delete;

  // Whether the bytes that `position` was read from stand at the beginning of the file.
  bool Has(const FilePosition& position);

 private:
  bool HasHash(std::uint64_t offset, std::size_t size, const evidence::Hash& hash);

  const FoundFile& found_;
  int fd_ = -1;
  std::optional<evidence::Hash> whole_head_;  // of the first kIdentityBytes
};

// The same file under another name in its folder; else files there whose names begin like its own, which may be copies.
std::vector<FoundFile> Siblings(const FilePosition& position);

}  // namespace logvault::forwarder
