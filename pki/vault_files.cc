#include "pki/vault_files.h"

#include <array>

#include "config/small_file.h"
#include "evidence/checkpoint.h"
#include "evidence/decimal.h"
#include "evidence/hash.h"
#include "evidence/keys.h"

namespace logvault::pki {
namespace {

constexpr std::size_t kVaultPublicMax = 64 * 1024;  // 400 changes of the key, whatever the names

// The next line of `*text` without its LF (or CRLF), taken off it.
std::string_view TakeLine(std::string_view* text) {
  const std::size_t end = text->find('\n');
  std::string_view line = text->substr(0, end);
  text->remove_prefix(end == std::string_view::npos ? text->size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// A line from the third on: a key that the one in force followed.
Result<evidence::VerifierKey::Earlier> ParseEarlier(std::string_view line,
                                                    const evidence::VerifierKey& in_force) {
  const std::size_t blank = line.find(' ');
  Result<evidence::VerifierKey> key = evidence::VerifierKey::Parse(line.substr(0, blank));
  if (!key.ok() || key->name != in_force.name)
    return InvalidArgument("a line from the third on is not an earlier key of this vault");
  evidence::VerifierKey::Earlier earlier{key->public_key};
  if (blank != line.npos && !evidence::ParseDecimal(line.substr(blank + 1), earlier.last_size))
    return InvalidArgument("'" + std::string(line.substr(blank + 1)) + "' is not a tree size");
  return earlier;
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
  VaultPublic vault{*std::move(verifier), *std::move(opening)};
  while (!text.empty()) {
    Result<evidence::VerifierKey::Earlier> earlier = ParseEarlier(TakeLine(&text), vault.verifier);
    if (!earlier.ok()) return earlier.status();
    vault.verifier.earlier.push_back(*std::move(earlier));
  }
  if (vault.verifier.name !=
      evidence::OriginFor(vault.vault_name(), vault.verifier.first_public_key())) {
    return InvalidArgument("the key's name '" + vault.verifier.name +
                           "' is not NAME/<digits of this key>");
  }
  return vault;
}

std::string VaultPublic::ToString() const {
  std::string text = verifier.ToString() + "\n" + evidence::ToBase64(opening_public_key) + "\n";
  for (const evidence::VerifierKey::Earlier& earlier : verifier.earlier) {
    text += evidence::VerifierKey::For(verifier.name, earlier.public_key).ToString();
    if (earlier.last_size != evidence::VerifierKey::kInForce)
      text += " " + std::to_string(earlier.last_size);
    text += "\n";
  }
  return text;
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
