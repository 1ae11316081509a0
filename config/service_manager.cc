#include "config/service_manager.h"

#include <systemd/sd-daemon.h>

#include <atomic>
#include <chrono>

namespace logvault::config {

void TellReady() { (void)sd_notify(0, "READY=1"); }

void TellAlive() {
  using Clock = std::chrono::steady_clock;
  static std::atomic<Clock::rep> next{Clock::time_point::min().time_since_epoch().count()};
  const Clock::time_point now = Clock::now();
  Clock::rep due = next.load();
  if (now.time_since_epoch().count() < due) return;
  const Clock::rep after = (now + std::chrono::seconds(1)).time_since_epoch().count();
  if (next.compare_exchange_strong(due, after)) (void)sd_notify(0, "WATCHDOG=1");
}

void TellStopping() { (void)sd_notify(0, "STOPPING=1"); }

}  // namespace logvault::config
