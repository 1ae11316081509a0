#include "server/host_budget.h"

namespace logvault::server {
namespace {

constexpr std::int64_t kNanosPerDay = 86'400 * kNanosPerSecond;

}  // namespace

Status HostBudgets::TakeBytes(const std::string& host, std::uint64_t bytes, bool& first_refusal) {
  const std::int64_t day = clock_.Now() / kNanosPerDay;
  first_refusal = false;
  MutexLock lock(mutex_);
  Used& used = used_[host];
  if (used.day != day) {
    used.day = day;
    used.bytes = 0;
    used.refused = false;
  }
  if (bytes > bytes_per_day_ || used.bytes > bytes_per_day_ - bytes) {
    first_refusal = !used.refused;
    used.refused = true;
    return ResourceExhausted("host " + host + " has used its " + std::to_string(bytes_per_day_) +
                             " bytes of today (limits.host_bytes_per_day)");
  }
  used.bytes += bytes;
  return Status::Ok();
}

Status HostBudgets::TakeEpoch(const std::string& host) {
  const UnixNanos now = clock_.Monotonic();
  MutexLock lock(mutex_);
  std::deque<UnixNanos>& epochs = used_[host].epochs;
  while (!epochs.empty() && now - epochs.front() > 60 * kNanosPerSecond) epochs.pop_front();
  if (epochs.size() >= kMaxEpochsPerMinute) {
    return ResourceExhausted("host " + host + " opened " + std::to_string(epochs.size()) +
                             " epochs in a minute");
  }
  epochs.push_back(now);
  return Status::Ok();
}

}  // namespace logvault::server
