// What every query call works with.
#pragma once

#include "common/clock.h"
#include "net/call_gate.h"
#include "query/index_cache.h"
#include "server/access.h"
#include "server/call_limiter.h"
#include "server/counters.h"
#include "server/index_keeper.h"
#include "server/session_table.h"
#include "server/silence_watch.h"
#include "server/vault_keys.h"
#include "server/work_pool.h"
#include "storage/vault.h"

namespace logvault::server {

inline constexpr int kQueriesRunning = 4;
inline constexpr std::size_t kQueriesWaiting = 16;

// All references outlive the service.
struct QueryContext {
  const Clock& clock;
  const storage::Vault& vault;
  const VaultKeys& keys;
  const net::CallGate& gate;
  const SessionTable& sessions;
  const SilenceWatch& silence;
  AccessLog& access;
  CallLimiter& limiter;
  Counters& counters;
  query::IndexCache& index_cache;
  IndexKeeper& index;
  WorkPool& pool;  // kQueriesRunning threads, kQueriesWaiting places

  [[nodiscard]] const storage::Reader& reader() const { return vault.reader(); }
};

}  // namespace logvault::server
