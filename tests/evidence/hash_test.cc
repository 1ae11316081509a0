// Hashes, MACs and base64 against published vectors.
#include "evidence/hash.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <random>
#include <thread>
#include <vector>

#include "evidence/sha256_many.h"

namespace logvault::evidence {
namespace {

// FIPS 180-4 examples (NIST's "abc" and the 448-bit message).
TEST(HashTest, Sha256OfPublishedMessages) {
  EXPECT_EQ(Sha256("abc").Hex(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq").Hex(),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(HashTest, PartsHashLikeTheirConcatenation) {
  EXPECT_EQ(Sha256({"a", "", "bc"}), Sha256("abc"));
  EXPECT_NE(Sha256({"a", "b"}), Sha256("abc"));
}

// Two implementations where libipsec-mb is there: this one and OpenSSL's.
TEST(HashTest, ManyMessagesHashAsEachByItself) {
  std::cout << "several at a time: " << (HashesSeveralAtOnce() ? "yes" : "no, none to compare")
            << "\n";
  std::mt19937_64 random(5);
  for (int round = 0; round < 100; ++round) {
    std::vector<std::string> texts(random() % 300);
    for (std::string& text : texts) {
      // Around the sizes of a block and its padding, and those that are hashed by themselves.
      const std::size_t edges[] = {0, 55, 64, 119, 128, 32'768, random() % 1000, random() % 1000};
      const std::size_t edge = random() % 200 == 0 ? 1u << 20 : edges[random() % 8];
      text.resize(edge + random() % 3);
      for (char& c : text) c = static_cast<char>(random());
    }
    const std::vector<std::string_view> messages(texts.begin(), texts.end());
    std::vector<Hash> hashes(messages.size());
    Sha256Many(messages, hashes);
    for (std::size_t i = 0; i < messages.size(); ++i)
      ASSERT_EQ(hashes[i], Sha256(messages[i])) << round << ": " << messages[i].size() << " bytes";
  }
}

TEST(HashTest, SeveralThreadsHashManyMessagesAtOnce) {
  const std::vector<std::string> texts(500, std::string(100, 'x'));
  const std::vector<std::string_view> messages(texts.begin(), texts.end());
  const Hash expected = Sha256(texts.front());
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      std::vector<Hash> hashes(messages.size());
      Sha256Many(messages, hashes);
      EXPECT_EQ(std::count(hashes.begin(), hashes.end(), expected), 500);
    });
  }
}

// RFC 4231, test case 2.
TEST(HashTest, HmacOfPublishedMessage) {
  EXPECT_EQ(HmacSha256("Jefe", "what do ya want for nothing?").Hex(),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(HashTest, AHashHasExactly32Bytes) {
  EXPECT_TRUE(Hash::FromBytes(std::string(32, 'x')).ok());
  EXPECT_EQ(Hash::FromBytes(std::string(31, 'x')).status().code(), StatusCode::kCorruption);
  EXPECT_EQ(Hash::FromBytes(std::string(33, 'x')).status().code(), StatusCode::kCorruption);
}

// RFC 4648 section 10.
TEST(HashTest, Base64OfPublishedStrings) {
  const std::pair<std::string, std::string> kVectors[] = {{"", ""},
                                                          {"f", "Zg=="},
                                                          {"fo", "Zm8="},
                                                          {"foo", "Zm9v"},
                                                          {"foob", "Zm9vYg=="},
                                                          {"fooba", "Zm9vYmE="},
                                                          {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : kVectors) {
    EXPECT_EQ(ToBase64(bytes), text);
    Result<std::string> decoded = FromBase64(text);
    ASSERT_TRUE(decoded.ok()) << text;
    EXPECT_EQ(*decoded, bytes);
  }
}

TEST(HashTest, Base64RefusesWhatIsNotCanonical) {
  for (std::string text :
       {"Zg=", "Zg", "Zh==", "Zg==\n", " Zg==", "Z===", "Zm9v=", "Zg==Zg==", "====", "Z-8="}) {
    EXPECT_FALSE(FromBase64(text).ok()) << text;
  }
}

}  // namespace
}  // namespace logvault::evidence
