#include "server/host_budget.h"

#include <algorithm>

#include "storage/day_use.h"

namespace logvault::server {

std::optional<std::uint64_t> EvenShare(std::uint64_t disk_bytes, std::uint64_t free_bytes,
                                       std::size_t hosts) {
  if (free_bytes >= disk_bytes / kScarcePart) return std::nullopt;
  return free_bytes / std::max<std::size_t>(hosts, 1);
}

Status HostBudgets::TakeBytes(const std::string& host, std::uint64_t bytes, bool& first_refusal) {
  const std::int64_t day = storage::DayOf(clock_.Now());
  first_refusal = false;
  MutexLock lock(mutex_);
  Used& used = used_[host];
  if (used.day != day) {
    used.day = day;
    used.bytes = 0;
    used.refused = false;
  }
  const std::uint64_t limit = std::min(bytes_per_day_, share_.value_or(bytes_per_day_));
  if (bytes > limit || used.bytes > limit - bytes) {
    first_refusal = !used.refused;
    used.refused = true;
    return ResourceExhausted(
        "host " + host + " has used its " + std::to_string(limit) + " bytes of today " +
        (limit < bytes_per_day_ ? "(its share of what is left of the vault's disk)"
                                : "(limits.host_bytes_per_day)"));
  }
  used.bytes += bytes;
  return Status::Ok();
}

void HostBudgets::Know(const std::string& host, std::int64_t day, std::uint64_t bytes) {
  if (day != storage::DayOf(clock_.Now())) return;
  MutexLock lock(mutex_);
  Used& used = used_[host];
  used.day = day;
  used.bytes = bytes;
}

void HostBudgets::GiveBack(const std::string& host, std::uint64_t bytes) {
  MutexLock lock(mutex_);
  Used& used = used_[host];
  used.bytes -= std::min(used.bytes, bytes);  // a day may have begun in between
}

bool HostBudgets::Bucket::Take(double rate, double seconds, double cost) {
  left = std::min(left + rate * seconds, rate * kBurstSeconds);
  if (left <= 0) return false;
  left -= cost;
  return true;
}

Status HostBudgets::TakeRate(const std::string& host, std::uint64_t bytes, std::uint64_t blocks) {
  const UnixNanos now = clock_.Monotonic();
  MutexLock lock(mutex_);
  Used& used = used_[host];
  const double seconds = used.rated_at.has_value() ? static_cast<double>(now - *used.rated_at) /
                                                         static_cast<double>(kNanosPerSecond)
                                                   : kBurstSeconds;
  used.rated_at = now;
  const bool bytes_left =
      used.byte_rate.Take(kHostBytesPerSecond, seconds, static_cast<double>(bytes));
  const bool blocks_left =
      used.block_rate.Take(kHostBlocksPerSecond, seconds, static_cast<double>(blocks));
  if (bytes_left && blocks_left) return Status::Ok();
  return ResourceExhausted("host " + host + " sends more " + (bytes_left ? "blocks" : "bytes") +
                           " a second than it may");
}

void HostBudgets::SetShare(std::optional<std::uint64_t> bytes) {
  MutexLock lock(mutex_);
  share_ = bytes;
}

std::size_t HostBudgets::hosts() const {
  MutexLock lock(mutex_);
  return used_.size();
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
