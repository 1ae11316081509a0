// The keys evidence rests on: Ed25519 (RFC 8032) to sign, X25519 with HKDF-SHA-256 and AES-256-GCM to
// hand an epoch's seal key to the collector and to nobody else.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"
#include "evidence/hash.h"

struct evp_pkey_st;  // OpenSSL's EVP_PKEY

namespace logvault::evidence {

inline constexpr std::size_t kPublicKeySize = 32;  // Ed25519 and X25519
inline constexpr std::size_t kSignatureSize = 64;

// Overwrites `secret` so that it does not outlive its use in memory.
void Wipe(std::string& secret);

// From now on private keys live in memory that is locked and left out of core dumps.  Call it first in main; false
// where the system does not allow it.
bool LockKeyMemory();

// OK, or kCorruption.  `public_key` is 32 raw bytes, `signature` 64.
Status VerifyEd25519(std::string_view public_key, std::string_view message,
                     std::string_view signature);

// An Ed25519 private key.  Sign is safe from several threads.
class SigningKey {
 public:
  static SigningKey Generate();
  static Result<SigningKey> FromSeed(std::string_view seed);  // 32 bytes, RFC 8032's private key
  // The first Ed25519 key among the PRIVATE KEY blocks of `pem` (PKCS #8), and all of them, in their order.
  static Result<SigningKey> FromPem(std::string_view pem);
  static std::vector<SigningKey> AllFromPem(std::string_view pem);

  [[nodiscard]] std::string Sign(std::string_view message) const;
  [[nodiscard]] const std::string& public_key() const { return public_key_; }
  [[nodiscard]] std::string ToPem() const;

 private:
  explicit SigningKey(std::shared_ptr<evp_pkey_st> key);

  std::shared_ptr<evp_pkey_st> key_;
  std::string public_key_;
};

// An X25519 private key: opens what was sealed to its public key.
class OpeningKey {
 public:
  static OpeningKey Generate();
  // As for SigningKey, of the X25519 keys.
  static Result<OpeningKey> FromPem(std::string_view pem);
  static std::vector<OpeningKey> AllFromPem(std::string_view pem);

  // Refuses a box that was not sealed to this key with this `context`.
  [[nodiscard]] Result<std::string> Open(std::string_view box, std::string_view context) const;
  [[nodiscard]] const std::string& public_key() const { return public_key_; }
  [[nodiscard]] std::string ToPem() const;

 private:
  explicit OpeningKey(std::shared_ptr<evp_pkey_st> key);

  std::shared_ptr<evp_pkey_st> key_;
  std::string public_key_;
};

// box = ephemeral public key[32] || AES-256-GCM(secret) || tag[16].  The key and the 12-byte nonce are
// HKDF-SHA-256(X25519 shared secret, salt = ephemeral || recipient, info = "logvault/box/v1\n" || context).
Result<std::string> SealTo(std::string_view recipient_public_key, std::string_view secret,
                           std::string_view context);

}  // namespace logvault::evidence
