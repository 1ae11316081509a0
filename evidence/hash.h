// SHA-256 and HMAC-SHA-256 values (FIPS 180-4, RFC 2104), computed by OpenSSL.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "common/status.h"

struct evp_md_ctx_st;  // OpenSSL's EVP_MD_CTX

namespace logvault::evidence {

inline constexpr std::size_t kHashSize = 32;

struct Hash {
  std::array<std::uint8_t, kHashSize> bytes{};

  // Refuses anything that is not exactly 32 bytes.
  static Result<Hash> FromBytes(std::string_view bytes);
  // Refuses anything that is not exactly 64 lower-case hexadecimal digits.
  static Result<Hash> FromHex(std::string_view hex);

  [[nodiscard]] std::string_view view() const {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  [[nodiscard]] std::string Hex() const;
  auto operator<=>(const Hash&) const = default;
};

Hash Sha256(std::string_view bytes);
// Over the concatenation of `parts`.  Safe from any thread (one reused context a thread).
Hash Sha256(std::initializer_list<std::string_view> parts);

// SHA-256 of bytes that come in pieces.  Not for several threads.
class Sha256Stream {
 public:
  Sha256Stream();
  ~Sha256Stream();
  Sha256Stream(const Sha256Stream&) = delete;
  Sha256Stream& operator=(const Sha256Stream&) = delete;

  void Add(std::string_view bytes);
  // The hash of all that was added; afterwards it begins anew.
  [[nodiscard]] Hash Finish();

 private:
  evp_md_ctx_st* context_;
};

Hash HmacSha256(std::string_view key, std::string_view message);

// Compares in constant time: for MACs.
bool EqualSecrets(std::string_view a, std::string_view b);

// `size` bytes from the operating system's random number generator.
std::string RandomBytes(std::size_t size);

// Standard base64 with padding (RFC 4648 section 4).  Decoding is strict: no blanks, no missing padding,
// no bits left over.
std::string ToBase64(std::string_view bytes);
Result<std::string> FromBase64(std::string_view text);

}  // namespace logvault::evidence
