// The key files of a vault and of its parties: vault.pub, which everybody holds, vault.key and
// key.pem.
#pragma once

#include <string>
#include <string_view>

#include "common/status.h"
#include "evidence/keys.h"
#include "evidence/note.h"

namespace logvault::pki {

// What vault.pub says: the vault's C2SP verifier key, and the key that epochs' keys are sealed to.
struct VaultPublic {
  evidence::VerifierKey verifier;  // its name is the vault's origin
  std::string opening_public_key;  // X25519, 32 bytes

  // The trust domain of its certificates: the origin before '/'.
  [[nodiscard]] std::string vault_name() const;
  bool operator==(const VaultPublic&) const = default;

  // The verifier key, the base64 X25519 key; then, where the key was changed, a line for each one before, the newest
  // first: its verifier key and, once it is retired, a blank and the last tree size that it may sign.
  static Result<VaultPublic> Parse(std::string_view text);
  [[nodiscard]] std::string ToString() const;
};

// Errors name the file and what is wrong with it.  To read any other small file:
// config/small_file.h.
Result<VaultPublic> LoadVaultPublic(const std::string& path);

// The Ed25519 key of key.pem (a party's, as in its certificate) or of vault.key (the vault's); the
// X25519 key of vault.key.
Result<evidence::SigningKey> LoadSigningKey(const std::string& path);
Result<evidence::OpeningKey> LoadOpeningKey(const std::string& path);

}  // namespace logvault::pki
