#include "server/vault_keys.h"

#include <algorithm>
#include <utility>

#include "config/small_file.h"
#include "evidence/bodies.h"
#include "evidence/checkpoint.h"
#include "evidence/note.h"
#include "pki/certificate.h"
#include "pki/directive_file.h"

namespace logvault::server {

Result<VaultKeys> VaultKeys::Load(const std::string& path) {
  Result<std::string> pem = config::ReadSmallFile(path);
  if (!pem.ok()) return InvalidArgument("vault.signing_key: " + pem.status().message());
  VaultKeys keys{evidence::SigningKey::AllFromPem(*pem), evidence::OpeningKey::AllFromPem(*pem)};
  if (keys.signing.empty()) return InvalidArgument(path + ": no Ed25519 private key in it");
  if (keys.opening.empty()) return InvalidArgument(path + ": no X25519 private key in it");
  return keys;
}

bool VaultKeys::CanOpen(std::string_view opening_public_key) const {
  return std::any_of(opening.begin(), opening.end(), [&](const evidence::OpeningKey& key) {
    return key.public_key() == opening_public_key;
  });
}

Result<std::string> CreateVault(const config::CollectorConfig& config, const Clock& clock) {
  Result<VaultKeys> keys = VaultKeys::Load(config.signing_key);
  if (!keys.ok()) return keys.status();
  Result<std::string> ca_pem = config::ReadSmallFile(config.tls.ca);
  if (!ca_pem.ok()) return InvalidArgument("tls.ca: " + ca_pem.status().message());
  Result<pki::Certificate> ca = pki::Certificate::FromPem(*ca_pem);
  if (!ca.ok()) return InvalidArgument(config.tls.ca + ": " + ca.status().message());

  evidence::GenesisBody genesis;
  const evidence::SigningKey& signing = keys->signing.front();
  genesis.origin = evidence::OriginFor(config.vault_name, signing.public_key());
  genesis.vault_public_key = signing.public_key();
  genesis.opening_public_key = keys->opening.front().public_key();
  genesis.ca_pem = *std::move(ca_pem);
  genesis.retention_min_ns = static_cast<std::uint64_t>(config.retention_min_ns);
  storage::VaultOptions options;
  options.dir = config.vault_dir;
  options.anchor = config.anchor;
  LV_RETURN_IF_ERROR(storage::Vault::Create(options, genesis, signing, clock));
  return evidence::VerifierKey::For(genesis.origin, genesis.vault_public_key).ToString();
}

Result<std::uint64_t> AcceptRollback(const config::CollectorConfig& config, const std::string& file,
                                     const Clock& clock) {
  Result<evidence::Directive> directive = pki::LoadDirective(file);
  if (!directive.ok()) return directive.status();
  Result<VaultKeys> keys = VaultKeys::Load(config.signing_key);
  if (!keys.ok()) return keys.status();
  storage::VaultOptions options;
  options.dir = config.vault_dir;
  options.anchor = config.anchor;
  options.certificate_check = pki::CheckCertificateOf;
  return storage::Vault::AcceptRollback(options, keys->signing, clock, directive->Serialize());
}

}  // namespace logvault::server
