// Bodies of the vault's own blocks that a verifier needs: GENESIS, STREAM and KEY.  Byte layouts:
// docs/FORMAT.md, section "Block bodies".  The other kinds carry one JSON object each.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/status.h"
#include "evidence/hash.h"

namespace logvault::evidence {

// "logvault/gen/v1\n" || origin (u16) || vault public key[32] || opening key[32] || retention_min u64 ns ||
// CA certificate (u32, PEM).
struct GenesisBody {
  std::string origin;
  std::string vault_public_key;    // Ed25519, 32 bytes
  std::string opening_public_key;  // X25519, 32 bytes
  std::uint64_t retention_min_ns = 0;
  std::string ca_pem;
  bool operator==(const GenesisBody&) const = default;

  static Result<GenesisBody> Parse(std::string_view bytes);
  [[nodiscard]] std::string Serialize() const;
};

// "logvault/str/v1\n" || stream_id[32] || host (u16) || source (u16) || format (u16) || descriptor (u32, JSON).
struct StreamBody {
  std::string host;
  std::string source;
  std::string format;      // one of formats::kFormats by name
  std::string descriptor;  // type, paths, encoding, timezone: one JSON object
  bool operator==(const StreamBody&) const = default;

  // Refuses a stream id that is not the one of host and source.
  static Result<StreamBody> Parse(std::string_view bytes);
  [[nodiscard]] std::string Serialize() const;
};

// "logvault/key/v1\n" || host (u16) || epoch u64 || epoch public key[32] || SHA-256(K_0)[32] ||
// SHA-256(box)[32] || previous epoch u64 || certificate (u32, DER) || signature (u16).  The signature is by the
// certificate's key over everything before its length; the box is K_0 sealed to the vault's opening key and is
// itself never logged.
struct KeyBody {
  std::string host;
  std::uint64_t epoch = 0;
  std::string epoch_public_key;  // Ed25519, 32 bytes
  Hash k0_hash;
  Hash box_hash;
  std::uint64_t previous_epoch = 0;  // 0: none known
  std::string certificate_der;
  std::string signature;
  bool operator==(const KeyBody&) const = default;

  static Result<KeyBody> Parse(std::string_view bytes);
  [[nodiscard]] std::string Serialize() const;
  // What the certificate's key signs.
  [[nodiscard]] std::string SignedBytes() const;
  // What the box is bound to (SealTo's context): "HOST EPOCH", a host name holds no blanks.
  [[nodiscard]] std::string BoxContext() const { return host + " " + std::to_string(epoch); }
};

}  // namespace logvault::evidence
