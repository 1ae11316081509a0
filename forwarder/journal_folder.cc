#include "forwarder/journal_folder.h"

#include <sys/stat.h>
#include <systemd/sd-id128.h>

#include <algorithm>
#include <filesystem>
#include <utility>

namespace logvault::forwarder {

namespace {

namespace fs = std::filesystem;

constexpr const char* kRoots[] = {"/var/log/journal", "/run/log/journal"};

// Live, rotated, and put aside after an unclean end (`~`).
bool IsJournalName(const std::string& name) {
  return name.ends_with(".journal") || name.ends_with(".journal~");
}

bool IsMachineId(const std::string& name) {
  constexpr std::size_t kDigits = 32;
  return name.size() == kDigits && name.find_first_not_of("0123456789abcdef") == std::string::npos;
}

class Finding {
 public:
  void AddFolder(const fs::path& folder, bool with_machines) {
    std::error_code error;
    fs::directory_iterator entries(folder, error);
    if (error) return Note(folder, error);
    for (; entries != fs::directory_iterator(); entries.increment(error)) {
      if (error) return Note(folder, error);
      const std::string name = entries->path().filename().string();
      if (IsJournalName(name)) AddFile(entries->path().string());
      if (with_machines && IsMachineId(name)) AddFolder(entries->path(), false);
    }
    any_folder_ = true;
  }

  std::vector<FoundJournal> Take(Status* trouble) {
    if (!any_folder_ || trouble_.code() != StatusCode::kNotFound) *trouble = trouble_;
    std::sort(found_.begin(), found_.end(),
              [](const FoundJournal& a, const FoundJournal& b) { return a.path < b.path; });
    return std::move(found_);
  }

 private:
  void AddFile(const std::string& path) {
    struct stat facts {};
    if (::stat(path.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) return;
    if (found_.size() < kMaxJournalFiles)
      return found_.push_back({path, {facts.st_dev, facts.st_ino}});
    trouble_ = ResourceExhausted("over " + std::to_string(kMaxJournalFiles) + " journal files");
  }
  void Note(const fs::path& folder, const std::error_code& error) {
    const std::string message = folder.string() + ": " + error.message();
    const bool missing = error == std::errc::no_such_file_or_directory;
    if (trouble_.ok() || !missing)
      trouble_ = missing ? NotFound(message) : PermissionDenied(message);
  }

  std::vector<FoundJournal> found_;
  Status trouble_;
  bool any_folder_ = false;
};

std::string MachineId() {
  sd_id128_t id{};
  if (::sd_id128_get_machine(&id) < 0) return "";
  char text[SD_ID128_STRING_MAX];
  return ::sd_id128_to_string(id, text);
}

}  // namespace

std::vector<FoundJournal> JournalFolder::Find(Status* trouble) const {
  Finding finding;
  if (!directory_.empty()) {
    finding.AddFolder(directory_, true);
  } else {
    const std::string machine = MachineId();
    for (const char* root : kRoots) finding.AddFolder(fs::path(root) / machine, false);
  }
  return finding.Take(trouble);
}

}  // namespace logvault::forwarder
