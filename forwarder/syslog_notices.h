// SyslogNotices: what a listener has to say of its senders, counted until it is said.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "common/mutex.h"
#include "forwarder/source.h"

namespace logvault::forwarder {

// Safe from several threads.
class SyslogNotices {
 public:
  // A connection that was refused or closed for `reason`.  True for the first since Take.
  bool CountClosed(const std::string& reason, const std::string& address) LV_EXCLUDES(mutex_);
  // Datagrams that the kernel dropped.
  void CountKernelDrops(std::uint32_t datagrams) LV_EXCLUDES(mutex_);
  // A datagram that was taken without its last `bytes`.
  void CountCut(std::size_t bytes) LV_EXCLUDES(mutex_);
  // What was counted since the last call, as records of `source`.
  OwnRecords Take(const std::string& source) LV_EXCLUDES(mutex_);

 private:
  struct Closed {
    std::uint64_t connections = 0;
    std::string address;  // of the first
  };

  Mutex mutex_;
  std::map<std::string, Closed> closed_ LV_GUARDED_BY(mutex_);  // by reason
  std::uint64_t kernel_drops_ LV_GUARDED_BY(mutex_) = 0;
  std::uint64_t cut_bytes_ LV_GUARDED_BY(mutex_) = 0;
};

}  // namespace logvault::forwarder
