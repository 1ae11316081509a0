// JournalFolder: where the journal's files lie, and which are there.
#pragma once

#include <string>
#include <vector>

#include "common/status.h"
#include "forwarder/file_bytes.h"

namespace logvault::forwarder {

// Those of one host's journald are some hundred at most.
inline constexpr std::size_t kMaxJournalFiles = 8192;

struct FoundJournal {
  std::string path;
  FileId id;
};

class JournalFolder {
 public:
  // As `journalctl -D`: the folder, and those in it that a machine's id names.  Empty: this machine's, kept or volatile.
  explicit JournalFolder(std::string directory) : directory_(std::move(directory)) {}

  // By path.  `*trouble`: why nothing, or not all, could be found; kNotFound where there is no such folder.
  [[nodiscard]] std::vector<FoundJournal> Find(Status* trouble) const;

 private:
  const std::string directory_;
};

}  // namespace logvault::forwarder
