#include "forwarder/file_finder.h"

#include <fcntl.h>
#include <glob.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include "evidence/hash.h"

namespace logvault::forwarder {

namespace {

constexpr std::size_t kMaxSiblings = 256;

bool OlderFirst(const FoundFile& a, const FoundFile& b) {
  return std::tie(a.facts.mtime, a.path) < std::tie(b.facts.mtime, b.path);
}

}  // namespace

FilePattern::FilePattern(std::string pattern)
    : pattern_(std::move(pattern)), is_glob_(pattern_.find_first_of("*?[") != std::string::npos) {}

std::vector<FoundFile> FilePattern::Find(Status* trouble) const {
  std::vector<std::string> paths;
  if (!is_glob_) {
    paths.push_back(pattern_);
  } else {
    glob_t matches{};
    if (::glob(pattern_.c_str(), GLOB_NOSORT, nullptr, &matches) == 0) {
      paths.assign(matches.gl_pathv, matches.gl_pathv + matches.gl_pathc);
    }
    ::globfree(&matches);
  }
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

ContentProbe::~ContentProbe() {
  if (fd_ >= 0) ::close(fd_);
}

bool ContentProbe::Has(const FilePosition& position) {
  if (position.offset < kMinContentMatch || found_.facts.size < position.offset) return false;
  if (fd_ < 0) fd_ = ::open(found_.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd_ < 0) return false;
  std::size_t checked = position.checked_bytes();
  return HasHash(0, checked, position.head_hash) &&
         HasHash(position.offset - checked, checked, position.tail_hash);
}

bool ContentProbe::HasHash(std::uint64_t offset, std::size_t size, const evidence::Hash& hash) {
  bool whole_head = offset == 0 && size == kIdentityBytes;
  if (whole_head && whole_head_.has_value()) return *whole_head_ == hash;
  std::string bytes(size, '\0');
  ssize_t n = ::pread(fd_, bytes.data(), size, static_cast<off_t>(offset));
  if (n != static_cast<ssize_t>(size)) return false;
  evidence::Hash actual = evidence::Sha256(bytes);
  if (whole_head) whole_head_ = actual;
  return actual == hash;
}

std::vector<FoundFile> Siblings(const FilePosition& position) {
  std::filesystem::path path(position.path);
  std::string stem = path.filename().string();
  std::size_t dot = stem.find('.', 1);
  if (dot != std::string::npos) stem.resize(dot);
  std::vector<FoundFile> siblings;
  std::error_code error;
  std::filesystem::directory_iterator end;
  for (std::filesystem::directory_iterator i(path.parent_path(), error); !error && i != end;
       i.increment(error)) {
    Result<FileFacts> facts = FactsOf(i->path().string());
    if (!facts.ok() || facts->size < position.offset) continue;
    FoundFile sibling{i->path().string(), *facts};
    if (facts->id == position.id) return {sibling};
    bool alike = i->path().filename().string().starts_with(stem);
    if (alike && siblings.size() < kMaxSiblings) siblings.push_back(std::move(sibling));
  }
  std::sort(siblings.begin(), siblings.end(), OlderFirst);
  return siblings;
}

}  // namespace logvault::forwarder
