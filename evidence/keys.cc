#include "evidence/keys.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/pem.h>

#include <utility>

#include "common/check.h"

namespace logvault::evidence {
namespace {

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
  void operator()(EVP_KDF_CTX* context) const { EVP_KDF_CTX_free(context); }
  void operator()(EVP_KDF* kdf) const { EVP_KDF_free(kdf); }
  void operator()(BIO* bio) const { BIO_free(bio); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

constexpr std::size_t kGcmTagSize = 16;
constexpr std::size_t kGcmNonceSize = 12;
constexpr std::size_t kAesKeySize = 32;

const unsigned char* Data(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
unsigned char* Data(std::string& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

std::shared_ptr<EVP_PKEY> Share(EVP_PKEY* key) { return {key, Free()}; }

std::shared_ptr<EVP_PKEY> GenerateKey(const char* type) {
  EVP_PKEY* key = EVP_PKEY_Q_keygen(nullptr, nullptr, type);
  LV_CHECK(key != nullptr);
  return Share(key);
}

std::string RawPublicKey(EVP_PKEY* key) {
  std::string bytes(kPublicKeySize, '\0');
  std::size_t size = bytes.size();
  LV_CHECK(EVP_PKEY_get_raw_public_key(key, Data(bytes), &size) == 1 && size == kPublicKeySize);
  return bytes;
}

// The private keys of `type` among the PEM blocks.
std::vector<std::shared_ptr<EVP_PKEY>> FindPrivateKeys(std::string_view pem, const char* type) {
  Owned<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  LV_CHECK(bio != nullptr);
  auto no_password = [](char*, int, int, void*) { return -1; };
  std::vector<std::shared_ptr<EVP_PKEY>> found;
  while (EVP_PKEY* key = PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr)) {
    std::shared_ptr<EVP_PKEY> shared = Share(key);
    if (EVP_PKEY_is_a(key, type) == 1) found.push_back(std::move(shared));
  }
  return found;
}

std::string PrivateKeyPem(EVP_PKEY* key) {
  Owned<BIO> bio(BIO_new(BIO_s_mem()));
  LV_CHECK(PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) ==
           1);
  char* data = nullptr;
  long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

// The X25519 shared secret; refuses a peer's key of small order (RFC 7748 section 6.1).
Result<std::string> SharedSecret(EVP_PKEY* own, std::string_view peer_public_key) {
  Owned<EVP_PKEY> peer(EVP_PKEY_new_raw_public_key_ex(
      nullptr, "X25519", nullptr, Data(peer_public_key), peer_public_key.size()));
  if (peer == nullptr) return InvalidArgument("not an X25519 public key");
  Owned<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_pkey(nullptr, own, nullptr));
  std::string secret(kPublicKeySize, '\0');
  std::size_t size = secret.size();
  if (EVP_PKEY_derive_init(context.get()) != 1 ||
      EVP_PKEY_derive_set_peer(context.get(), peer.get()) != 1 ||
      EVP_PKEY_derive(context.get(), Data(secret), &size) != 1 || size != secret.size()) {
    return InvalidArgument("no X25519 secret can be shared with this key");
  }
  return secret;
}

// The AES key and nonce of a box.
std::string BoxKey(std::string_view secret, std::string_view ephemeral, std::string_view recipient,
                   std::string_view context) {
  Owned<EVP_KDF> hkdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
  Owned<EVP_KDF_CTX> kdf(EVP_KDF_CTX_new(hkdf.get()));
  std::string digest = "SHA256";
  std::string key(secret);
  std::string salt = std::string(ephemeral) + std::string(recipient);
  std::string info = "logvault/box/v1\n" + std::string(context);
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key.data(), key.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, salt.data(), salt.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.data(), info.size()),
      OSSL_PARAM_construct_end(),
  };
  std::string out(kAesKeySize + kGcmNonceSize, '\0');
  LV_CHECK(EVP_KDF_derive(kdf.get(), Data(out), out.size(), params) == 1);
  return out;
}

}  // namespace

void Wipe(std::string& secret) {
  OPENSSL_cleanse(secret.data(), secret.size());
  secret.clear();
}

bool LockKeyMemory() {
  // OpenSSL keeps the private part of Ed25519 and X25519 keys in this heap once it exists.  1 is success; 2 means
  // that it could not be locked.
  constexpr std::size_t kHeapSize = 64 * 1024;
  constexpr std::size_t kLeastPiece = 32;
  return CRYPTO_secure_malloc_init(kHeapSize, kLeastPiece) == 1;
}

Status VerifyEd25519(std::string_view public_key, std::string_view message,
                     std::string_view signature) {
  if (public_key.size() != kPublicKeySize) return Corruption("an Ed25519 public key has 32 bytes");
  if (signature.size() != kSignatureSize) return Corruption("an Ed25519 signature has 64 bytes");
  Owned<EVP_PKEY> key(EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, Data(public_key),
                                                     public_key.size()));
  Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  if (key == nullptr ||
      EVP_DigestVerifyInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, key.get(),
                              nullptr) != 1 ||
      EVP_DigestVerify(context.get(), Data(signature), signature.size(), Data(message),
                       message.size()) != 1) {
    return Corruption("the signature does not verify");
  }
  return Status::Ok();
}

SigningKey::SigningKey(std::shared_ptr<EVP_PKEY> key)
    : key_(std::move(key)), public_key_(RawPublicKey(key_.get())) {}

