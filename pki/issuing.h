// Signing with the CA's key: its own certificate, the parties' certificates, the revocation list
// (RFC 5280, with Ed25519 as in RFC 8410).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "common/status.h"
#include "pki/certificate.h"
#include "pki/identity.h"

struct evp_pkey_st;  // OpenSSL's EVP_PKEY

namespace logvault::pki {

struct Validity {
  UnixNanos from = 0;   // whole seconds count
  UnixNanos until = 0;  // from this second on it is expired
};

// A DNS name or an IP address, as a subject alternative name; kInvalidArgument for anything else.
Status CheckSan(std::string_view san);

struct Revoked {
  std::string serial_hex;
  UnixNanos at = 0;
};

class Issuer {
 public:
  // A new CA's certificate, signed by the key in `key_pem`.
  static Result<std::string> SelfSigned(std::string_view vault, std::string_view key_pem,
                                        Validity validity);
  // kInvalidArgument where the certificate is not a CA's, or the key is not the certificate's.
  static Result<Issuer> FromPem(std::string_view ca_pem, std::string_view key_pem);

  // A certificate of `identity` over `public_key`, Ed25519, with a random serial number.
  // REQUIRES: each of `sans` passed CheckSan.
  [[nodiscard]] Result<std::string> Certify(const Identity& identity,
                                            const std::vector<std::string>& sans,
                                            std::string_view public_key, Validity validity) const;
  [[nodiscard]] Result<std::string> SignRevocationList(std::uint64_t number,
                                                       const std::vector<Revoked>& revoked,
                                                       Validity validity) const;
  [[nodiscard]] const Certificate& certificate() const { return ca_; }

 private:
  Issuer(Certificate ca, std::shared_ptr<evp_pkey_st> key)
      : ca_(std::move(ca)), key_(std::move(key)) {}

  Certificate ca_;
  std::shared_ptr<evp_pkey_st> key_;
};

}  // namespace logvault::pki
