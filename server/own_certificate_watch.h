// Watches the files of the collector's own certificate: a renewed one is presented without a restart, one that is not
// in order is told and the one before stays.
#pragma once

#include <memory>
#include <string>

#include "common/clock.h"
#include "common/status.h"
#include "config/collector_config.h"
#include "net/own_certificate.h"
#include "net/presented_certificate.h"

namespace logvault::server {

// Warned of when it ends sooner.
inline constexpr UnixNanos kExpiryWarningNs = UnixNanos{30} * 24 * 3600 * kNanosPerSecond;

// The collector's certificate as its files have it now.  kInvalidArgument naming the file that is not in order, and
// where it is another's than a collector's of this vault, or not in force.
Result<net::OwnCertificate> LoadOwnCertificate(const config::CollectorConfig& config,
                                               const Clock& clock);

// For one thread.
class OwnCertificateWatch {
 public:
  // The references must outlive this.  `own` is what `presented` holds.
  OwnCertificateWatch(const config::CollectorConfig& config, const net::OwnCertificate& own,
                      net::PresentedCertificate& presented, const Clock& clock);

  // Looks at the files; tells the log what changed.
  void Tick();
  [[nodiscard]] UnixNanos not_after() const { return not_after_; }

 private:
  void WarnOfExpiry();

  const config::CollectorConfig& config_;
  net::PresentedCertificate& presented_;
  const Clock& clock_;
  const std::string ca_pem_;
  std::string cert_pem_, key_pem_;  // presented now
  UnixNanos not_after_;
  UnixNanos next_warning_ = 0;
  std::string told_;  // why the files are not taken
};

}  // namespace logvault::server
