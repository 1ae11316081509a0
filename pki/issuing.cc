#include "pki/issuing.h"

#include <arpa/inet.h>
#include <openssl/pem.h>

#include "common/check.h"
#include "config/address.h"
#include "evidence/hash.h"
#include "pki/openssl.h"

namespace logvault::pki {
namespace {

constexpr std::size_t kSerialSize = 16;

// Only our own inputs reach these calls: they fail when memory is short or OpenSSL was built
// without Ed25519.
Status OpenSslFailed(std::string_view what) {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  return Internal("OpenSSL cannot make " + std::string(what) + ": " +
                  (reason == nullptr ? "unknown" : reason));
}

bool IsIpAddress(const std::string& text) {
  in6_addr parsed;  // Large enough for either family.
  return inet_pton(AF_INET, text.c_str(), &parsed) == 1 ||
         inet_pton(AF_INET6, text.c_str(), &parsed) == 1;
}

std::shared_ptr<EVP_PKEY> PrivateKeyFrom(std::string_view pem) {
  auto no_password = [](char*, int, int, void*) { return -1; };
  return {PEM_read_bio_PrivateKey(ReadFrom(pem).get(), nullptr, no_password, nullptr), Free()};
}

// Positive, and always of the same length, so that it reads the same everywhere.
bool SetRandomSerial(X509* certificate) {
  std::string bytes = evidence::RandomBytes(kSerialSize);
  bytes[0] = static_cast<char>((static_cast<unsigned char>(bytes[0]) & 0x7f) | 0x40);
  const Owned<BIGNUM> number(BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()),
                                       static_cast<int>(bytes.size()), nullptr));
  return number != nullptr &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool SetName(X509_NAME* name, std::string_view organization, std::string_view common_name) {
  auto add = [name](int nid, std::string_view text) {
    return X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8,
                                      reinterpret_cast<const unsigned char*>(text.data()),
                                      static_cast<int>(text.size()), -1, 0) == 1;
  };
  return add(NID_organizationName, organization) && add(NID_commonName, common_name);
}

bool SetValidity(X509* certificate, Validity validity) {
  return X509_set1_notBefore(certificate, ToAsn1Time(validity.from).get()) == 1 &&
         X509_set1_notAfter(certificate, ToAsn1Time(validity.until).get()) == 1;
}

struct Extension {
  int nid;
  std::string value;  // in the words of openssl's x509v3_config(5)
};

bool AddExtensions(X509* certificate, X509* issuer, const std::vector<Extension>& extensions) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  for (const Extension& wanted : extensions) {
    const Owned<X509_EXTENSION> extension(
        X509V3_EXT_conf_nid(nullptr, &context, wanted.nid, wanted.value.c_str()));
    if (extension == nullptr || X509_add_ext(certificate, extension.get(), -1) != 1) return false;
  }
  return true;
}

template <typename T, typename Write>
std::string ToPem(T* object, Write write) {
  const Owned<BIO> bio(BIO_new(BIO_s_mem()));
  LV_CHECK(bio != nullptr && write(bio.get(), object) == 1);
  return Contents(bio.get());
}

std::string AlternativeNames(const Identity& identity, const std::vector<std::string>& sans) {
  std::string names = "URI:" + identity.ToString();
  for (const std::string& san : sans) names += (IsIpAddress(san) ? ",IP:" : ",DNS:") + san;
  return names;
}

// Investigators are only ever clients.  A forwarder is a server too, of syslog over TLS.
std::string_view KeyPurposes(Role role) {
  switch (role) {
    case Role::kCollector:
    case Role::kForwarder:
      return "serverAuth,clientAuth";
    case Role::kInvestigator:
    case Role::kAdmin:
      return "clientAuth";
  }
  return "clientAuth";
}

bool AddRevoked(X509_CRL* list, const Revoked& revoked) {
  BIGNUM* parsed = nullptr;
  if (BN_hex2bn(&parsed, revoked.serial_hex.c_str()) !=
      static_cast<int>(revoked.serial_hex.size())) {
    BN_free(parsed);
    return false;
  }
  const Owned<BIGNUM> number(parsed);
  const Owned<ASN1_STRING> serial(BN_to_ASN1_INTEGER(number.get(), nullptr));
  Owned<X509_REVOKED> entry(X509_REVOKED_new());
  return serial != nullptr && entry != nullptr &&
         X509_REVOKED_set_serialNumber(entry.get(), serial.get()) == 1 &&
         X509_REVOKED_set_revocationDate(entry.get(), ToAsn1Time(revoked.at).get()) == 1 &&
         X509_CRL_add0_revoked(list, entry.release()) == 1;  // Takes the entry.
}

bool SetListNumber(X509_CRL* list, X509* issuer, std::uint64_t number) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, nullptr, nullptr, list, 0);
  const Owned<X509_EXTENSION> key_id(
      X509V3_EXT_conf_nid(nullptr, &context, NID_authority_key_identifier, "keyid:always"));
  const Owned<ASN1_STRING> value(ASN1_INTEGER_new());
  return key_id != nullptr && X509_CRL_add_ext(list, key_id.get(), -1) == 1 && value != nullptr &&
         ASN1_INTEGER_set_uint64(value.get(), number) == 1 &&
         X509_CRL_add1_ext_i2d(list, NID_crl_number, value.get(), 0, 0) == 1;
}

}  // namespace

