#include "pki/certificate.h"

#include <openssl/pem.h>

#include <vector>

#include "common/check.h"
#include "evidence/hash.h"
#include "evidence/keys.h"
#include "pki/openssl.h"

namespace logvault::pki {
namespace {

bool HasUsableTimes(const X509* certificate) {
  UnixNanos time = 0;
  return ToUnixNanos(X509_get0_notBefore(certificate), &time) &&
         ToUnixNanos(X509_get0_notAfter(certificate), &time);
}

// The URI subject alternative names.
std::vector<std::string> UrisOf(const X509* certificate) {
  std::vector<std::string> uris;
  const Owned<GENERAL_NAMES> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) continue;
    const ASN1_IA5STRING* uri = name->d.uniformResourceIdentifier;
    uris.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(uri)),
                      static_cast<std::size_t>(ASN1_STRING_length(uri)));
  }
  return uris;
}

// Why `leaf` is not `ca`'s, beyond what a chain of one can say: OpenSSL calls both "unable to get
// local issuer".
std::string WhyNotIssued(X509* leaf, X509* ca) {
  if (X509_check_issued(ca, leaf) == X509_V_OK && X509_verify(leaf, X509_get0_pubkey(ca)) != 1) {
    return "its signature is wrong";
  }
  return "it was issued by another CA";
}

std::string ReasonFor(int error, const Certificate& leaf, X509* ca) {
  switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "it expired on " + FormatDate(leaf.not_after());
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "it is not valid before " + FormatDate(leaf.not_before()) + " (is a clock wrong?)";
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      return "its signature is wrong";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return WhyNotIssued(leaf.get(), ca);
    default:
      return X509_verify_cert_error_string(error);
  }
}

}  // namespace

Result<Certificate> Certificate::FromPem(std::string_view pem) {
  const ErrorMark mark;
  const Owned<BIO> bio = ReadFrom(pem);
  auto no_password = [](char*, int, int, void*) { return -1; };
  X509* parsed = PEM_read_bio_X509(bio.get(), nullptr, no_password, nullptr);
  if (parsed == nullptr) return InvalidArgument("not a PEM certificate");
  Certificate certificate(std::shared_ptr<X509>(parsed, Free()));
  if (!HasUsableTimes(parsed)) return InvalidArgument("a certificate without proper times");
  return certificate;
}

Result<Certificate> Certificate::FromDer(std::string_view der) {
  const ErrorMark mark;
  const auto* data = reinterpret_cast<const unsigned char*>(der.data());
  const unsigned char* end = data;
  X509* parsed = d2i_X509(nullptr, &end, static_cast<long>(der.size()));
  if (parsed == nullptr) return InvalidArgument("not a DER certificate");
  Certificate certificate(std::shared_ptr<X509>(parsed, Free()));
  if (end != data + der.size()) return InvalidArgument("bytes after a DER certificate");
  if (!HasUsableTimes(parsed)) return InvalidArgument("a certificate without proper times");
  return certificate;
}

Result<Identity> Certificate::identity() const {
  const ErrorMark mark;
  const std::vector<std::string> uris = UrisOf(x509_.get());
  if (uris.size() != 1) {
    return PermissionDenied("a certificate must name one identity as its URI; this one has " +
                            std::to_string(uris.size()));
  }
  Result<Identity> identity = Identity::Parse(uris.front());
  if (!identity.ok()) return PermissionDenied("certificate: " + identity.status().message());
  return identity;
}

std::string Certificate::serial_hex() const {
  return SerialHex(X509_get0_serialNumber(x509_.get()));
}

UnixNanos Certificate::not_before() const {
  UnixNanos time = 0;
  LV_CHECK(ToUnixNanos(X509_get0_notBefore(x509_.get()), &time));
  return time;
}

UnixNanos Certificate::not_after() const {
  UnixNanos time = 0;
  LV_CHECK(ToUnixNanos(X509_get0_notAfter(x509_.get()), &time));
  return time;
}

std::string Certificate::ToDer() const {
  unsigned char* data = nullptr;
  const int size = i2d_X509(x509_.get(), &data);
  LV_CHECK(size > 0);
  std::string der(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
  OPENSSL_free(data);
  return der;
}

std::string Certificate::fingerprint_hex() const { return evidence::Sha256(ToDer()).Hex(); }

Result<std::string> Certificate::ed25519_public_key() const {
  const ErrorMark mark;
  EVP_PKEY* key = X509_get0_pubkey(x509_.get());
  std::string bytes(evidence::kPublicKeySize, '\0');
  std::size_t size = bytes.size();
  if (key == nullptr || EVP_PKEY_is_a(key, "ED25519") != 1 ||
      EVP_PKEY_get_raw_public_key(key, reinterpret_cast<unsigned char*>(bytes.data()), &size) !=
          1) {
    return InvalidArgument("the certificate's key is not an Ed25519 key");
  }
  return bytes;
}

Status Certificate::VerifyIssuedBy(std::string_view ca_pem, UnixNanos at) const {
  const ErrorMark mark;
  Result<Certificate> ca = FromPem(ca_pem);
  if (!ca.ok()) return ca.status().WithContext("CA");
  if (X509_check_ca(ca->get()) == 0) return InvalidArgument("CA: not the certificate of a CA");

  const Owned<X509_STORE> store(X509_STORE_new());
  const Owned<X509_STORE_CTX> context(X509_STORE_CTX_new());
  LV_CHECK(store != nullptr && context != nullptr);
  LV_CHECK(X509_STORE_add_cert(store.get(), ca->get()) == 1);
  LV_CHECK(X509_STORE_CTX_init(context.get(), store.get(), x509_.get(), nullptr) == 1);
  X509_STORE_CTX_set_flags(context.get(), X509_V_FLAG_X509_STRICT);
  X509_STORE_CTX_set_time(context.get(), 0, at / kNanosPerSecond);
  if (X509_verify_cert(context.get()) != 1) {
    const int error = X509_STORE_CTX_get_error(context.get());
    if (X509_STORE_CTX_get_error_depth(context.get()) > 0) {
      return Unauthenticated("the CA's own certificate: " + ReasonFor(error, *ca, ca->get()));
    }
    return Unauthenticated("certificate refused: " + ReasonFor(error, *this, ca->get()));
  }
  if (X509_check_ca(x509_.get()) != 0) return Unauthenticated("certificate refused: it is a CA's");
  return Status::Ok();
}

Result<std::string> CheckCertificateOf(std::string_view certificate_der, std::string_view ca_pem,
                                       std::string_view role, std::string_view name, UnixNanos at) {
  Result<Certificate> certificate = Certificate::FromDer(certificate_der);
  if (!certificate.ok()) return certificate.status();
  LV_RETURN_IF_ERROR(certificate->VerifyIssuedBy(ca_pem, at));
  Result<Identity> identity = certificate->identity();
  if (!identity.ok()) return identity.status();
  if (ToString(identity->role) != role || identity->name != name) {
    return PermissionDenied("the certificate is " + identity->ToString() + "'s, not that of " +
                            std::string(role) + " '" + std::string(name) + "'");
  }
  return certificate->ed25519_public_key();
}

}  // namespace logvault::pki
