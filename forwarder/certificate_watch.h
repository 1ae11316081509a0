// Watches when this host's certificate ends, by its file as it is now, and warns 30 days before.
#pragma once

#include <string>

#include "common/clock.h"

namespace logvault::forwarder {

inline constexpr std::int64_t kExpiryWarningNanos = 30LL * 24 * 3600 * kNanosPerSecond;

// For one thread.
class CertificateWatch {
 public:
  // `not_after` is the certificate's that was loaded at the start.  `clock` must outlive this.
  CertificateWatch(std::string cert_file, UnixNanos not_after, const Clock& clock)
      : cert_file_(std::move(cert_file)), clock_(clock), not_after_(not_after) {}

  // Looks at the file once a minute.  A file that is no certificate changes nothing.  Returns what is to be told, once a
  // day, or nothing.
  std::string Tick();
  [[nodiscard]] UnixNanos not_after() const { return not_after_; }

 private:
  const std::string cert_file_;
  const Clock& clock_;
  UnixNanos not_after_;
  std::int64_t next_look_ = INT64_MIN;     // Clock::Monotonic
  std::int64_t next_warning_ = INT64_MIN;  // Clock::Monotonic
};

}  // namespace logvault::forwarder
