// The forwarder's figures, put together from its parts: for the metrics endpoint, and as text for `status`.
#pragma once

#include <map>
#include <string>

#include "common/clock.h"
#include "forwarder/intake.h"
#include "forwarder/metrics.h"
#include "forwarder/shipper.h"
#include "forwarder/spool.h"

namespace logvault::forwarder {

// For the intake's thread.
class FigureKeeper {
 public:
  // Everything must outlive this.
  FigureKeeper(const Intake& intake, Spool& spool, const Shipper& shipper, const Clock& clock)
      : intake_(intake), spool_(spool), shipper_(shipper), clock_(clock) {}

  // As of now.  `certificate_not_after`: of this host's certificate.
  ForwarderFigures Now(UnixNanos certificate_not_after);
  // Lines for a person: the session, the certificate, a line a source.
  std::string Describe(UnixNanos certificate_not_after);

 private:
  // Since when something of the source is not in the vault, in seconds; 0 where all is.
  double LagSeconds(const Intake::SourceReport& report);

  const Intake& intake_;
  Spool& spool_;
  const Shipper& shipper_;
  const Clock& clock_;
  std::map<std::string, std::int64_t> complete_at_;  // Clock::Monotonic, by source
};

}  // namespace logvault::forwarder
