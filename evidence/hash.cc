#include "evidence/hash.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <memory>

#include "common/bytes.h"

namespace logvault::evidence {
namespace {

// One context a thread, its digest fetched once: a fresh context a hash costs more than the hash.
EVP_MD_CTX* DigestContext() {
  struct Context {
    Context() : sha256(EVP_MD_fetch(nullptr, "SHA256", nullptr)), context(EVP_MD_CTX_new()) {
      LV_CHECK(sha256 != nullptr && context != nullptr);
      LV_CHECK(EVP_DigestInit_ex2(context, sha256, nullptr) == 1);
    }
    ~Context() {
      EVP_MD_CTX_free(context);
      EVP_MD_free(sha256);
    }
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;
    EVP_MD* sha256;
    EVP_MD_CTX* context;
  };
  thread_local Context context;
  LV_CHECK(EVP_DigestInit_ex2(context.context, nullptr, nullptr) == 1);
  return context.context;
}

Hash Finish(EVP_MD_CTX* context) {
  Hash hash;
  unsigned size = 0;
  LV_CHECK(EVP_DigestFinal_ex(context, hash.bytes.data(), &size) == 1 && size == kHashSize);
  return hash;
}

}  // namespace

Result<Hash> Hash::FromBytes(std::string_view bytes) {
  if (bytes.size() != kHashSize) {
    return Corruption("a hash has 32 bytes, not " + std::to_string(bytes.size()));
  }
  Hash hash;
  std::copy(bytes.begin(), bytes.end(), hash.bytes.begin());
  return hash;
}

Result<Hash> Hash::FromHex(std::string_view hex) {
  if (hex.size() != 2 * kHashSize) return Corruption("not the length of a hash");
  auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  Hash hash;
  for (std::size_t i = 0; i < kHashSize; ++i) {
    const int high = digit(hex[2 * i]), low = digit(hex[2 * i + 1]);
    if (high < 0 || low < 0) return Corruption("not hexadecimal");
    hash.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return hash;
}

std::string Hash::Hex() const { return ToHex(view()); }

Hash Sha256(std::string_view bytes) {
  EVP_MD_CTX* context = DigestContext();
  LV_CHECK(EVP_DigestUpdate(context, bytes.data(), bytes.size()) == 1);
  return Finish(context);
}

Hash Sha256(std::initializer_list<std::string_view> parts) {
  EVP_MD_CTX* context = DigestContext();
  for (std::string_view part : parts) {
    LV_CHECK(EVP_DigestUpdate(context, part.data(), part.size()) == 1);
  }
  return Finish(context);
}

Sha256Stream::Sha256Stream() : context_(EVP_MD_CTX_new()) {
  LV_CHECK(context_ != nullptr);
  LV_CHECK(EVP_DigestInit_ex2(context_, EVP_sha256(), nullptr) == 1);
}

Sha256Stream::~Sha256Stream() { EVP_MD_CTX_free(context_); }

void Sha256Stream::Add(std::string_view bytes) {
  LV_CHECK(EVP_DigestUpdate(context_, bytes.data(), bytes.size()) == 1);
}

Hash Sha256Stream::Finish() {
  const Hash hash = logvault::evidence::Finish(context_);
  LV_CHECK(EVP_DigestInit_ex2(context_, nullptr, nullptr) == 1);
  return hash;
}

Hash HmacSha256(std::string_view key, std::string_view message) {
  Hash mac;
  unsigned size = 0;
  const unsigned char* result = HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
                                     reinterpret_cast<const unsigned char*>(message.data()),
                                     message.size(), mac.bytes.data(), &size);
  LV_CHECK(result != nullptr && size == kHashSize);
  return mac;
}

bool EqualSecrets(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string RandomBytes(std::size_t size) {
  std::string bytes(size, '\0');
  LV_CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(size)) == 1);
  return bytes;
}

std::string ToBase64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // EVP_EncodeBlock ends with a NUL
  int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                             reinterpret_cast<const unsigned char*>(bytes.data()),
                             static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

Result<std::string> FromBase64(std::string_view text) {
  std::string bytes(text.size() / 4 * 3 + 3, '\0');
  const int size = text.size() % 4 != 0
                       ? -1
                       : EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                         reinterpret_cast<const unsigned char*>(text.data()),
                                         static_cast<int>(text.size()));
  if (size < 0) return InvalidArgument("not base64");
  std::size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  bytes.resize(static_cast<std::size_t>(size) - padding);
  // EVP_DecodeBlock forgives blanks, padding inside and stray bits; a canonical text is what its bytes encode to.
  if (ToBase64(bytes) != text) return InvalidArgument("not canonical base64");
  return bytes;
}

}  // namespace logvault::evidence
