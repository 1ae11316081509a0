#include "cli/signer.h"

#include <utility>

#include "config/small_file.h"
#include "pki/vault_files.h"

namespace logvault::cli {

Result<Signer> Signer::Load(const std::string& credentials, const std::string& what) {
  const std::string needs =
      what + " is signed: --credentials needs a person's cert.pem and key.pem";
  if (credentials.empty()) return InvalidArgument(needs);
  Result<std::string> pem = config::ReadSmallFile(credentials + "/cert.pem");
  if (!pem.ok()) return InvalidArgument(needs + ": " + pem.status().message());
  Result<pki::Certificate> certificate = pki::Certificate::FromPem(*pem);
  if (!certificate.ok()) return certificate.status().WithContext(credentials + "/cert.pem");
  Result<evidence::SigningKey> key = pki::LoadSigningKey(credentials + "/key.pem");
  if (!key.ok()) return InvalidArgument(needs + ": " + key.status().message());
  Result<std::string> public_key = certificate->ed25519_public_key();
  if (!public_key.ok() || *public_key != key->public_key())
    return InvalidArgument(credentials + ": key.pem is not the key of cert.pem");
  return Signer{*std::move(certificate), *std::move(key)};
}

evidence::Directive Signer::Sign(const evidence::Statement& statement) const {
  evidence::Directive directive;
  directive.statement = statement.Serialize();
  directive.certificate_der = certificate.ToDer();
  directive.signature = key.Sign(directive.SignedBytes());
  return directive;
}

}  // namespace logvault::cli
