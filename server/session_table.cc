#include "server/session_table.h"

#include <utility>

namespace logvault::server {

Status SessionTable::Add(Session session) {
  MutexLock lock(mutex_);
  const auto [open, added] = open_.try_emplace(session.host);
  if (added) {
    open->second.session = std::move(session);
    return Status::Ok();
  }
  if (!open->second.contested_at.has_value()) open->second.contested_at = clock_.Monotonic();
  open->second.contested_by = session.address;
  return AlreadyExists("host " + session.host + " has a session already, from " +
                       open->second.session.address +
                       "; if that is another machine, the certificate was copied: revoke it");
}

void SessionTable::Remove(const std::string& host, const std::string& id) {
  MutexLock lock(mutex_);
  const auto open = open_.find(host);
  if (open != open_.end() && open->second.session.id == id) open_.erase(open);
}

Status SessionTable::BeginAppend(const std::string& host, const std::string& id) {
  MutexLock lock(mutex_);
  const auto open = open_.find(host);
  if (open == open_.end() || open->second.session.id != id) {
    return Aborted("this session is not open any more; open one anew");
  }
  if (!appending_.insert(host).second) {
    return FailedPrecondition("an Append of host " + host + " is in flight already");
  }
  return Status::Ok();
}

void SessionTable::EndAppend(const std::string& host) {
  MutexLock lock(mutex_);
  appending_.erase(host);
}

std::vector<SessionTable::Clone> SessionTable::Sweep() {
  for (const Session& session : All()) {
    const Status status = session.may_stay();
    if (!status.ok()) session.cut(status);
  }
  std::vector<Clone> clones;
  const UnixNanos now = clock_.Monotonic();
  MutexLock lock(mutex_);
  for (auto& [host, open] : open_) {
    if (!open.contested_at.has_value() || now - *open.contested_at < kCloneVerdictNs) continue;
    open.contested_at.reset();
    clones.push_back({host, open.contested_by, open.session.address});
  }
  return clones;
}

void SessionTable::CutAll(const Status& status) {
  for (const Session& session : All()) session.cut(status);
}

bool SessionTable::IsOpen(const std::string& host) const {
  MutexLock lock(mutex_);
  return open_.contains(host);
}

std::size_t SessionTable::size() const {
  MutexLock lock(mutex_);
  return open_.size();
}

std::vector<SessionTable::Session> SessionTable::All() const {
  MutexLock lock(mutex_);
  std::vector<Session> sessions;
  sessions.reserve(open_.size());
  for (const auto& [host, open] : open_) sessions.push_back(open.session);
  return sessions;
}

}  // namespace logvault::server
