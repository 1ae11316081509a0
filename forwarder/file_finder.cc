#include "forwarder/file_finder.h"

#include <fnmatch.h>
#include <glob.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

namespace logvault::forwarder {

namespace {

bool OlderFirst(const FoundFile& a, const FoundFile& b) {
  return std::tie(a.facts.mtime, a.path) < std::tie(b.facts.mtime, b.path);
}

std::vector<std::string> Expand(const std::string& pattern) {
  std::vector<std::string> paths;
  glob_t matches{};
  if (::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &matches) == 0)
    paths.assign(matches.gl_pathv, matches.gl_pathv + matches.gl_pathc);
  ::globfree(&matches);
  return paths;
}

}  // namespace

FilePattern::FilePattern(std::string pattern)
    : pattern_(std::move(pattern)), is_glob_(pattern_.find_first_of("*?[") != std::string::npos) {}

std::vector<FoundFile> FilePattern::Find(Status* trouble) const {
  std::vector<std::string> paths = is_glob_ ? Expand(pattern_) : std::vector{pattern_};
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
