#include "server/seal_keys.h"

#include <iterator>
#include <optional>

#include "evidence/seal.h"
#include "server/refusal.h"

namespace logvault::server {
namespace {

constexpr std::size_t kMaxEpochs = 4096;  // of all hosts, in memory
constexpr std::size_t kMaxPoints = 16;    // of one epoch
constexpr std::uint32_t kPointDistance =
    64;  // batches are repeated by the request, some tens at a time

}  // namespace

Result<evidence::Hash> SealKeys::KeyAt(const std::string& host, std::uint64_t epoch,
                                       std::uint32_t index) {
  const EpochName name{host, epoch};
  Result<std::pair<std::uint32_t, evidence::Hash>> nearest = NearestBelow(name, index);
  if (!nearest.ok()) return nearest.status();
  const auto& [from, from_key] = *nearest;

  const bool too_far = index - from > kMaxSealStepsAtOnce;
  const std::uint32_t reached = too_far ? from + kMaxSealStepsAtOnce : index;
  const evidence::Hash key = evidence::SealKeyAt(from_key.view(), from, reached);
  if (too_far || reached - from >= kPointDistance) Remember(name, reached, key);
  if (too_far) {
    return ResourceExhausted("still computing seal key " + std::to_string(index) + " of host " +
                             host);
  }
  return key;
}

Result<std::pair<std::uint32_t, evidence::Hash>> SealKeys::NearestBelow(const EpochName& name,
                                                                        std::uint32_t index) {
  {
    MutexLock lock(mutex_);
    const auto epoch = epochs_.find(name);
    if (epoch != epochs_.end()) {
      const auto& [at, key] = *std::prev(epoch->second.upper_bound(index));  // K_0 is always there
      return std::pair<std::uint32_t, evidence::Hash>{at, key};
    }
  }
  Result<std::optional<evidence::Hash>> k0 = reader_.SealKey(name.first, name.second);
  if (!k0.ok()) return OurFault(k0.status());
  if (!k0->has_value()) {
    return NotFound("the vault has no seal key of host " + name.first + ", epoch " +
                    std::to_string(name.second));
  }
  MutexLock lock(mutex_);
  if (epochs_.size() >= kMaxEpochs) epochs_.clear();  // rare, and only costs walking again
  epochs_[name].emplace(0, **k0);
  return std::pair<std::uint32_t, evidence::Hash>{0, **k0};
}

void SealKeys::Remember(const EpochName& name, std::uint32_t index, const evidence::Hash& key) {
  MutexLock lock(mutex_);
  const auto epoch = epochs_.find(name);
  if (epoch == epochs_.end()) return;
  Points& points = epoch->second;
  points.emplace(index, key);
  if (points.size() > kMaxPoints) points.erase(std::next(points.begin()));  // K_0 stays
}

}  // namespace logvault::server
