#include "net/own_certificate.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "config/small_file.h"
#include "evidence/keys.h"

namespace logvault::net {
namespace {

// An unreadable file of our own is a configuration error, whatever the reason.
Result<std::string> ReadPem(const std::string& what, const std::string& path) {
  Result<std::string> pem = config::ReadSmallFile(path);
  if (!pem.ok()) {
    return InvalidArgument("cannot read the " + what + ": " + pem.status().message());
  }
  return pem;
}

Status CheckKeyFits(const pki::Certificate& certificate, const std::string& key_pem,
                    const std::string& cert_file, const std::string& key_file) {
  Result<evidence::SigningKey> key = evidence::SigningKey::FromPem(key_pem);
  if (!key.ok()) return InvalidArgument(key_file + ": " + key.status().message());
  Result<std::string> public_key = certificate.ed25519_public_key();
  if (!public_key.ok()) return InvalidArgument(cert_file + ": " + public_key.status().message());
  if (*public_key != key->public_key()) {
    return InvalidArgument(key_file + " is not the private key of " + cert_file);
  }
  return Status::Ok();
}

}  // namespace

Result<OwnCertificate> OwnCertificate::Load(const std::string& ca_file,
                                            const std::string& cert_file,
                                            const std::string& key_file) {
  Result<std::string> ca_pem = ReadPem("CA certificate", ca_file);
  if (!ca_pem.ok()) return ca_pem.status();
  Result<std::string> cert_pem = ReadPem("certificate", cert_file);
  if (!cert_pem.ok()) return cert_pem.status();
  Result<std::string> key_pem = ReadPem("private key", key_file);
  if (!key_pem.ok()) return key_pem.status();

  Result<pki::Certificate> ca = pki::Certificate::FromPem(*ca_pem);
  if (!ca.ok()) return InvalidArgument(ca_file + ": " + ca.status().message());
  Result<pki::Certificate> certificate = pki::Certificate::FromPem(*cert_pem);
  if (!certificate.ok()) return InvalidArgument(cert_file + ": " + certificate.status().message());
  LV_RETURN_IF_ERROR(CheckKeyFits(*certificate, *key_pem, cert_file, key_file));
  return OwnCertificate{*std::move(ca_pem), *std::move(cert_pem), *std::move(key_pem), cert_file,
                        *std::move(certificate)};
}

Result<OwnCertificate> KeptCertificate::LastGood(Result<OwnCertificate> loaded) {
  if (loaded.ok()) {
    kept_ = *loaded;
    told_.clear();
    return loaded;
  }
  if (!kept_.has_value()) return loaded;
  const std::string& why = loaded.status().message();
  if (why != told_) spdlog::error("the certificate was not taken, the one before stays: {}", why);
  told_ = why;
  return *kept_;
}

}  // namespace logvault::net
