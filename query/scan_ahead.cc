#include "query/scan_ahead.h"

#include <algorithm>

namespace logvault::query {

ScanAhead::ScanAhead(const BlockScanner& scanner, const std::vector<PlannedBlock>& blocks)
    : scanner_(scanner), blocks_(blocks) {
  // One block is scanned by the caller: a thread would cost more than it saves.
  if (blocks_.size() < 2) return;
  for (unsigned i = 0; i < kScanThreads; ++i) {
    threads_.emplace_back([this](const std::stop_token& stop) { Run(stop); });
  }
}

ScanAhead::~ScanAhead() {
  for (std::jthread& thread : threads_) thread.request_stop();
}

void ScanAhead::Run(const std::stop_token& stop) {
  for (;;) {
    std::size_t mine = 0;
    {
      MutexLock lock(mutex_);
      const bool room = done_or_room_.wait(mutex_, stop, [this]() LV_REQUIRES(mutex_) {
        return next_to_scan_ == blocks_.size() ||
               next_to_scan_ < next_to_hand_over_ + kScanAheadBlocks;
      });
      if (!room || next_to_scan_ == blocks_.size()) return;
      mine = next_to_scan_++;
    }
    ScannedBlock scanned = scanner_.Scan(blocks_[mine]);
    {
      MutexLock lock(mutex_);
      done_.emplace(mine, std::move(scanned));
    }
    done_or_room_.notify_all();
  }
}

ScannedBlock ScanAhead::Next() {
  if (threads_.empty()) {
    MutexLock lock(mutex_);
    return scanner_.Scan(blocks_[next_to_hand_over_++]);
  }
  ScannedBlock scanned;
  {
    MutexLock lock(mutex_);
    done_or_room_.wait(mutex_,
                       [this]() LV_REQUIRES(mutex_) { return done_.contains(next_to_hand_over_); });
    auto next = done_.find(next_to_hand_over_++);
    scanned = std::move(next->second);
    done_.erase(next);
  }
  done_or_room_.notify_all();
  return scanned;
}

}  // namespace logvault::query
