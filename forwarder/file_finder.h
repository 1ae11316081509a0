// Finds the files of a pattern.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "common/status.h"
#include "forwarder/content_probe.h"

namespace logvault::forwarder {

class FilePattern {
 public:
  explicit FilePattern(std::string pattern);

  [[nodiscard]] bool is_glob() const { return is_glob_; }
  // The regular files that the pattern names now, oldest first, each once.  `trouble` is the first file that
  // cannot be used, and why; OK where there is none.  A glob that matches nothing is no trouble.
  std::vector<FoundFile> Find(Status* trouble) const;
  // The folders in which a file that the pattern names, or a folder on the way to one, may appear.
  std::set<std::string> Folders() const;
  // What a glob would name if a compression suffix were taken off; oldest first, without what Find gives.
  std::vector<FoundFile> FindCompressed() const;

 private:
  const std::string pattern_;
  const bool is_glob_;
};

}  // namespace logvault::forwarder
