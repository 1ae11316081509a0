// PastFiles: positions of files that were read before and are not being read now.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "forwarder/content_probe.h"
#include "forwarder/position.h"

namespace logvault::forwarder {

inline constexpr std::size_t kMaxPastFiles = 1000;
inline constexpr std::size_t kMaxOrphans = 64;

class PastFiles {
 public:
  void Clear();
  void Put(FilePosition position);
  // The inode has other bytes now, but those of `position` may turn up in a copy.  Not kept over a restart.
  void PutOrphan(FilePosition position);

  [[nodiscard]] bool Contains(const FileId& id) const { return files_.contains(id); }
  std::optional<FilePosition> Take(const FileId& id);
  // A position of which the probed file has the bytes.
  std::optional<FilePosition> TakeByContent(ContentProbe& probe);
  // The same, and it stays.
  [[nodiscard]] std::optional<FilePosition> FindByContent(ContentProbe& probe) const;
  // That very one.
  void Drop(const FilePosition& position);
  // What is too much, by the oldest mtime.
  std::vector<FilePosition> TakeSurplus();

  [[nodiscard]] const std::map<FileId, FilePosition>& files() const { return files_; }
  [[nodiscard]] std::set<std::string> Families() const;
  [[nodiscard]] std::vector<FilePosition> InFamily(const std::string& live) const;

 private:
  std::map<FileId, FilePosition> files_;
  std::vector<FilePosition> orphans_;  // oldest first
};

}  // namespace logvault::forwarder
