#include "pki/openssl.h"

#include <algorithm>
#include <climits>
#include <ctime>

#include "common/check.h"

namespace logvault::pki {

Owned<BIO> ReadFrom(std::string_view bytes) {
  const std::size_t size = std::min<std::size_t>(bytes.size(), INT_MAX);
  Owned<BIO> bio(BIO_new_mem_buf(size == 0 ? "" : bytes.data(), static_cast<int>(size)));
  LV_CHECK(bio != nullptr);
  return bio;
}

std::string Contents(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string SerialHex(const ASN1_INTEGER* serial) {
  const Owned<BIGNUM> number(ASN1_INTEGER_to_BN(serial, nullptr));
  LV_CHECK(number != nullptr);
  const std::unique_ptr<char, void (*)(char*)> hex(BN_bn2hex(number.get()),
                                                   [](char* p) { OPENSSL_free(p); });
  std::string text = hex.get();
  for (char& c : text) {
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

bool ToUnixNanos(const ASN1_TIME* time, UnixNanos* out) {
  std::tm civil{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &civil) != 1) return false;
  const std::int64_t limit = INT64_MAX / kNanosPerSecond;
  *out = std::clamp<std::int64_t>(timegm(&civil), -limit, limit) * kNanosPerSecond;
  return true;
}

Owned<ASN1_TIME> ToAsn1Time(UnixNanos time) {
  Owned<ASN1_TIME> result(ASN1_TIME_set(nullptr, time / kNanosPerSecond));
  LV_CHECK(result != nullptr);
  return result;
}

std::string FormatDate(UnixNanos time) {
  const std::time_t seconds = time / kNanosPerSecond;
  std::tm civil{};
  gmtime_r(&seconds, &civil);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &civil)};
}

}  // namespace logvault::pki
