#include "forwarder/certificate_watch.h"

#include "config/small_file.h"
#include "pki/certificate.h"

namespace logvault::forwarder {

namespace {

constexpr std::int64_t kLookNanos = 60 * kNanosPerSecond;
constexpr std::int64_t kWarnAgainNanos = 24 * 3600 * kNanosPerSecond;

}  // namespace

std::string CertificateWatch::Tick() {
  const std::int64_t now = clock_.Monotonic();
  if (now < next_look_) return {};
  next_look_ = now + kLookNanos;
  Result<std::string> pem = config::ReadSmallFile(cert_file_);
  if (pem.ok()) {
    Result<pki::Certificate> certificate = pki::Certificate::FromPem(*pem);
    if (certificate.ok()) not_after_ = certificate->not_after();
  }
  const std::int64_t left = not_after_ - clock_.Now();
  if (left > kExpiryWarningNanos) next_warning_ = INT64_MIN;
  if (left > kExpiryWarningNanos || now < next_warning_) return {};
  next_warning_ = now + kWarnAgainNanos;
  if (left <= 0) return cert_file_ + " has expired: nothing is shipped until it is renewed";
  return cert_file_ + " expires in " + std::to_string(left / (3600 * kNanosPerSecond)) +
         " h: renew it (logvault pki issue)";
}

}  // namespace logvault::forwarder
