// SyslogNotices: what a listener has to say of its senders, counted until it is said.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "common/mutex.h"
#include "forwarder/message_queue.h"
#include "forwarder/source.h"

namespace logvault::forwarder {

// Senders that are named at most, each time that losses to the rate are said; those of all others are said as one.
inline constexpr std::size_t kMaxNamedSenders = 16;

// Safe from several threads.
class SyslogNotices {
 public:
  // A connection that was refused or closed for `reason`.  True for the first since Take.
  bool CountClosed(const std::string& reason, const std::string& address) LV_EXCLUDES(mutex_);
  // Datagrams that the kernel dropped.
  void CountKernelDrops(std::uint32_t datagrams) LV_EXCLUDES(mutex_);
  // A datagram that was taken without its last `bytes`.
  void CountCut(std::size_t bytes) LV_EXCLUDES(mutex_);
  // A message of `bytes` that `sender` sent beyond its rate, and that is lost.
  void CountOverRate(const std::string& sender, std::size_t bytes) LV_EXCLUDES(mutex_);
  // What was counted since the last call, as records of `source`.
  OwnRecords Take(const std::string& source) LV_EXCLUDES(mutex_);
  // Since the start.
  [[nodiscard]] std::uint64_t over_rate() const LV_EXCLUDES(mutex_);
  [[nodiscard]] std::uint64_t kernel_drops() const LV_EXCLUDES(mutex_);

 private:
  OwnRecords SayOverRate(const std::string& source) LV_REQUIRES(mutex_);

  struct Closed {
    std::uint64_t connections = 0;
    std::string address;  // of the first
  };

  mutable Mutex mutex_;
  std::map<std::string, Closed> closed_ LV_GUARDED_BY(mutex_);      // by reason
  std::map<std::string, Dropped> over_rate_ LV_GUARDED_BY(mutex_);  // by sender; "": of the others
  std::uint64_t kernel_drops_ LV_GUARDED_BY(mutex_) = 0;
  std::uint64_t cut_bytes_ LV_GUARDED_BY(mutex_) = 0;
  std::uint64_t over_rate_ever_ LV_GUARDED_BY(mutex_) = 0;
  std::uint64_t kernel_drops_ever_ LV_GUARDED_BY(mutex_) = 0;
};

}  // namespace logvault::forwarder
