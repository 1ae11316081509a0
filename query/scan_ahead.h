// ScanAhead: scans the blocks of a plan on a few threads and hands the results over in the plan's
// order.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <map>
#include <stop_token>
#include <thread>
#include <vector>

#include "common/mutex.h"
#include "query/scan.h"

namespace logvault::query {

inline constexpr unsigned kScanThreads = 2;
inline constexpr std::size_t kScanAheadBlocks = 8;  // scanned and not yet taken: bounds memory

// One caller; `scanner` and `blocks` must outlive it.
class ScanAhead {
 public:
  ScanAhead(const BlockScanner& scanner, const std::vector<PlannedBlock>& blocks);
  // Stops scanning.
  ~ScanAhead();
  ScanAhead(const ScanAhead&) = delete;
  ScanAhead& operator=(const ScanAhead&) = delete;

  // The result for the next block.  REQUIRES: called at most once for each block.
  ScannedBlock Next() LV_EXCLUDES(mutex_);

 private:
  void Run(const std::stop_token& stop) LV_EXCLUDES(mutex_);

  const BlockScanner& scanner_;
  const std::vector<PlannedBlock>& blocks_;

  Mutex mutex_;
  std::condition_variable_any done_or_room_;
  std::size_t next_to_scan_ LV_GUARDED_BY(mutex_) = 0;
  std::size_t next_to_hand_over_ LV_GUARDED_BY(mutex_) = 0;
  std::map<std::size_t, ScannedBlock> done_ LV_GUARDED_BY(mutex_);
  std::vector<std::jthread> threads_;  // last: they start when everything else is there
};

}  // namespace logvault::query
