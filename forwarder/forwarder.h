// Forwarder: the parts wired together, and the two ways to run them: following its sources, or draining them.
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/clock.h"
#include "config/exit_code.h"
#include "config/forwarder_config.h"
#include "evidence/note.h"
#include "forwarder/certificate_watch.h"
#include "forwarder/doorbell.h"
#include "forwarder/epoch.h"
#include "forwarder/figures.h"
#include "forwarder/handover.h"
#include "forwarder/intake.h"
#include "forwarder/metrics.h"
#include "forwarder/shipper.h"
#include "forwarder/spool.h"
#include "forwarder/state_socket.h"
#include "forwarder/witness.h"

namespace logvault::forwarder {

// A clean stop tries this long to ship what is left.
inline constexpr std::int64_t kStopShipNanos = 2 * kNanosPerSecond;
// How often the sources are asked when nothing else wakes the intake.
inline constexpr std::int64_t kTickNanos = kNanosPerSecond / 10;

enum class RunMode { kFollow, kDrain };

class Forwarder {
 public:
  // kFailedPrecondition for a spool in use or another's; kInvalidArgument for what the configuration cannot mean.
  // `clock` must outlive the forwarder.
  static Result<std::unique_ptr<Forwarder>> Open(const config::ForwarderConfig& config,
                                                 HostIdentity identity,
                                                 const evidence::VerifierKey& vault_key,
                                                 Shipper::Connect connect, RunMode mode,
                                                 const Clock& clock);
  ~Forwarder();

  // Runs until `stop_fd` is readable.
  config::ExitCode Follow(int stop_fd);
  // Ships every file to its present end.
  config::ExitCode Drain(std::int64_t timeout_nanos);

 private:
  struct FileOrNetwork {
    std::string name;
    Source* source;  // the intake's
  };

  Forwarder(HostIdentity identity, const Clock& clock);
  Status AddSources(const config::ForwarderConfig& config, RunMode mode);
  Status StartWatching(const config::ForwarderConfig& config, RunMode mode);
  void StartShipping();
  void StopShipping();
  void WaitForNews(int stop_fd, std::int64_t nanos, bool* stop);
  // Says on stderr what changed, and shows the metrics.
  void Report();
  void TellTrouble(const Status& trouble);
  void WatchCertificate();
  void ShowFigures();
  [[nodiscard]] config::ExitCode SourcesExitCode() const;

  const HostIdentity identity_;
  const Clock& clock_;
  Doorbell to_intake_;
  Doorbell to_shipper_;
  Handover handover_;
  std::unique_ptr<Spool> spool_;
  std::unique_ptr<Witness> witness_;
  std::unique_ptr<Intake> intake_;
  std::unique_ptr<Shipper> shipper_;
  std::vector<FileOrNetwork> sources_;
  std::unique_ptr<MetricsEndpoint> metrics_;  // null where none is configured
  std::unique_ptr<CertificateWatch> certificate_;
  std::unique_ptr<FigureKeeper> figures_;
  std::unique_ptr<StateSocket> state_socket_;  // null while draining, or where it could not be had
  std::int64_t next_figures_ = INT64_MIN;      // Clock::Monotonic
  std::string reported_;
  std::int64_t next_report_ = INT64_MIN;  // Clock::Monotonic
  bool reported_connected_ = false;
  std::jthread shipping_;  // last: it uses everything above
};

}  // namespace logvault::forwarder
