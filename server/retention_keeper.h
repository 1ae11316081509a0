// RetentionKeeper: deletes what the retention policy no longer keeps.  Each time it says so first (RETENTION), deletes,
// and says that it is done (RETENTION_DONE); what a stop or a crash left undone is done at the next start.
#pragma once

#include <atomic>
#include <condition_variable>
#include <optional>
#include <thread>

#include "common/clock.h"
#include "common/mutex.h"
#include "common/status.h"
#include "server/counters.h"
#include "storage/committer.h"
#include "storage/vault.h"

namespace logvault::server {

class RetentionKeeper {
 public:
  // Everything outlives it.
  RetentionKeeper(const storage::Vault& vault, storage::Committer& committer, Counters& counters,
                  const Clock& clock);
  ~RetentionKeeper();  // breaks off a deletion
  RetentionKeeper(const RetentionKeeper&) = delete;
  RetentionKeeper& operator=(const RetentionKeeper&) = delete;

  // Looks, on a thread of its own, whether something is due: after a change of what is ordered, and then every tenth of the
  // shortest time that a rule keeps, but once a day at least and not twice a second.
  void Tick() LV_EXCLUDES(mutex_);

 private:
  void Run(const std::stop_token& stop) LV_EXCLUDES(mutex_);
  [[nodiscard]] bool Due();
  Status DeleteAllExpired();
  Status Append(evidence::BlockKind kind, std::string body, std::uint64_t* index);
  Status Finish(std::uint64_t retention);

  const storage::Vault& vault_;
  storage::Committer& committer_;
  Counters& counters_;
  const Clock& clock_;

  // The thread's own.
  evidence::Hash seen_directive_;
  std::optional<UnixNanos> next_;  // monotonic; nullopt: nothing was looked at yet

  Mutex mutex_;
  std::condition_variable_any ticked_;
  bool tick_ LV_GUARDED_BY(mutex_) = false;
  std::atomic<bool> stopping_{false};
  std::jthread thread_;  // last: starts when everything else is there
};

}  // namespace logvault::server
