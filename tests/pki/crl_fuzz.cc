// Any bytes, as they are and as the inside of a PEM block, are refused as a revocation list: the CA was made a moment
// ago and has signed none.
#include <cstdlib>

#include "evidence/hash.h"
#include "evidence/keys.h"
#include "pki/issuing.h"
#include "pki/revocation.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace logvault;  // NOLINT(google-build-using-namespace): a fuzzer's own file.
  static const std::string ca_pem = *pki::Issuer::SelfSigned(
      "v", evidence::SigningKey::Generate().ToPem(), {0, 1'000'000'000 * kNanosPerSecond});
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (pki::RevocationList::Parse(bytes, ca_pem).ok()) std::abort();

  std::string pem = "-----BEGIN X509 CRL-----\n";
  const std::string base64 = evidence::ToBase64(bytes);
  for (std::size_t at = 0; at < base64.size(); at += 64) pem += base64.substr(at, 64) + "\n";
  if (pki::RevocationList::Parse(pem + "-----END X509 CRL-----\n", ca_pem).ok()) std::abort();
  return 0;
}
