// The keys K_i of running epochs, so that a batch's seal can be checked without walking the ratchet
// from K_0 each time.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "common/mutex.h"
#include "common/status.h"
#include "evidence/hash.h"
#include "storage/reader.h"

namespace logvault::server {

// A batch may name any index; walking there costs a hash a step.  Past this many the caller is told
// to try again, and the walk goes on from where it stopped.
inline constexpr std::uint32_t kMaxSealStepsAtOnce = 500'000;  // about 0.3 s

// Safe from several threads.
class SealKeys {
 public:
  // `reader` must outlive this.
  explicit SealKeys(const storage::Reader& reader) : reader_(reader) {}

  // K_index of the epoch.  kNotFound where the vault has no K_0 of it; kResourceExhausted where the
  // walk was too long for one call.
  Result<evidence::Hash> KeyAt(const std::string& host, std::uint64_t epoch, std::uint32_t index)
      LV_EXCLUDES(mutex_);

 private:
  // Known keys of one epoch by index: K_0 and some recent ones.
  using Points = std::map<std::uint32_t, evidence::Hash>;
  using EpochName = std::pair<std::string, std::uint64_t>;

  Result<std::pair<std::uint32_t, evidence::Hash>> NearestBelow(const EpochName& name,
                                                                std::uint32_t index)
      LV_EXCLUDES(mutex_);
  void Remember(const EpochName& name, std::uint32_t index, const evidence::Hash& key)
      LV_EXCLUDES(mutex_);

  const storage::Reader& reader_;
  Mutex mutex_;
  std::map<EpochName, Points> epochs_ LV_GUARDED_BY(mutex_);
};

}  // namespace logvault::server
