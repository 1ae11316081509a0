// OpenSSL's objects with one owner each, for pki's own sources.
#pragma once

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <string_view>

#include "common/clock.h"
#include "common/status.h"

namespace logvault::pki {

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(BIGNUM* number) const { BN_free(number); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(X509_CRL* list) const { X509_CRL_free(list); }
  void operator()(X509_REVOKED* entry) const { X509_REVOKED_free(entry); }
  void operator()(X509_STORE* store) const { X509_STORE_free(store); }
  void operator()(X509_STORE_CTX* context) const { X509_STORE_CTX_free(context); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
  void operator()(ASN1_STRING* value) const {
    ASN1_STRING_free(value);
  }  // Integers and times are strings too.
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

// Leaves OpenSSL's error queue of this thread as it was found: gRPC's TLS reads the same queue, and
// takes an error that is not its own for a broken connection.
class ErrorMark {
 public:
  ErrorMark() { ERR_set_mark(); }
  ~ErrorMark() { ERR_pop_to_mark(); }
  ErrorMark(const ErrorMark&) = delete;
  ErrorMark& operator=(const ErrorMark&) = delete;
};

// Reads PEM or DER from `bytes`, which must outlive it.
Owned<BIO> ReadFrom(std::string_view bytes);
// What was written to a memory BIO.
std::string Contents(BIO* bio);

// Lower-case hexadecimal, without leading zero bytes.
std::string SerialHex(const ASN1_INTEGER* serial);

// Clamped to what UnixNanos can hold; false for a time that is not one.
bool ToUnixNanos(const ASN1_TIME* time, UnixNanos* out);
// Whole seconds; the rest is cut off.
Owned<ASN1_TIME> ToAsn1Time(UnixNanos time);
// "2026-11-23T15:48:01Z"
std::string FormatDate(UnixNanos time);

}  // namespace logvault::pki
