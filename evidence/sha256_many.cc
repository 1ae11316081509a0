#include "evidence/sha256_many.h"

#include "common/check.h"

#ifdef LOGVAULT_IPSEC_MB
#include <intel-ipsec-mb.h>

#include <memory>
#include <utility>
#include <vector>

#include "common/mutex.h"
#endif

namespace logvault::evidence {
namespace {

void HashEach(std::span<const std::string_view> messages, std::span<Hash> hashes) {
  for (std::size_t i = 0; i < messages.size(); ++i) hashes[i] = Sha256(messages[i]);
}

#ifdef LOGVAULT_IPSEC_MB

// The library refuses lengths from 65,535 on; so long ones gain nothing either.
constexpr std::size_t kLongestAtOnce = 32u << 10;

struct FreeManager {
  void operator()(IMB_MGR* manager) const { free_mb_mgr(manager); }
};
using Manager = std::unique_ptr<IMB_MGR, FreeManager>;

// The library's managers, each for one call at a time: making one costs as much as ten thousand hashes.
class Managers {
 public:
  Manager Take() {
    {
      MutexLock lock(mutex_);
      if (!idle_.empty()) {
        Manager manager = std::move(idle_.back());
        idle_.pop_back();
        return manager;
      }
    }
    Manager manager(alloc_mb_mgr(0));
    LV_CHECK(manager != nullptr);
    init_mb_mgr_auto(manager.get(), nullptr);
    // With SHA instructions all of the library's kinds hash alike, and the widest has the most to do beside it.
    constexpr std::uint64_t kNarrowerIsFaster = IMB_FEATURE_SHANI | IMB_FEATURE_AVX2;
    if ((manager->features & kNarrowerIsFaster) == kNarrowerIsFaster)
      init_mb_mgr_avx2(manager.get());
    return manager;
  }
  void GiveBack(Manager manager) {
    MutexLock lock(mutex_);
    idle_.push_back(std::move(manager));
  }

 private:
  Mutex mutex_;
  std::vector<Manager> idle_ LV_GUARDED_BY(mutex_);
};

Managers& TheManagers() {
  static Managers managers;
  return managers;
}

// A job comes back in its own time, its hash written where it was asked for.
std::size_t TakeCompleted(IMB_MGR* manager, const IMB_JOB* job) {
  std::size_t completed = 0;
  for (; job != nullptr; job = IMB_GET_COMPLETED_JOB(manager)) {
    LV_CHECK(job->status == IMB_STATUS_COMPLETED);
    ++completed;
  }
  return completed;
}

// REQUIRES: the message is not empty and not longer than kLongestAtOnce; the library, which would look at every job once more
// for a sixth of the time, is told not to.
std::size_t Submit(IMB_MGR* manager, std::string_view message, Hash& hash) {
  IMB_JOB* job = IMB_GET_NEXT_JOB(manager);
  job->cipher_mode = IMB_CIPHER_NULL;
  job->cipher_direction = IMB_DIR_ENCRYPT;
  job->chain_order = IMB_ORDER_HASH_CIPHER;
  job->hash_alg = IMB_AUTH_SHA_256;
  job->src = reinterpret_cast<const std::uint8_t*>(message.data());
  job->hash_start_src_offset_in_bytes = 0;
  job->msg_len_to_hash_in_bytes = message.size();
  job->msg_len_to_cipher_in_bytes = 0;
  job->auth_tag_output = hash.bytes.data();
  job->auth_tag_output_len_in_bytes = kHashSize;
  return TakeCompleted(manager, IMB_SUBMIT_JOB_NOCHECK(manager));
}

void HashSeveral(std::span<const std::string_view> messages, std::span<Hash> hashes) {
  Manager manager = TheManagers().Take();
  std::size_t outstanding = 0;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    // An empty one is no job to the library.
    if (messages[i].empty() || messages[i].size() > kLongestAtOnce) {
      hashes[i] = Sha256(messages[i]);
      continue;
    }
    ++outstanding;
    outstanding -= Submit(manager.get(), messages[i], hashes[i]);
  }
  while (outstanding > 0) {
    const std::size_t completed = TakeCompleted(manager.get(), IMB_FLUSH_JOB(manager.get()));
    LV_CHECK(completed > 0 && completed <= outstanding);
    outstanding -= completed;
  }
  TheManagers().GiveBack(std::move(manager));
}

#endif

}  // namespace

void Sha256Many(std::span<const std::string_view> messages, std::span<Hash> hashes) {
  LV_CHECK(messages.size() == hashes.size());
#ifdef LOGVAULT_IPSEC_MB
  if (messages.size() >= kManyMessages) return HashSeveral(messages, hashes);
#endif
  HashEach(messages, hashes);
}

bool HashesSeveralAtOnce() {
#ifdef LOGVAULT_IPSEC_MB
  return true;
#else
  return false;
#endif
}

}  // namespace logvault::evidence