Status CheckSan(std::string_view san) {
  const std::string text(san);
  if (IsIpAddress(text)) return Status::Ok();
  // A name that can stand before ":PORT" is a host's; '_' is none of a certificate's.
  if (text.find_first_of("_[]") == std::string::npos && config::ParseAddress(text + ":1").ok())
    return Status::Ok();
  return InvalidArgument("--san '" + text + "' is neither a DNS name nor an IP address");
}

Result<std::string> Issuer::SelfSigned(std::string_view vault, std::string_view key_pem,
                                       Validity validity) {
  const ErrorMark mark;
  const std::shared_ptr<EVP_PKEY> key = PrivateKeyFrom(key_pem);
  const Owned<X509> ca(X509_new());
  if (key == nullptr || ca == nullptr || X509_set_version(ca.get(), X509_VERSION_3) != 1 ||
      !SetRandomSerial(ca.get()) ||
      !SetName(X509_get_subject_name(ca.get()), vault, "logvault CA") ||
      X509_set_issuer_name(ca.get(), X509_get_subject_name(ca.get())) != 1 ||
      !SetValidity(ca.get(), validity) || X509_set_pubkey(ca.get(), key.get()) != 1 ||
      !AddExtensions(ca.get(), ca.get(),
                     {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                      {NID_key_usage, "critical,keyCertSign,cRLSign"},
                      {NID_subject_key_identifier, "hash"},
                      {NID_authority_key_identifier, "keyid:always"}}) ||
      X509_sign(ca.get(), key.get(), nullptr) == 0) {
    return OpenSslFailed("the CA's certificate");
  }
  return ToPem(ca.get(), PEM_write_bio_X509);
}

Result<Issuer> Issuer::FromPem(std::string_view ca_pem, std::string_view key_pem) {
  const ErrorMark mark;
  Result<Certificate> ca = Certificate::FromPem(ca_pem);
  if (!ca.ok()) return ca.status().WithContext("ca.pem");
  if (X509_check_ca(ca->get()) == 0)
    return InvalidArgument("ca.pem is not the certificate of a CA");
  std::shared_ptr<EVP_PKEY> key = PrivateKeyFrom(key_pem);
  if (key == nullptr) return InvalidArgument("ca.key holds no private key");
  if (X509_check_private_key(ca->get(), key.get()) != 1) {
    return InvalidArgument("ca.key is not the key of ca.pem");
  }
  return Issuer(*std::move(ca), std::move(key));
}

Result<std::string> Issuer::Certify(const Identity& identity, const std::vector<std::string>& sans,
                                    std::string_view public_key, Validity validity) const {
  const ErrorMark mark;
  const Owned<EVP_PKEY> key(EVP_PKEY_new_raw_public_key(
      EVP_PKEY_ED25519, nullptr, reinterpret_cast<const unsigned char*>(public_key.data()),
      public_key.size()));
  const Owned<X509> leaf(X509_new());
  if (key == nullptr || leaf == nullptr || X509_set_version(leaf.get(), X509_VERSION_3) != 1 ||
      !SetRandomSerial(leaf.get()) ||
      !SetName(X509_get_subject_name(leaf.get()), identity.vault, identity.name) ||
      X509_set_issuer_name(leaf.get(), X509_get_subject_name(ca_.get())) != 1 ||
      !SetValidity(leaf.get(), validity) || X509_set_pubkey(leaf.get(), key.get()) != 1 ||
      !AddExtensions(leaf.get(), ca_.get(),
                     {{NID_basic_constraints, "critical,CA:FALSE"},
                      {NID_key_usage, "critical,digitalSignature"},
                      {NID_ext_key_usage, std::string(KeyPurposes(identity.role))},
                      {NID_subject_alt_name, AlternativeNames(identity, sans)},
                      {NID_subject_key_identifier, "hash"},
                      {NID_authority_key_identifier, "keyid:always"}}) ||
      X509_sign(leaf.get(), key_.get(), nullptr) == 0) {
    return OpenSslFailed("a certificate");
  }
  return ToPem(leaf.get(), PEM_write_bio_X509);
}

Result<std::string> Issuer::SignRevocationList(std::uint64_t number,
                                               const std::vector<Revoked>& revoked,
                                               Validity validity) const {
  const ErrorMark mark;
  const Owned<X509_CRL> list(X509_CRL_new());
  if (list == nullptr || X509_CRL_set_version(list.get(), X509_CRL_VERSION_2) != 1 ||
      X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(ca_.get())) != 1 ||
      X509_CRL_set1_lastUpdate(list.get(), ToAsn1Time(validity.from).get()) != 1 ||
      X509_CRL_set1_nextUpdate(list.get(), ToAsn1Time(validity.until).get()) != 1) {
    return OpenSslFailed("a revocation list");
  }
  for (const Revoked& entry : revoked) {
    if (!AddRevoked(list.get(), entry))
      return OpenSslFailed("the revocation of " + entry.serial_hex);
  }
  X509_CRL_sort(list.get());
  if (!SetListNumber(list.get(), ca_.get(), number) ||
      X509_CRL_sign(list.get(), key_.get(), nullptr) == 0) {
    return OpenSslFailed("a revocation list");
  }
  return ToPem(list.get(), PEM_write_bio_X509_CRL);
}

}  // namespace logvault::pki
