#include "pki/vault_files.h"

#include <array>

#include "config/small_file.h"
#include "evidence/checkpoint.h"
#include "evidence/hash.h"
#include "evidence/keys.h"

namespace logvault::pki {
namespace {

constexpr std::size_t kVaultPublicMax = 4096;

// The next line of `*text` without its LF (or CRLF), taken off it.
std::string_view TakeLine(std::string_view* text) {
  const std::size_t end = text->find('\n');
  std::string_view line = text->substr(0, end);
  text->remove_prefix(end == std::string_view::npos ? text->size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

std::string VaultPublic::vault_name() const {
  return verifier.name.substr(0, verifier.name.find('/'));
}

Result<VaultPublic> VaultPublic::Parse(std::string_view text) {
  Result<evidence::VerifierKey> verifier = evidence::VerifierKey::Parse(TakeLine(&text));
  if (!verifier.ok()) return verifier.status().WithContext("line 1 is not a C2SP verifier key");
  Result<std::string> opening = evidence::FromBase64(TakeLine(&text));
  if (!opening.ok() || opening->size() != evidence::kPublicKeySize) {
    return InvalidArgument("line 2 is not the base64 of an X25519 public key");
  }
  if (!text.empty()) return InvalidArgument("more than two lines");

  VaultPublic vault{*std::move(verifier), *std::move(opening)};
  if (vault.verifier.name != evidence::OriginFor(vault.vault_name(), vault.verifier.public_key)) {
    return InvalidArgument("the key's name '" + vault.verifier.name +
                           "' is not NAME/<digits of this key>");
  }
  return vault;
}

std::string VaultPublic::ToString() const {
  return verifier.ToString() + "\n" + evidence::ToBase64(opening_public_key) + "\n";
}

Result<VaultPublic> LoadVaultPublic(const std::string& path) {
  Result<std::string> text = config::ReadSmallFile(path, kVaultPublicMax);
  if (!text.ok()) return text.status();
  Result<VaultPublic> vault = VaultPublic::Parse(*text);
  if (!vault.ok()) return InvalidArgument(path + ": not a vault.pub: " + vault.status().message());
  return vault;
}

Result<evidence::SigningKey> LoadSigningKey(const std::string& path) {
  Result<std::string> pem = config::ReadSmallFile(path);
  if (!pem.ok()) return pem.status();
  Result<evidence::SigningKey> key = evidence::SigningKey::FromPem(*pem);
  if (!key.ok()) return InvalidArgument(path + ": no Ed25519 private key in it");
  return key;
}

Result<evidence::OpeningKey> LoadOpeningKey(const std::string& path) {
  Result<std::string> pem = config::ReadSmallFile(path);
  if (!pem.ok()) return pem.status();
  Result<evidence::OpeningKey> key = evidence::OpeningKey::FromPem(*pem);
  if (!key.ok()) return InvalidArgument(path + ": no X25519 private key in it");
  return key;
}

}  // namespace logvault::pki
