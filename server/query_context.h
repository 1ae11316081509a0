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
// Each tail has a thread while its slice lasts; more wait their turn.
inline constexpr int kTailsRunning = 8;
inline constexpr std::size_t kTailsWaiting = 8;

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
  WorkPool& pool;       // kQueriesRunning threads, kQueriesWaiting places
  WorkPool& tail_pool;  // kTailsRunning threads, kTailsWaiting places

  [[nodiscard]] const storage::Reader& reader() const { return vault.reader(); }
};

}  // namespace logvault::server
