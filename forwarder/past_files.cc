#include "forwarder/past_files.h"

#include <algorithm>
#include <utility>

namespace logvault::forwarder {

void PastFiles::Clear() {
  files_.clear();
  orphans_.clear();
}

void PastFiles::Put(FilePosition position) {
  const FileId id = position.id;
  files_.insert_or_assign(id, std::move(position));
}

void PastFiles::PutOrphan(FilePosition position) {
  if (orphans_.size() == kMaxOrphans) orphans_.erase(orphans_.begin());
  orphans_.push_back(std::move(position));
}

std::optional<FilePosition> PastFiles::Take(const FileId& id) {
  auto node = files_.extract(id);
  if (node.empty()) return std::nullopt;
  return std::move(node.mapped());
}

std::optional<FilePosition> PastFiles::TakeByContent(ContentProbe& probe) {
  std::optional<FilePosition> found = FindByContent(probe);
  if (found.has_value()) Drop(*found);
  return found;
}

std::optional<FilePosition> PastFiles::FindByContent(ContentProbe& probe) const {
  const std::uint64_t fingerprint = probe.Fingerprint();
  if (fingerprint == 0) return std::nullopt;
  const auto has = [&](const FilePosition& position) {
    return position.fingerprint == fingerprint && probe.Has(position);
  };
  for (const auto& [id, position] : files_) {
    if (has(position)) return position;
  }
  auto orphan = std::find_if(orphans_.begin(), orphans_.end(), has);
  return orphan == orphans_.end() ? std::nullopt : std::optional(*orphan);
}

void PastFiles::Drop(const FilePosition& position) {
  auto file = files_.find(position.id);
  if (file != files_.end() && file->second == position) files_.erase(file);
  std::erase(orphans_, position);
}

std::vector<FilePosition> PastFiles::TakeSurplus() {
  std::vector<FilePosition> surplus;
  while (files_.size() > kMaxPastFiles) {
    auto oldest = std::min_element(files_.begin(), files_.end(), [](const auto& a, const auto& b) {
      return a.second.mtime < b.second.mtime;
    });
    surplus.push_back(std::move(oldest->second));
    files_.erase(oldest);
  }
  return surplus;
}

std::set<std::string> PastFiles::Families() const {
  std::set<std::string> families;
  for (const auto& [id, position] : files_) families.insert(position.family());
  return families;
}

std::vector<FilePosition> PastFiles::InFamily(const std::string& live) const {
  std::vector<FilePosition> positions;
  for (const auto& [id, position] : files_) {
    if (position.family() == live) positions.push_back(position);
  }
  return positions;
}

}  // namespace logvault::forwarder
