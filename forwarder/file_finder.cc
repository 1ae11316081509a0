#include "forwarder/file_finder.h"

#include <fnmatch.h>
#include <glob.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

namespace logvault::forwarder {

namespace {

bool OlderFirst(const FoundFile& a, const FoundFile& b) {
  return std::tie(a.facts.mtime, a.path) < std::tie(b.facts.mtime, b.path);
}

// The first folder that glob could not read; it hands its callback nothing of ours.
thread_local Status glob_trouble;

int NoteGlobTrouble(const char* path, int error) {
  bool gone = error == ENOENT || error == ENOTDIR;
  std::string message = std::string(path) + ": " + std::strerror(error);
  if (!gone && glob_trouble.ok())
    glob_trouble = error == EACCES ? PermissionDenied(message) : Unavailable(message);
  return 0;
}

std::vector<std::string> Expand(const std::string& pattern, Status* trouble = nullptr) {
  std::vector<std::string> paths;
  glob_t matches{};
  glob_trouble = Status::Ok();
  if (::glob(pattern.c_str(), GLOB_NOSORT, NoteGlobTrouble, &matches) == 0)
    paths.assign(matches.gl_pathv, matches.gl_pathv + matches.gl_pathc);
  ::globfree(&matches);
  if (trouble != nullptr && trouble->ok()) *trouble = glob_trouble;
  return paths;
}

}  // namespace

FilePattern::FilePattern(std::string pattern)
    : pattern_(std::move(pattern)), is_glob_(pattern_.find_first_of("*?[") != std::string::npos) {}

std::vector<FoundFile> FilePattern::Find(Status* trouble) const {
  std::vector<std::string> paths = is_glob_ ? Expand(pattern_, trouble) : std::vector{pattern_};
  std::vector<FoundFile> found;
  std::set<FileId> seen;
  for (std::string& path : paths) {
    Result<FileFacts> facts = FactsOf(path);
    if (!facts.ok()) {
      // Between glob and stat a file may go: that is rotation, not trouble.
      bool gone = is_glob_ && facts.status().code() == StatusCode::kNotFound;
      if (!gone && trouble->ok()) *trouble = facts.status();
      continue;
    }
    if (seen.insert(facts->id).second) found.push_back({std::move(path), *facts});
  }
  std::sort(found.begin(), found.end(), OlderFirst);
  return found;
}

std::set<std::string> FilePattern::Folders() const {
  std::set<std::string> folders;
  for (std::string path = pattern_;;) {
    std::string folder = std::filesystem::path(path).parent_path().string();
    if (folder.empty()) folder = ".";
    if (folder.find_first_of("*?[") == std::string::npos) {
      folders.insert(folder);
      return folders;
    }
    for (std::string& match : Expand(folder)) folders.insert(std::move(match));
    path = std::move(folder);
  }
}

std::vector<FoundFile> FilePattern::FindCompressed() const {
  std::vector<FoundFile> found;
  if (!is_glob_) return found;
  for (std::string_view suffix : kCompressionSuffixes) {
    for (std::string& path : Expand(pattern_ + std::string(suffix))) {
      Result<FileFacts> facts = FactsOf(path);
      bool named = ::fnmatch(pattern_.c_str(), path.c_str(), FNM_PATHNAME) == 0;
      if (facts.ok() && !named) found.push_back({std::move(path), *facts});
    }
  }
  std::sort(found.begin(), found.end(), OlderFirst);
  return found;
}

}  // namespace logvault::forwarder
