// What each host sent since the collector started, for the metrics endpoint.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "common/clock.h"
#include "common/mutex.h"

namespace logvault::server {

// So many hosts have rows of their own; what others send is added up under kOtherHosts, which is no host's name.
inline constexpr std::size_t kMaxHostsShown = 1000;
inline constexpr const char* kOtherHosts = "(others)";

// Safe from several threads.
class HostFigures {
 public:
  struct Row {
    std::uint64_t records = 0;        // committed
    std::uint64_t payload_bytes = 0;  // committed, as shipped
    std::uint64_t refused_items = 0;  // for their content
    std::uint64_t limited_calls = 0;  // for a limit of the host's
    UnixNanos last_commit = 0;        // wall clock; 0: none
  };

  void Committed(const std::string& host, std::uint64_t records, std::uint64_t payload_bytes,
                 UnixNanos now) LV_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    Row& row = RowOf(host);
    row.records += records;
    row.payload_bytes += payload_bytes;
    row.last_commit = now;
  }
  void Refused(const std::string& host) LV_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    ++RowOf(host).refused_items;
  }
  void Limited(const std::string& host) LV_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    ++RowOf(host).limited_calls;
  }
  [[nodiscard]] std::map<std::string, Row> All() const LV_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return rows_;
  }

 private:
  Row& RowOf(const std::string& host) LV_REQUIRES(mutex_) {
    const auto found = rows_.find(host);
    if (found != rows_.end()) return found->second;
    return rows_[rows_.size() < kMaxHostsShown ? host : kOtherHosts];
  }

  mutable Mutex mutex_;
  std::map<std::string, Row> rows_ LV_GUARDED_BY(mutex_);
};

}  // namespace logvault::server
