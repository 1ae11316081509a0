#include "server/silence_watch.h"

#include <algorithm>

namespace logvault::server {

void SilenceWatch::Know(const std::string& host, UnixNanos last_seen) {
  MutexLock lock(mutex_);
  Host& known = hosts_[host];
  known.last_seen = std::max(known.last_seen, last_seen);
}

void SilenceWatch::KnowSilent(const std::string& host, UnixNanos last_seen) {
  MutexLock lock(mutex_);
  Host& known = hosts_[host];
  known.last_seen = last_seen;
  known.silent = known.told_silent = true;
}

void SilenceWatch::ListenerUp() {
  const UnixNanos now = clock_.Monotonic();
  MutexLock lock(mutex_);
  listener_up_ = true;
  for (auto& [name, host] : hosts_) host.counted_from = now;
}

void SilenceWatch::Saw(const std::string& host) {
  MutexLock lock(mutex_);
  Host& seen = hosts_[host];
  seen.last_seen = clock_.Now();
  seen.counted_from = clock_.Monotonic();
  seen.silent = false;
}

SilenceWatch::Changes SilenceWatch::Tick() {
  const UnixNanos now = clock_.Monotonic();
  Changes changes;
  MutexLock lock(mutex_);
  if (!listener_up_) return changes;
  for (auto& [name, host] : hosts_) {
    const bool returned = host.told_silent && !host.silent;
    if (now - host.counted_from >= silence_after_ns_) host.silent = true;
    if (returned) changes.returned.push_back({name, host.last_seen});
    if (host.silent && (returned || !host.told_silent)) {
      changes.fell_silent.push_back({name, host.last_seen});
    }
    host.told_silent = host.silent;
  }
  return changes;
}

void SilenceWatch::NotRecorded(const Changes& changes) {
  MutexLock lock(mutex_);
  for (const HostSilence& silence : changes.returned) hosts_[silence.host].told_silent = true;
  for (const HostSilence& silence : changes.fell_silent) hosts_[silence.host].told_silent = false;
}

std::optional<UnixNanos> SilenceWatch::SilentSince(const std::string& host) const {
  MutexLock lock(mutex_);
  const auto known = hosts_.find(host);
  if (known == hosts_.end() || !known->second.silent) return std::nullopt;
  return known->second.last_seen;
}

}  // namespace logvault::server
