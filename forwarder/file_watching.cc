// When there is something to look at: what the kernel tells, and a slow look all the same.
#include <algorithm>
#include <filesystem>
#include <utility>

#include "forwarder/file_source.h"

namespace logvault::forwarder {

namespace {

std::string FolderOf(const std::string& path) {
  std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

std::string NameOf(const std::string& path) { return std::filesystem::path(path).filename(); }

}  // namespace

int FileSource::poll_fd() const {
  // Who writes all the time must not wake us with every line.
  return watching_ && clock_.Monotonic() >= next_news_ ? watch_.fd() : -1;
}

// After a scan: the folders of everything that is read, and those where a new name may appear.
void FileSource::WatchFolders() {
  if (options_.drain || !options_.watch) return;
  std::set<std::string> folders = pattern_.Folders();
  for (const Entry& entry : files_) {
    if (entry.gone || folders.size() > kMaxWatchedFolders) continue;
    folders.insert(FolderOf(entry.file->path()));
    if (!entry.file->target().empty()) folders.insert(FolderOf(entry.file->target()));
  }
  watching_ = watch_.SetFolders(folders);
}

void FileSource::TakeNews() {
  const std::int64_t now = clock_.Monotonic();
  if (!watching_ || now < next_news_) return;
  next_news_ = now + kLookIntervalNanos;
  DirectoryWatch::News news = watch_.Take();
  if (news.overflow) {
    next_scan_ = std::min(next_scan_, last_scan_ + scan_pause_);
    active_until_ = now + kActiveNanos;
  }
  for (const std::string& path : news.changed) NoteChange(path, now);
  for (const std::string& path : news.touched) NoteWrite(path, now);
}

void FileSource::NoteChange(const std::string& path, std::int64_t now) {
  // Beside a single file everything else is another's; not so where symbolic links lead.
  bool others = !pattern_.is_glob() && NameOf(path) != NameOf(options_.path) &&
                FolderOf(path) == FolderOf(options_.path);
  if (others) return;
  next_scan_ = std::min(next_scan_, last_scan_ + scan_pause_);
  active_until_ = now + kActiveNanos;
}

void FileSource::NoteWrite(const std::string& path, std::int64_t now) {
  for (Entry& entry : files_) {
    if (entry.gone || (entry.file->path() != path && entry.file->target() != path)) continue;
    active_until_ = now + kActiveNanos;
    if (entry.file->is_open() || !entry.on_path) return;
    Result<FileFacts> facts = FactsOf(path);
    if (facts.ok() && facts->id == entry.file->id()) entry.facts = *facts;
    return;
  }
  NoteChange(path, now);
}

// True where a round would find nothing, as far as the kernel tells.
bool FileSource::IsQuiet() const {
  const std::int64_t now = clock_.Monotonic();
  return watching_ && now >= active_until_ && now < next_slow_look_ && now < next_scan_;
}

}  // namespace logvault::forwarder
