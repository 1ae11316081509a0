// vault.pub: lines that fit together, or an error that says what is wrong.
#include "pki/vault_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>

#include "config/small_file.h"
#include "evidence/checkpoint.h"

namespace logvault::pki {
namespace {

VaultPublic NewVault(const std::string& name) {
  const std::string key = evidence::SigningKey::Generate().public_key();
  return {evidence::VerifierKey::For(evidence::OriginFor(name, key), key),
          evidence::OpeningKey::Generate().public_key()};
}

std::string Error(std::string_view text) { return VaultPublic::Parse(text).status().message(); }

TEST(VaultPublicTest, WhatIsWrittenReadsBack) {
  const VaultPublic vault = NewVault("lab-vault");
  EXPECT_EQ(*VaultPublic::Parse(vault.ToString()), vault);
  EXPECT_EQ(vault.vault_name(), "lab-vault");
}

TEST(VaultPublicTest, LineEndsOfOtherSystemsAreRead) {
  const VaultPublic vault = NewVault("v");
  const std::string opening = evidence::ToBase64(vault.opening_public_key);
  EXPECT_EQ(*VaultPublic::Parse(vault.verifier.ToString() + "\r\n" + opening + "\r\n"), vault);
  EXPECT_EQ(*VaultPublic::Parse(vault.verifier.ToString() + "\n" + opening), vault);
}

TEST(VaultPublicTest, AnythingElseIsRefused) {
  const VaultPublic vault = NewVault("v");
  const std::string first = vault.verifier.ToString() + "\n";
  EXPECT_THAT(Error(""), testing::HasSubstr("line 1 is not a C2SP verifier key"));
  EXPECT_THAT(Error("\n" + first), testing::HasSubstr("line 1"));
  EXPECT_EQ(Error(first), "line 2 is not the base64 of an X25519 public key");
  EXPECT_EQ(Error(first + evidence::ToBase64("short") + "\n"),
            "line 2 is not the base64 of an X25519 public key");
  EXPECT_THAT(Error(vault.ToString() + "x"), testing::HasSubstr("not an earlier key"));
  EXPECT_THAT(Error(vault.ToString() + NewVault("v").verifier.ToString()),
              testing::HasSubstr("not an earlier key of this vault"));
  EXPECT_THAT(Error(vault.ToString() + vault.verifier.ToString() + " 01"),
              testing::HasSubstr("'01' is not a tree size"));
}

TEST(VaultPublicTest, EarlierKeysReadBackAndTheOriginIsTheFirstOnes) {
  VaultPublic vault = NewVault("v");
  const std::string first = vault.verifier.public_key, second(32, 'b'), third(32, 'c');
  vault.verifier = evidence::VerifierKey::For(vault.verifier.name, third);
  vault.verifier.earlier = {{second}, {first, 17}};
  EXPECT_EQ(*VaultPublic::Parse(vault.ToString()), vault);
  vault.verifier.earlier = {{first, 17}, {second}};
  EXPECT_THAT(Error(vault.ToString()), testing::HasSubstr("is not NAME/<digits of this key>"));
}

TEST(VaultPublicTest, AFileOfHundredsOfKeysIsRead) {
  VaultPublic vault = NewVault(std::string(63, 'v'));
  const std::string first = vault.verifier.public_key;
  vault.verifier = evidence::VerifierKey::For(vault.verifier.name, std::string(32, 'n'));
  for (std::uint64_t i = 399; i > 0; --i)
    vault.verifier.earlier.push_back({evidence::RandomBytes(32), UINT64_MAX / 2 + i});
  vault.verifier.earlier.push_back({first, 17});
  const std::string path = ::testing::TempDir() + "/vault_files_test_" + std::to_string(getpid());
  ASSERT_TRUE(config::WriteSmallFile(path, vault.ToString(), config::FileMode::kPublic).ok());
  Result<VaultPublic> read = LoadVaultPublic(path);
  std::remove(path.c_str());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, vault);
}

TEST(VaultPublicTest, AKeyUnderAnotherVaultsOriginIsRefused) {
  VaultPublic vault = NewVault("v");
  const std::string other_origin = NewVault("v").verifier.name;
  vault.verifier = evidence::VerifierKey::For(other_origin, vault.verifier.public_key);
  EXPECT_THAT(Error(vault.ToString()), testing::HasSubstr("is not NAME/<digits of this key>"));
}

TEST(VaultPublicTest, ErrorsNameTheFile) {
  EXPECT_EQ(LoadVaultPublic("deploy/none.pub").status(),
            NotFound("cannot read deploy/none.pub: No such file or directory"));
  EXPECT_THAT(LoadVaultPublic("deploy/collector.yaml").status().message(),
              testing::StartsWith("deploy/collector.yaml: not a vault.pub: "));
  EXPECT_EQ(LoadSigningKey("deploy/collector.yaml").status(),
            InvalidArgument("deploy/collector.yaml: no Ed25519 private key in it"));
  EXPECT_EQ(LoadOpeningKey("deploy/collector.yaml").status(),
            InvalidArgument("deploy/collector.yaml: no X25519 private key in it"));
}

}  // namespace
}  // namespace logvault::pki
