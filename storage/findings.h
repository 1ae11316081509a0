// Findings: what the verifier collects, bounded, from its pass and from the threads that check
// payloads.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "common/mutex.h"
#include "evidence/auditor.h"

namespace logvault::storage {

// A vault of which more is wrong is described well enough by the first ones and a count.
inline constexpr std::size_t kMaxFindings = 100'000;

// Safe from several threads.
class Findings {
 public:
  void Add(evidence::Finding finding) LV_EXCLUDES(mutex_);
  void Add(std::uint64_t block, std::string reason) LV_EXCLUDES(mutex_);
  // The blocks of findings that name no host.
  [[nodiscard]] std::unordered_set<std::uint64_t> Nameless() const LV_EXCLUDES(mutex_);
  // Gives such findings the host, source and numbers that `names` has for their block.
  void Name(const std::unordered_map<std::uint64_t, evidence::Finding>& names) LV_EXCLUDES(mutex_);
  // By block; a last one says how many more there were.
  [[nodiscard]] std::vector<evidence::Finding> Take() LV_EXCLUDES(mutex_);

 private:
  mutable Mutex mutex_;
  std::vector<evidence::Finding> findings_ LV_GUARDED_BY(mutex_);
  std::uint64_t left_out_ LV_GUARDED_BY(mutex_) = 0;
};

}  // namespace logvault::storage
