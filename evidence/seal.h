// The forward-secure seal: a one-way ratchet of HMAC keys.  K_{i+1} = HMAC-SHA-256(K_i,
// "logvault/evolve/v1"); whoever learns K_i learns nothing of the keys before it.
#pragma once

#include <cstdint>
#include <string_view>

#include "evidence/hash.h"

namespace logvault::evidence {

// How far one batch may run ahead of the epoch's last one: bounds the hashing that a header can ask for.
inline constexpr std::uint32_t kMaxSealSkip = 1u << 20;

// Holds one key in locked memory and wipes it when it moves on.  Not for several threads.
class SealRatchet {
 public:
  // `k0` is 32 bytes.
  explicit SealRatchet(std::string_view k0);
  ~SealRatchet();
  SealRatchet(const SealRatchet&) = delete;
  SealRatchet& operator=(const SealRatchet&) = delete;

  [[nodiscard]] std::uint32_t index() const { return index_; }
  [[nodiscard]] std::string_view key() const { return key_.view(); }
  void Advance();

 private:
  std::uint32_t index_ = 0;
  Hash key_;
};

// K_i of the epoch that starts with `k0`; costs i hashes.  `from` and `from_key` may give a nearer start.
Hash SealKeyAt(std::string_view from_key, std::uint32_t from, std::uint32_t index);

}  // namespace logvault::evidence
