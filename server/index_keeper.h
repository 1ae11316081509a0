// IndexKeeper: builds the index behind the vault's back, segment by segment, and says the hash of each in an INDEX block.  It
// reads committed blocks only and nothing waits for it.  A segment whose rows are missing or damaged, or some of whose
// payloads were deleted, is built anew.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "common/mutex.h"
#include "common/status.h"
#include "evidence/index_body.h"
#include "query/index_build.h"
#include "server/counters.h"
#include "storage/committer.h"
#include "storage/vault.h"

namespace logvault::server {

class IndexKeeper {
 public:
  // Everything outlives it.
  IndexKeeper(const storage::Vault& vault, storage::Committer& committer, Counters& counters);
  ~IndexKeeper();  // breaks off what it is building
  IndexKeeper(const IndexKeeper&) = delete;
  IndexKeeper& operator=(const IndexKeeper&) = delete;

  // Looks, on a thread of its own, what can be built.
  void Tick() LV_EXCLUDES(mutex_);
  // The segments that begin at these blocks were found missing or damaged.
  void Repair(const std::vector<std::uint64_t>& firsts) LV_EXCLUDES(mutex_);

 private:
  void Run(const std::stop_token& stop) LV_EXCLUDES(mutex_);
  Status Work(const std::set<std::uint64_t>& damaged, const std::stop_token& stop);
  Status Begin(const std::stop_token& stop);
  [[nodiscard]] bool GrewQuiet();
  Status FollowDeletions(const std::stop_token& stop);
  Status Rebuild(std::uint64_t first, std::uint64_t end, const std::stop_token& stop);
  Status Store(const query::BuiltSegment& built);
  Status State(storage::IndexedSegment& segment, const evidence::IndexBody& body);
  Status ReadStated();
  void Report(const Status& status, const std::stop_token& stop);

  const storage::Vault& vault_;
  storage::Committer& committer_;
  Counters& counters_;

  // The thread's own.
  bool begun_ = false;
  std::uint64_t size_at_start_ = 0;
  std::map<std::uint64_t, storage::IndexedSegment> segments_;  // stored, by first block
  // The newest INDEX block of each segment, below size_at_start_; read when rows are found missing.
  struct Stated {
    std::uint64_t block = 0;
    evidence::IndexBody body;
  };
  std::optional<std::map<std::uint64_t, Stated>> stated_;
  std::unique_ptr<query::SegmentFeed> feed_;
  std::optional<std::uint64_t>
      seen_deleted_;                // counters_.deleted_payloads; nullopt: not looked yet
  std::size_t pending_before_ = 0;  // bytes, when it last grew
  int quiet_looks_ = 0;             // since then
  std::string last_error_;

  Mutex mutex_;
  std::condition_variable_any woken_;
  bool tick_ LV_GUARDED_BY(mutex_) = false;
  std::set<std::uint64_t> damaged_ LV_GUARDED_BY(mutex_);
  std::jthread thread_;  // last: starts when everything else is there
};

}  // namespace logvault::server
