#include "evidence/seal.h"

#include <openssl/crypto.h>
#include <sys/mman.h>

#include "common/check.h"

namespace logvault::evidence {
namespace {

Hash Evolve(const Hash& key) { return HmacSha256(key.view(), "logvault/evolve/v1"); }

}  // namespace

SealRatchet::SealRatchet(std::string_view k0) {
  // Best effort: without the right to lock memory the key may be swapped out, which docs/threat-model.md says.
  static_cast<void>(mlock(this, sizeof(*this)));
  Result<Hash> key = Hash::FromBytes(k0);
  LV_CHECK(key.ok());
  key_ = *key;
}

SealRatchet::~SealRatchet() {
  OPENSSL_cleanse(key_.bytes.data(), key_.bytes.size());
  static_cast<void>(munlock(this, sizeof(*this)));
}

void SealRatchet::Advance() {
  Hash next = Evolve(key_);
  key_ = next;
  OPENSSL_cleanse(next.bytes.data(), next.bytes.size());
  ++index_;
}

Hash SealKeyAt(std::string_view from_key, std::uint32_t from, std::uint32_t index) {
  LV_CHECK(from <= index);
  Result<Hash> key = Hash::FromBytes(from_key);
  LV_CHECK(key.ok());
  Hash current = *key;
  for (std::uint32_t i = from; i < index; ++i) current = Evolve(current);
  return current;
}

}  // namespace logvault::evidence