SigningKey SigningKey::Generate() { return SigningKey(GenerateKey("ED25519")); }

Result<SigningKey> SigningKey::FromSeed(std::string_view seed) {
  EVP_PKEY* key =
      EVP_PKEY_new_raw_private_key_ex(nullptr, "ED25519", nullptr, Data(seed), seed.size());
  if (key == nullptr)
    return InvalidArgument("an Ed25519 seed has 32 bytes, not " + std::to_string(seed.size()));
  return SigningKey(Share(key));
}

Result<SigningKey> SigningKey::FromPem(std::string_view pem) {
  const std::vector<SigningKey> keys = AllFromPem(pem);
  if (keys.empty()) return InvalidArgument("no Ed25519 private key in this PEM text");
  return keys.front();
}

std::vector<SigningKey> SigningKey::AllFromPem(std::string_view pem) {
  std::vector<SigningKey> keys;
  for (std::shared_ptr<EVP_PKEY>& key : FindPrivateKeys(pem, "ED25519"))
    keys.push_back(SigningKey(std::move(key)));
  return keys;
}

std::string SigningKey::Sign(std::string_view message) const {
  Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  std::string signature(kSignatureSize, '\0');
  std::size_t size = signature.size();
  LV_CHECK(EVP_DigestSignInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, key_.get(),
                                 nullptr) == 1);
  LV_CHECK(EVP_DigestSign(context.get(), Data(signature), &size, Data(message), message.size()) ==
           1);
  LV_CHECK(size == kSignatureSize);
  return signature;
}

std::string SigningKey::ToPem() const { return PrivateKeyPem(key_.get()); }

OpeningKey::OpeningKey(std::shared_ptr<EVP_PKEY> key)
    : key_(std::move(key)), public_key_(RawPublicKey(key_.get())) {}

OpeningKey OpeningKey::Generate() { return OpeningKey(GenerateKey("X25519")); }

Result<OpeningKey> OpeningKey::FromPem(std::string_view pem) {
  const std::vector<OpeningKey> keys = AllFromPem(pem);
  if (keys.empty()) return InvalidArgument("no X25519 private key in this PEM text");
  return keys.front();
}

std::vector<OpeningKey> OpeningKey::AllFromPem(std::string_view pem) {
  std::vector<OpeningKey> keys;
  for (std::shared_ptr<EVP_PKEY>& key : FindPrivateKeys(pem, "X25519"))
    keys.push_back(OpeningKey(std::move(key)));
  return keys;
}

std::string OpeningKey::ToPem() const { return PrivateKeyPem(key_.get()); }

Result<std::string> SealTo(std::string_view recipient_public_key, std::string_view secret,
                           std::string_view context) {
  std::shared_ptr<EVP_PKEY> ephemeral = GenerateKey("X25519");
  std::string ephemeral_public = RawPublicKey(ephemeral.get());
  Result<std::string> shared = SharedSecret(ephemeral.get(), recipient_public_key);
  if (!shared.ok()) return shared;
  std::string key = BoxKey(*shared, ephemeral_public, recipient_public_key, context);

  Owned<EVP_CIPHER_CTX> cipher(EVP_CIPHER_CTX_new());
  std::string sealed(secret.size(), '\0');
  std::string tag(kGcmTagSize, '\0');
  int size = 0;
  LV_CHECK(EVP_EncryptInit_ex2(cipher.get(), EVP_aes_256_gcm(), Data(key), Data(key) + kAesKeySize,
                               nullptr) == 1);
  LV_CHECK(EVP_EncryptUpdate(cipher.get(), Data(sealed), &size, Data(secret),
                             static_cast<int>(secret.size())) == 1);
  LV_CHECK(EVP_EncryptFinal_ex(cipher.get(), Data(sealed) + size, &size) == 1);
  LV_CHECK(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kGcmTagSize, tag.data()) == 1);
  return ephemeral_public + sealed + tag;
}

Result<std::string> OpeningKey::Open(std::string_view box, std::string_view context) const {
  if (box.size() < kPublicKeySize + kGcmTagSize)
    return Corruption("a sealed box is at least 48 bytes long");
  std::string_view ephemeral = box.substr(0, kPublicKeySize);
  std::string_view sealed = box.substr(kPublicKeySize, box.size() - kPublicKeySize - kGcmTagSize);
  std::string tag(box.substr(box.size() - kGcmTagSize));
  Result<std::string> shared = SharedSecret(key_.get(), ephemeral);
  if (!shared.ok()) return shared;
  std::string key = BoxKey(*shared, ephemeral, public_key_, context);

  Owned<EVP_CIPHER_CTX> cipher(EVP_CIPHER_CTX_new());
  std::string secret(sealed.size(), '\0');
  int size = 0;
  LV_CHECK(EVP_DecryptInit_ex2(cipher.get(), EVP_aes_256_gcm(), Data(key), Data(key) + kAesKeySize,
                               nullptr) == 1);
  LV_CHECK(EVP_DecryptUpdate(cipher.get(), Data(secret), &size, Data(sealed),
                             static_cast<int>(sealed.size())) == 1);
  LV_CHECK(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kGcmTagSize, tag.data()) == 1);
  if (EVP_DecryptFinal_ex(cipher.get(), Data(secret) + size, &size) != 1) {
    return Corruption("the box was not sealed to this key, or was altered");
  }
  return secret;
}

}  // namespace logvault::evidence
