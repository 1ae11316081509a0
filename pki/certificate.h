// X.509 certificates as logvault uses them: Ed25519, one SPIFFE URI each, issued by one CA.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/clock.h"
#include "common/status.h"
#include "pki/identity.h"

struct x509_st;  // OpenSSL's X509

namespace logvault::pki {

// A parsed certificate; a value, cheap to copy, safe from several threads.
class Certificate {
 public:
  static Result<Certificate> FromPem(std::string_view pem);  // the first block
  static Result<Certificate> FromDer(std::string_view der);

  // From its only URI; kPermissionDenied where it has none, several, or one of another form.
  [[nodiscard]] Result<Identity> identity() const;
  [[nodiscard]] std::string serial_hex() const;
  [[nodiscard]] UnixNanos not_before() const;
  [[nodiscard]] UnixNanos not_after() const;
  [[nodiscard]] std::string ToDer() const;
  [[nodiscard]] std::string fingerprint_hex() const;             // SHA-256 of the DER
  [[nodiscard]] Result<std::string> ed25519_public_key() const;  // 32 bytes

  // OK where `ca_pem` issued it and it is valid at `at`; else kUnauthenticated saying why ("expired
  // on ...").
  [[nodiscard]] Status VerifyIssuedBy(std::string_view ca_pem, UnixNanos at) const;

  [[nodiscard]] x509_st* get() const { return x509_.get(); }

 private:
  explicit Certificate(std::shared_ptr<x509_st> x509) : x509_(std::move(x509)) {}
  std::shared_ptr<x509_st> x509_;
};

// evidence::CertificateCheck: a certificate of `name` in `role`, issued by `ca_pem`, valid at `at`.  Returns its public
// key.
Result<std::string> CheckCertificateOf(std::string_view certificate_der, std::string_view ca_pem,
                                       std::string_view role, std::string_view name, UnixNanos at);

}  // namespace logvault::pki
