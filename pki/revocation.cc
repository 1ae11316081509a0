#include "pki/revocation.h"

#include <openssl/pem.h>

#include "config/small_file.h"
#include "pki/certificate.h"
#include "pki/openssl.h"

namespace logvault::pki {
namespace {

constexpr std::size_t kListFileMax = 16 << 20;  // some 250,000 revoked certificates

// The crlNumber extension; false where there is none, or one past 64 bits.
bool NumberOf(const X509_CRL* list, std::uint64_t* number) {
  const Owned<ASN1_INTEGER> value(
      static_cast<ASN1_INTEGER*>(X509_CRL_get_ext_d2i(list, NID_crl_number, nullptr, nullptr)));
  return value != nullptr && ASN1_INTEGER_get_uint64(number, value.get()) == 1;
}

// A critical extension changes what a list means (one that is only a part, or another issuer's): we
// know none.
bool HasCriticalExtension(const X509_CRL* list) {
  for (int i = 0; i < X509_CRL_get_ext_count(list); ++i) {
    if (X509_EXTENSION_get_critical(X509_CRL_get_ext(list, i)) == 1) return true;
  }
  return false;
}

std::set<std::string> SerialsOf(X509_CRL* list) {
  std::set<std::string> serials;
  STACK_OF(X509_REVOKED)* entries = X509_CRL_get_REVOKED(list);
  for (int i = 0; i < sk_X509_REVOKED_num(entries); ++i) {
    serials.insert(SerialHex(X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(entries, i))));
  }
  return serials;
}

}  // namespace

Result<RevocationList> RevocationList::Parse(std::string_view crl_pem, std::string_view ca_pem) {
  const ErrorMark mark;
  Result<Certificate> ca = Certificate::FromPem(ca_pem);
  if (!ca.ok()) return ca.status().WithContext("CA");
  auto no_password = [](char*, int, int, void*) { return -1; };
  const Owned<X509_CRL> crl(
      PEM_read_bio_X509_CRL(ReadFrom(crl_pem).get(), nullptr, no_password, nullptr));
  if (crl == nullptr) return InvalidArgument("not a PEM revocation list");

  if (X509_NAME_cmp(X509_CRL_get_issuer(crl.get()), X509_get_subject_name(ca->get())) != 0 ||
      X509_CRL_verify(crl.get(), X509_get0_pubkey(ca->get())) != 1) {
    return InvalidArgument("the revocation list is not signed by this CA");
  }
  RevocationList list;
  if (!NumberOf(crl.get(), &list.number))
    return InvalidArgument("the revocation list has no number");
  if (!ToUnixNanos(X509_CRL_get0_lastUpdate(crl.get()), &list.this_update) ||
      !ToUnixNanos(X509_CRL_get0_nextUpdate(crl.get()), &list.next_update)) {
    return InvalidArgument("the revocation list does not say how long it holds");
  }
  if (HasCriticalExtension(crl.get())) {
    return InvalidArgument("the revocation list has a critical extension that is not known here");
  }
  list.revoked_serials = SerialsOf(crl.get());
  return list;
}

RevocationFile::RevocationFile(std::string crl_path, std::string ca_path, const Clock& clock)
    : crl_path_(std::move(crl_path)), ca_path_(std::move(ca_path)), clock_(clock) {}

Result<std::unique_ptr<RevocationFile>> RevocationFile::Open(std::string crl_path,
                                                             std::string ca_path,
                                                             const Clock& clock) {
  std::unique_ptr<RevocationFile> file(
      new RevocationFile(std::move(crl_path), std::move(ca_path), clock));
  LV_RETURN_IF_ERROR(file->Refresh());
  return file;
}

Status RevocationFile::Refresh() {
  Result<std::string> bytes = config::ReadSmallFile(crl_path_, kListFileMax);
  if (!bytes.ok()) return bytes.status();
  {
    MutexLock lock(mutex_);
    if (*bytes == file_bytes_) return Status::Ok();
  }
  Result<std::string> ca_pem = config::ReadSmallFile(ca_path_);
  if (!ca_pem.ok()) return ca_pem.status();
  Result<RevocationList> list = RevocationList::Parse(*bytes, *ca_pem);
  if (!list.ok()) return list.status().WithContext(crl_path_);

  MutexLock lock(mutex_);
  const bool is_first = !file_bytes_.has_value();
  if (!is_first && list->number < list_.number) {
    return FailedPrecondition(crl_path_ + ": revocation list " + std::to_string(list->number) +
                              " is older than " + std::to_string(list_.number) +
                              ", which stays in force");
  }
  if (!is_first && list->number == list_.number && *list != list_) {
    return FailedPrecondition(crl_path_ + ": another revocation list " +
                              std::to_string(list->number) + " than the one in force");
  }
  list_ = *std::move(list);
  file_bytes_ = *std::move(bytes);
  return Status::Ok();
}

bool RevocationFile::IsRevoked(const std::string& serial_hex) const {
  MutexLock lock(mutex_);
  return list_.revoked_serials.count(serial_hex) > 0;
}

UnixNanos RevocationFile::next_update() const {
  MutexLock lock(mutex_);
  return list_.next_update;
}

bool RevocationFile::IsExpired() const {
  MutexLock lock(mutex_);
  return clock_.Now() >= list_.next_update;
}

}  // namespace logvault::pki
