// Checkpoints: signed tree heads, as c2sp.org/tlog-checkpoint v1.0.0 has them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/status.h"
#include "evidence/hash.h"
#include "evidence/note.h"

namespace logvault::evidence {

// Text: origin, decimal size, base64 root, each ended by '\n'.  We write no extension lines and accept
// those of others.
struct Checkpoint {
  std::string origin;
  std::uint64_t size = 0;
  Hash root;

  static Result<Checkpoint> Parse(std::string_view text);
  [[nodiscard]] std::string ToString() const;
  bool operator==(const Checkpoint&) const = default;
};

// "<vault name>/<first 8 hex digits of SHA-256(public key)>": a vault's origin, fixed by its signing key, which
// no other vault ever uses.
std::string OriginFor(std::string_view vault_name, std::string_view vault_public_key);

// The signed note of `checkpoint`; the key's name is the origin.
std::string SignCheckpoint(const Checkpoint& checkpoint, const SigningKey& key);

// What `note` says, whoever signed it: for whoever must know its size before they can know which key is right.
Result<Checkpoint> UnverifiedCheckpoint(std::string_view note);

// The checkpoint in `note`, verified against `key`, whose name must be its origin; or against a key that this one
// followed, where the size is none that came after it was retired.
Result<Checkpoint> OpenCheckpoint(std::string_view note, const VerifierKey& key);

}  // namespace logvault::evidence
