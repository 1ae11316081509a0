#include "pki/vault_key_change.h"

#include <algorithm>
#include <filesystem>
#include <utility>
#include <vector>

#include "config/small_file.h"
#include "evidence/keys.h"
#include "pki/authority_folder.h"
#include "pki/vault_files.h"

namespace logvault::pki {
namespace {

namespace fs = std::filesystem;
using config::FileMode;
using evidence::VerifierKey;

// What vault.key holds, newest first.
struct PrivateKeys {
  std::vector<evidence::SigningKey> signing;
  std::vector<evidence::OpeningKey> opening;

  [[nodiscard]] std::string ToPem() const {
    std::string pem;
    for (const evidence::SigningKey& key : signing) pem += key.ToPem();
    for (const evidence::OpeningKey& key : opening) pem += key.ToPem();
    return pem;
  }
};

Result<PrivateKeys> LoadKeys(const fs::path& path) {
  Result<std::string> pem = config::ReadSmallFile(path);
  if (!pem.ok()) return pem.status();
  PrivateKeys keys{evidence::SigningKey::AllFromPem(*pem), evidence::OpeningKey::AllFromPem(*pem)};
  if (keys.signing.empty() || keys.opening.empty())
    return InvalidArgument(path.string() + " does not hold the vault's keys");
  return keys;
}

bool IsInForce(const VerifierKey& key, const std::string& public_key) {
  if (public_key == key.public_key) return true;
  return std::any_of(
      key.earlier.begin(), key.earlier.end(), [&](const VerifierKey::Earlier& earlier) {
        return earlier.public_key == public_key && earlier.last_size == VerifierKey::kInForce;
      });
}

}  // namespace

Status RotateVaultKey(const std::string& dir) {
  Result<FolderLock> lock = FolderLock::Take(dir);
  if (!lock.ok()) return lock.status();
  Result<Authority> authority = LoadAuthority(dir);
  if (!authority.ok()) return authority.status();
  const VaultPublic& now = authority->vault;
  if (!now.verifier.earlier.empty() &&
      now.verifier.earlier.front().last_size == VerifierKey::kInForce) {
    return FailedPrecondition(
        "the change before is not finished: `logvault vault-key retire`, "
        "`logvault vault-key save` and `logvault pki retire` come first");
  }
  const fs::path folder(dir);
  Result<PrivateKeys> keys = LoadKeys(folder / "vault.key");
  if (!keys.ok()) return keys.status();
  // A crash may have left keys that vault.pub does not name yet: those are taken.
  if (keys->signing.front().public_key() == now.verifier.public_key) {
    keys->signing.insert(keys->signing.begin(), evidence::SigningKey::Generate());
    keys->opening.insert(keys->opening.begin(), evidence::OpeningKey::Generate());
  }
  VaultPublic next{VerifierKey::For(now.verifier.name, keys->signing.front().public_key()),
                   keys->opening.front().public_key()};
  next.verifier.earlier = now.verifier.earlier;
  next.verifier.earlier.insert(next.verifier.earlier.begin(), {now.verifier.public_key});
  LV_RETURN_IF_ERROR(
      config::WriteSmallFile(folder / "vault.key", keys->ToPem(), FileMode::kPrivate));
  return config::WriteSmallFile(folder / "vault.pub", next.ToString(), FileMode::kPublic);
}

Status RetireVaultKey(const std::string& dir, const std::string& vault_pub) {
  Result<FolderLock> lock = FolderLock::Take(dir);
  if (!lock.ok()) return lock.status();
  Result<Authority> authority = LoadAuthority(dir);
  if (!authority.ok()) return authority.status();
  Result<VaultPublic> retired = LoadVaultPublic(vault_pub);
  if (!retired.ok()) return InvalidArgument(retired.status().message());
  if (retired->verifier.public_key != authority->vault.verifier.public_key ||
      retired->opening_public_key != authority->vault.opening_public_key) {
    return InvalidArgument(vault_pub + " is not of the key that " + dir + " holds");
  }
  const fs::path folder(dir);
  Result<PrivateKeys> keys = LoadKeys(folder / "vault.key");
  if (!keys.ok()) return keys.status();
  std::erase_if(keys->signing, [&retired](const evidence::SigningKey& key) {
    return !IsInForce(retired->verifier, key.public_key());
  });
  LV_RETURN_IF_ERROR(
      config::WriteSmallFile(folder / "vault.pub", retired->ToString(), FileMode::kPublic));
  return config::WriteSmallFile(folder / "vault.key", keys->ToPem(), FileMode::kPrivate);
}

}  // namespace logvault::pki
