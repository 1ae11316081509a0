// The collector, wired: the vault, its one writer, the two listeners with their services, and what
// is done each second.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "common/clock.h"
#include "common/mutex.h"
#include "common/status.h"
#include "config/collector_config.h"
#include "server/counters.h"
#include "storage/vault.h"

namespace logvault::server {

class Collector {
 public:
  // Opens the vault and listens.  `clock` must outlive the collector.  `on_halt` is called once when a forwarder
  // shows a checkpoint that this vault signed and cannot extend: ingest refuses everything from then on, and the
  // collector should end.  It must not destroy the collector itself.
  static Result<std::unique_ptr<Collector>> Start(const config::CollectorConfig& config,
                                                  const Clock& clock,
                                                  std::function<void()> on_halt = nullptr);

  // Cuts sessions, lets running calls end for a moment, commits what is queued, closes the vault.
  ~Collector();
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

  // HOST:PORT with the ports in use.
  [[nodiscard]] const std::string& ingest_address() const;
  [[nodiscard]] const std::string& query_address() const;

  // What is done each second: a changed CRL is read, sessions that may not stay are cut, silence is
  // recorded. Any thread; tests call it after moving their clock.
  void Tick() LV_EXCLUDES(tick_mutex_);

  [[nodiscard]] const storage::Vault& vault() const;
  [[nodiscard]] const Counters& counters() const;
  // OK, or why ingest was halted (kIntegrity).
  [[nodiscard]] Status halted() const;

 private:
  struct Parts;
  explicit Collector(std::unique_ptr<Parts> parts);

  void TickEachSecond(const std::stop_token& stop);
  void WatchRevocation() LV_REQUIRES(tick_mutex_);
  void WatchSessions() LV_REQUIRES(tick_mutex_);
  void WatchDisk() LV_REQUIRES(tick_mutex_);
  void WatchSilence() LV_REQUIRES(tick_mutex_);

  const std::unique_ptr<Parts> parts_;
  Mutex tick_mutex_;
  std::string last_revocation_error_ LV_GUARDED_BY(tick_mutex_);
  std::jthread ticker_;  // last: starts when everything else is there
};

// Loads everything that Start would, but opens neither the vault nor a listener: `--check`.
Status CheckFiles(const config::CollectorConfig& config, const Clock& clock);

}  // namespace logvault::server
