// Who is connected: one session a host.  While it lives a second one is refused; when it then
// proves to be alive still, the second was made with a copied credential.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/mutex.h"
#include "common/status.h"

namespace logvault::server {

// Longer than the listener's keepalive takes to find a dead connection: a session that is there
// after that is alive, and whoever knocked meanwhile is a second machine.
inline constexpr std::int64_t kCloneVerdictNs = 20 * kNanosPerSecond;

// Safe from several threads.
class SessionTable {
 public:
  struct Session {
    std::string host;
    std::string id;       // random; named in every Append
    std::string address;  // the peer's, for messages
    UnixNanos opened = 0;
    std::function<Status()> may_stay;  // asked at each sweep
    std::function<void(const Status&)>
        cut;  // ends the session; may be called when it has ended already
  };

  // `clock` must outlive this.
  explicit SessionTable(const Clock& clock) : clock_(clock) {}

  // kAlreadyExists where the host has a session.
  Status Add(Session session) LV_EXCLUDES(mutex_);
  // Does nothing where `host` has another session by now.
  void Remove(const std::string& host, const std::string& id) LV_EXCLUDES(mutex_);

  // Begins the one Append that a host may have in flight.  kAborted where `id` is not the host's
  // session, kFailedPrecondition where an Append of the host is running.
  Status BeginAppend(const std::string& host, const std::string& id) LV_EXCLUDES(mutex_);
  void EndAppend(const std::string& host) LV_EXCLUDES(mutex_);

  struct Clone {
    std::string host;
    std::string address;  // of the second
    std::string first_address;
  };
  // Cuts every session that may not stay.  Returns the hosts of which a second session was refused
  // while the first has since proven to be alive, each once.
  std::vector<Clone> Sweep() LV_EXCLUDES(mutex_);

  void CutAll(const Status& status) LV_EXCLUDES(mutex_);
  [[nodiscard]] bool IsOpen(const std::string& host) const LV_EXCLUDES(mutex_);
  [[nodiscard]] std::size_t size() const LV_EXCLUDES(mutex_);

 private:
  struct Open {
    Session session;
    std::optional<UnixNanos> contested_at;  // monotonic
    std::string contested_by;
  };

  std::vector<Session> All() const LV_EXCLUDES(mutex_);

  const Clock& clock_;
  mutable Mutex mutex_;
  std::map<std::string, Open> open_ LV_GUARDED_BY(mutex_);  // by host
  std::set<std::string> appending_ LV_GUARDED_BY(mutex_);  // hosts; outlives a session that was cut
};

}  // namespace logvault::server
