// The metrics endpoint: Prometheus text over HTTP, for whoever watches the hosts.  docs/operating.md lists the names.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/status.h"

namespace logvault::forwarder {

// How the forwarder stood a moment ago.
struct ForwarderFigures {
  struct Source {
    std::string name;
    std::uint64_t records = 0;    // sealed; the stream's last number
    std::uint64_t bytes = 0;      // sealed since the start
    std::uint64_t lag_bytes = 0;  // known to exist, not yet in a batch
    double lag_seconds = 0;       // since when something of it is not in the vault
    std::uint64_t dropped = 0;    // SourceState's
    std::uint64_t over_rate = 0;  // SourceState's
    std::string state = "ok";
    std::string detail;
  };
  std::vector<Source> sources;
  std::uint64_t pending_bytes = 0;
  std::uint64_t pending_items = 0;
  std::uint64_t kept_bytes = 0;
  bool connected = false;
  bool integrity_failure = false;  // the vault contradicts what it signed
  std::uint64_t sessions = 0;
  std::uint64_t items_shipped = 0;
  std::uint64_t bytes_shipped = 0;
  std::uint64_t gaps = 0;  // gap records said since the start
  std::uint64_t set_aside = 0;
  UnixNanos last_receipt = 0;  // 0: none since the start
  UnixNanos certificate_not_after = 0;
};

class MetricsEndpoint {
 public:
  // Serves at once.  kUnavailable where the address cannot be had.
  static Result<std::unique_ptr<MetricsEndpoint>> Start(const std::string& address);
  ~MetricsEndpoint();
  MetricsEndpoint(const MetricsEndpoint&) = delete;
  MetricsEndpoint& operator=(const MetricsEndpoint&) = delete;

  // What is answered from now on.  Any thread.
  void Show(ForwarderFigures figures);
  // The port in use.
  [[nodiscard]] int port() const;

 private:
  struct Serving;
  explicit MetricsEndpoint(std::unique_ptr<Serving> serving);

  const std::unique_ptr<Serving> serving_;
};

}  // namespace logvault::forwarder
