// Committer: the one thread that writes.  Callers hand it entries; it merges what is waiting into
// one group, appends it, and answers each caller.  The queue before it is bounded in bytes.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "common/mutex.h"
#include "common/status.h"
#include "storage/vault.h"

namespace logvault::storage {

inline constexpr std::size_t kDefaultQueueBytes = 64u << 20;
// On top, for the vault's own words: hosts that fill the queue silence neither an alert nor an investigator.
inline constexpr std::size_t kOwnQueueBytes = 8u << 20;
inline constexpr std::size_t kMaxGroupBytes = 8u << 20;

class Committer {
 public:
  // Called once, on the committer's thread: must be quick and must not call Submit and wait for it.
  using Done = std::function<void(const Result<Commit>&)>;

  // `vault` must outlive the committer; nobody else may call its Append.
  explicit Committer(Vault& vault, std::size_t queue_bytes = kDefaultQueueBytes);
  // Commits what is queued, then stops.
  ~Committer();
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  // Takes `entries`, which stay together and in order; `done` gets a Commit whose `entries` are
  // theirs only. kResourceExhausted, without calling `done`, when the queue is full.
  Status Submit(std::vector<Entry> entries, Done done) LV_EXCLUDES(mutex_);

  // Submit, and wait for the answer.
  Result<Commit> SubmitAndWait(std::vector<Entry> entries) LV_EXCLUDES(mutex_);

  [[nodiscard]] std::size_t queued_bytes() const LV_EXCLUDES(mutex_);

 private:
  struct Work {
    std::vector<Entry> entries;
    std::size_t bytes = 0;
    Done done;
  };

  void Run(const std::stop_token& stop);
  std::vector<Work> TakeGroup(const std::stop_token& stop) LV_EXCLUDES(mutex_);
  void CommitGroup(std::vector<Work> group);

  Vault& vault_;
  const std::size_t queue_bytes_max_;
  mutable Mutex mutex_;
  std::condition_variable_any work_queued_;
  std::deque<Work> queue_ LV_GUARDED_BY(mutex_);
  std::size_t queued_bytes_ LV_GUARDED_BY(mutex_) = 0;  // until they are committed
  std::jthread thread_;  // last: starts when everything else is there
};

}  // namespace logvault::storage
