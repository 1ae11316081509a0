// The metrics endpoint: Prometheus text over HTTP, for whoever watches the collector.
// docs/operating.md lists the names.
#pragma once

#include <memory>
#include <string>

#include "common/status.h"
#include "server/counters.h"
#include "server/host_figures.h"
#include "server/session_table.h"
#include "storage/committer.h"
#include "storage/vault.h"

namespace logvault::server {

class MetricsEndpoint {
 public:
  // What is shown; all outlive the endpoint.
  struct Sources {
    const Counters& counters;
    const HostFigures& hosts;
    const SessionTable& sessions;
    const storage::Committer& committer;
    const storage::Vault& vault;
  };

  // Serves at once.  kUnavailable where the address cannot be had.
  static Result<std::unique_ptr<MetricsEndpoint>> Start(const std::string& address,
                                                        const Sources& sources);
  ~MetricsEndpoint();
  MetricsEndpoint(const MetricsEndpoint&) = delete;
  MetricsEndpoint& operator=(const MetricsEndpoint&) = delete;

  // The port in use.
  [[nodiscard]] int port() const;

 private:
  struct Serving;
  explicit MetricsEndpoint(std::unique_ptr<Serving> serving);

  const std::unique_ptr<Serving> serving_;
};

}  // namespace logvault::server
