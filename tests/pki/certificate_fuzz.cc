// Any bytes, as PEM and as DER, are a certificate that answers every question, or none; none of
// them is one that a CA made a moment ago has issued.
#include <cstdlib>

#include "evidence/keys.h"
#include "pki/certificate.h"
#include "pki/issuing.h"

namespace {

using namespace logvault;  // NOLINT(google-build-using-namespace): a fuzzer's own file.

const std::string& CaPem() {
  static const std::string pem = *pki::Issuer::SelfSigned(
      "v", evidence::SigningKey::Generate().ToPem(), {0, 1'000'000'000 * kNanosPerSecond});
  return pem;
}

void Ask(const Result<pki::Certificate>& certificate) {
  if (!certificate.ok()) return;
  (void)certificate->identity();
  (void)certificate->serial_hex();
  (void)certificate->not_before();
  (void)certificate->not_after();
  (void)certificate->fingerprint_hex();
  (void)certificate->ed25519_public_key();
  if (certificate->VerifyIssuedBy(CaPem(), kNanosPerSecond).ok()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Ask(pki::Certificate::FromPem(bytes));
  Ask(pki::Certificate::FromDer(bytes));
  return 0;
}
