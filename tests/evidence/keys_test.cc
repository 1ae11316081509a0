// Ed25519, the box for K_0, and the seal ratchet.
#include "evidence/keys.h"

#include <gtest/gtest.h>

#include "common/bytes.h"
#include "evidence/seal.h"

namespace logvault::evidence {
namespace {

std::string FromHex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

// RFC 8032 section 7.1, TEST 2.
TEST(KeysTest, SignsThePublishedMessage) {
  Result<SigningKey> key = SigningKey::FromSeed(
      FromHex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"));
  ASSERT_TRUE(key.ok());
  EXPECT_EQ(ToHex(key->public_key()),
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
  EXPECT_EQ(ToHex(key->Sign("\x72")),
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
}

TEST(KeysTest, ASignatureHoldsForItsMessageAndKeyOnly) {
  SigningKey key = SigningKey::Generate();
  std::string signature = key.Sign("message");
  EXPECT_TRUE(VerifyEd25519(key.public_key(), "message", signature).ok());
  EXPECT_FALSE(VerifyEd25519(key.public_key(), "messagf", signature).ok());
  EXPECT_FALSE(VerifyEd25519(SigningKey::Generate().public_key(), "message", signature).ok());
  EXPECT_FALSE(VerifyEd25519(key.public_key(), "message", signature.substr(1)).ok());
  EXPECT_FALSE(VerifyEd25519("short", "message", signature).ok());
}

TEST(KeysTest, BothKeysAreFoundInOnePemFile) {
  SigningKey signing = SigningKey::Generate();
  OpeningKey opening = OpeningKey::Generate();
  for (const std::string& pem :
       {signing.ToPem() + opening.ToPem(), opening.ToPem() + signing.ToPem()}) {
    ASSERT_TRUE(SigningKey::FromPem(pem).ok());
    ASSERT_TRUE(OpeningKey::FromPem(pem).ok());
    EXPECT_EQ(SigningKey::FromPem(pem)->public_key(), signing.public_key());
    EXPECT_EQ(OpeningKey::FromPem(pem)->public_key(), opening.public_key());
  }
  EXPECT_FALSE(OpeningKey::FromPem(signing.ToPem()).ok());
  EXPECT_FALSE(SigningKey::FromPem("no PEM at all").ok());
}

TEST(KeysTest, ABoxOpensForItsRecipientAndContextOnly) {
  OpeningKey recipient = OpeningKey::Generate();
  std::string secret = RandomBytes(32);
  Result<std::string> box = SealTo(recipient.public_key(), secret, "host 7");
  ASSERT_TRUE(box.ok()) << box.status();
  EXPECT_EQ(box->find(secret), box->npos);
  EXPECT_EQ(*recipient.Open(*box, "host 7"), secret);
  EXPECT_FALSE(recipient.Open(*box, "host 8").ok());
  EXPECT_FALSE(OpeningKey::Generate().Open(*box, "host 7").ok());
  for (std::size_t i = 0; i < box->size(); ++i) {
    std::string altered = *box;
    altered[i] = static_cast<char>(altered[i] ^ 1);
    EXPECT_FALSE(recipient.Open(altered, "host 7").ok()) << "byte " << i;
  }
  EXPECT_FALSE(recipient.Open("", "host 7").ok());
}

TEST(KeysTest, NothingIsSealedToAKeyOfSmallOrder) {
  EXPECT_FALSE(SealTo(std::string(32, '\0'), "secret", "").ok());
  EXPECT_FALSE(SealTo("short", "secret", "").ok());
}

TEST(SealTest, TheRatchetWalksTheDefinedChain) {
  const std::string k0(32, 'k');
  SealRatchet ratchet(k0);
  Hash expected = *Hash::FromBytes(k0);
  for (std::uint32_t i = 0; i < 5; ++i) {
    EXPECT_EQ(ratchet.index(), i);
    EXPECT_EQ(ratchet.key(), expected.view());
    EXPECT_EQ(SealKeyAt(k0, 0, i), expected);
    EXPECT_EQ(SealKeyAt(SealKeyAt(k0, 0, i / 2).view(), i / 2, i), expected);
    expected = HmacSha256(expected.view(), "logvault/evolve/v1");
    ratchet.Advance();
  }
}

}  // namespace
}  // namespace logvault::evidence
