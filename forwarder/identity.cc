#include "forwarder/identity.h"

#include <utility>

#include "config/small_file.h"
#include "evidence/keys.h"
#include "pki/certificate.h"

namespace logvault::forwarder {

Result<LoadedIdentity> LoadIdentity(const config::ForwarderConfig& config) {
  Result<pki::VaultPublic> vault = pki::LoadVaultPublic(config.vault_key);
  if (!vault.ok()) return vault.status();
  Result<std::string> certificate_pem = config::ReadSmallFile(config.tls.cert);
  if (!certificate_pem.ok()) return certificate_pem.status();
  Result<std::string> key_pem = config::ReadSmallFile(config.tls.key);
  if (!key_pem.ok()) return key_pem.status();
  Result<pki::Certificate> certificate = pki::Certificate::FromPem(*certificate_pem);
  if (!certificate.ok()) return certificate.status().WithContext(config.tls.cert);
  Result<pki::Identity> identity = certificate->identity();
  if (!identity.ok()) return identity.status().WithContext(config.tls.cert);
  if (identity->vault != vault->vault_name()) {
    return InvalidArgument(config.tls.cert + " is for vault " + identity->vault + ", " +
                           config.vault_key + " is that of " + vault->vault_name());
  }
  Result<evidence::SigningKey> key = evidence::SigningKey::FromPem(*key_pem);
  evidence::Wipe(*key_pem);
  if (!key.ok()) return key.status().WithContext(config.tls.key);
  Result<std::string> public_key = certificate->ed25519_public_key();
  if (!public_key.ok()) return public_key.status().WithContext(config.tls.cert);
  if (*public_key != key->public_key()) {
    return InvalidArgument(config.tls.key + " is not the key of " + config.tls.cert);
  }
  return LoadedIdentity{
      {identity->name, certificate->ToDer(), *std::move(key), vault->opening_public_key},
      *std::move(vault)};
}

}  // namespace logvault::forwarder
