#include "storage/findings.h"

#include <algorithm>
#include <utility>

namespace logvault::storage {

void Findings::Add(evidence::Finding finding) {
  MutexLock lock(mutex_);
  if (findings_.size() < kMaxFindings) {
    findings_.push_back(std::move(finding));
  } else {
    ++left_out_;
  }
}

void Findings::Add(std::uint64_t block, std::string reason) {
  evidence::Finding finding;
  finding.block = block;
  finding.reason = std::move(reason);
  Add(std::move(finding));
}

std::unordered_set<std::uint64_t> Findings::Nameless() const {
  MutexLock lock(mutex_);
  std::unordered_set<std::uint64_t> blocks;
  for (const evidence::Finding& finding : findings_) {
    if (finding.host.empty()) blocks.insert(finding.block);
  }
  return blocks;
}

void Findings::Name(const std::unordered_map<std::uint64_t, evidence::Finding>& names) {
  MutexLock lock(mutex_);
  for (evidence::Finding& finding : findings_) {
    const auto name = names.find(finding.block);
    if (name == names.end() || !finding.host.empty()) continue;
    finding.host = name->second.host;
    finding.source = name->second.source;
    finding.first_seq = name->second.first_seq;
    finding.last_seq = name->second.last_seq;
  }
}

std::vector<evidence::Finding> Findings::Take() {
  MutexLock lock(mutex_);
  std::vector<evidence::Finding> result = std::exchange(findings_, {});
  std::stable_sort(
      result.begin(), result.end(),
      [](const evidence::Finding& a, const evidence::Finding& b) { return a.block < b.block; });
  if (left_out_ > 0) {
    evidence::Finding more;
    more.reason = "and " + std::to_string(left_out_) + " findings more, which are not listed";
    result.push_back(std::move(more));
    left_out_ = 0;
  }
  return result;
}

}  // namespace logvault::storage
