// Which hosts have said nothing for too long.  Silence is counted from the later of the host's last
// word and the moment the listener was up: a collector that was down accuses nobody.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/mutex.h"

namespace logvault::server {

// Safe from several threads.
class SilenceWatch {
 public:
  // `clock` must outlive this.
  SilenceWatch(std::int64_t silence_after_ns, const Clock& clock)
      : silence_after_ns_(silence_after_ns), clock_(clock) {}

  // A host the vault knows, whose last word was committed at `last_seen`.  Before ListenerUp.
  void Know(const std::string& host, UnixNanos last_seen) LV_EXCLUDES(mutex_);
  // A host whose silence is recorded already: it is told again only when it has returned.  Before ListenerUp.
  void KnowSilent(const std::string& host, UnixNanos last_seen) LV_EXCLUDES(mutex_);
  void ListenerUp() LV_EXCLUDES(mutex_);
  // The host said something.
  void Saw(const std::string& host) LV_EXCLUDES(mutex_);

  struct HostSilence {
    std::string host;
    UnixNanos last_seen = 0;  // wall clock
    bool operator==(const HostSilence&) const = default;
  };
  struct Changes {
    std::vector<HostSilence> fell_silent;
    std::vector<HostSilence> returned;  // last_seen: when it came back
  };
  // What changed since the last tick.
  Changes Tick() LV_EXCLUDES(mutex_);
  // What a tick told and nobody could record is told again by the next.
  void NotRecorded(const Changes& changes) LV_EXCLUDES(mutex_);

  // When a silent host was last heard; nullopt for one that is not silent.
  [[nodiscard]] std::optional<UnixNanos> SilentSince(const std::string& host) const
      LV_EXCLUDES(mutex_);

 private:
  struct Host {
    UnixNanos last_seen = 0;     // wall clock, for people
    UnixNanos counted_from = 0;  // monotonic
    bool silent = false;
    bool told_silent = false;  // as the last tick said
  };

  const std::int64_t silence_after_ns_;
  const Clock& clock_;
  mutable Mutex mutex_;
  bool listener_up_ LV_GUARDED_BY(mutex_) = false;
  std::map<std::string, Host> hosts_ LV_GUARDED_BY(mutex_);
};

}  // namespace logvault::server
