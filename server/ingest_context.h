// What every ingest call works with: the parts of the collector, put together once in
// Collector::Start.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "common/clock.h"
#include "common/mutex.h"
#include "common/status.h"
#include "evidence/keys.h"
#include "net/call_gate.h"
#include "pki/revocation.h"
#include "server/alert_limiter.h"
#include "server/counters.h"
#include "server/flush_pace.h"
#include "server/host_budget.h"
#include "server/host_figures.h"
#include "server/seal_keys.h"
#include "server/session_table.h"
#include "server/silence_watch.h"
#include "server/work_pool.h"
#include "storage/committer.h"
#include "storage/vault.h"

namespace logvault::server {

// Once set, ingest refuses everything: the vault contradicts a checkpoint it signed.  Safe from several threads.
class Halt {
 public:
  // `on_set`, where given, is called once, when the first reason comes; it must not wait for a call to end.
  explicit Halt(std::function<void()> on_set) : on_set_(std::move(on_set)) {}

  [[nodiscard]] Status status() const LV_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return status_;
  }
  // The first reason stays.
  void Set(const Status& status) LV_EXCLUDES(mutex_) {
    {
      MutexLock lock(mutex_);
      if (!status_.ok()) return;
      status_ = status;
    }
    if (on_set_) on_set_();
  }

 private:
  const std::function<void()> on_set_;
  mutable Mutex mutex_;
  Status status_ LV_GUARDED_BY(mutex_);
};

// All references outlive the service.
struct IngestContext {
  const Clock& clock;
  storage::Vault& vault;
  storage::Committer& committer;
  const std::vector<evidence::OpeningKey>& opening_keys;
  const pki::RevocationFile& revocation;
  const net::CallGate& gate;
  SessionTable& sessions;
  SilenceWatch& silence;
  SealKeys& seal_keys;
  HostBudgets& budgets;
  AlertLimiter& alerts;
  Counters& counters;
  HostFigures& figures;
  FlushPace& pace;
  Halt& halt;
  std::uint64_t host_bytes_per_day;
  WorkPool& pool;

  [[nodiscard]] const storage::Reader& reader() const { return vault.reader(); }
  // How long a forwarder may gather records: longer where many send little, and while the queue is more than half full.
  [[nodiscard]] std::uint32_t FlushIntervalMs() const;
  // Appends an alert; nobody waits for it.  A full queue drops it with a warning: what matters more
  // is in there.
  void Raise(storage::Entry alert) const;
};

}  // namespace logvault::server
