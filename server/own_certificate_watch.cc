#include "server/own_certificate_watch.h"

#include <spdlog/spdlog.h>

#include "config/small_file.h"
#include "pki/identity.h"

namespace logvault::server {
namespace {

constexpr UnixNanos kWarnAgainAfterNs = UnixNanos{24} * 3600 * kNanosPerSecond;

bool Holds(const std::string& path, const std::string& bytes) {
  Result<std::string> now = config::ReadSmallFile(path);
  return now.ok() && *now == bytes;
}

}  // namespace

Result<net::OwnCertificate> LoadOwnCertificate(const config::CollectorConfig& config,
                                               const Clock& clock) {
  Result<net::OwnCertificate> own =
      net::OwnCertificate::Load(config.tls.ca, config.tls.cert, config.tls.key);
  if (!own.ok()) return own.status();
  Result<pki::Identity> identity = own->certificate.identity();
  if (!identity.ok()) return InvalidArgument(own->cert_file + ": " + identity.status().message());
  if (identity->role != pki::Role::kCollector || identity->vault != config.vault_name) {
    return InvalidArgument(own->cert_file + " is the certificate of " + identity->ToString() +
                           ", but vault.name asks for spiffe://" + config.vault_name +
                           "/collector/...");
  }
  const Status in_force = own->certificate.VerifyIssuedBy(own->ca_pem, clock.Now());
  if (!in_force.ok()) return InvalidArgument(own->cert_file + ": " + in_force.message());
  return own;
}

OwnCertificateWatch::OwnCertificateWatch(const config::CollectorConfig& config,
                                         const net::OwnCertificate& own,
                                         net::PresentedCertificate& presented, const Clock& clock)
    : config_(config),
      presented_(presented),
      clock_(clock),
      ca_pem_(own.ca_pem),
      cert_pem_(own.cert_pem),
      key_pem_(own.key_pem),
      not_after_(own.certificate.not_after()) {}

void OwnCertificateWatch::Tick() {
  WarnOfExpiry();
  if (Holds(config_.tls.cert, cert_pem_) && Holds(config_.tls.key, key_pem_)) return told_.clear();
  Result<net::OwnCertificate> renewed = LoadOwnCertificate(config_, clock_);
  Status status = renewed.status();
  if (renewed.ok() && renewed->ca_pem != ca_pem_) {
    status = InvalidArgument(config_.tls.ca + " is another CA than at the start");
  }
  if (status.ok()) status = presented_.Exchange(*renewed);
  if (!status.ok()) {
    if (status.message() != told_) {
      spdlog::error("the certificate was not taken, the one before stays: {}", status.message());
    }
    told_ = status.message();
    return;
  }
  told_.clear();
  cert_pem_ = renewed->cert_pem;
  key_pem_ = renewed->key_pem;
  not_after_ = renewed->certificate.not_after();
  next_warning_ = 0;
  spdlog::info("certificate renewed: {}", config_.tls.cert);
}

void OwnCertificateWatch::WarnOfExpiry() {
  const UnixNanos left = not_after_ - clock_.Now();
  if (left > kExpiryWarningNs || clock_.Monotonic() < next_warning_) return;
  next_warning_ = clock_.Monotonic() + kWarnAgainAfterNs;
  if (left <= 0) return spdlog::error("{} has expired: nobody can connect", config_.tls.cert);
  spdlog::warn("{} expires in {} h: renew it (logvault pki issue)", config_.tls.cert,
               left / (3600 * kNanosPerSecond));
}

}  // namespace logvault::server
