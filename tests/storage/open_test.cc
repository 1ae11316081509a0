// Opening: a vault goes on where it stood, and what is not provably the newest state of this vault
// is refused.
#include <algorithm>
#include <fstream>

#include <rocksdb/env.h>

#include "evidence/checkpoint.h"
#include "storage/anchor.h"
#include "tests/storage/vault_fixture.h"

namespace logvault::storage {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

using OpenTest = VaultTest;

TEST_F(OpenTest, AReopenedVaultGoesOnWhereItStood) {
  CreateVaultWithStream();
  Append({NextBatch(), NextBatch()});
  const Head before = vault_->head();
  const StreamHead stream = StreamNow();
  Reopen();
  EXPECT_EQ(vault_->head(), before);
  EXPECT_EQ(StreamNow(), stream);
  const Commit commit = Append({NextBatch()});
  EXPECT_EQ(commit.entries[0].index, before.size);
  EXPECT_EQ(BlockAt(before.size).prev, evidence::LeafHash(BlockAt(before.size - 1).Serialize()));
}

TEST_F(OpenTest, AFolderWithoutVaultIsNotFoundAndStaysEmpty) {
  fs::create_directory(options_.dir);
  EXPECT_EQ(TryOpen().code(), StatusCode::kNotFound);
  EXPECT_TRUE(fs::is_empty(options_.dir));
}

TEST_F(OpenTest, AnAnchorWithoutItsVaultIsAnIntegrityFailure) {
  CreateVault();
  vault_.reset();
  fs::remove_all(options_.dir);
  EXPECT_EQ(TryOpen().code(), StatusCode::kIntegrity);
  fs::create_directory(options_.dir);
  EXPECT_EQ(TryOpen().code(), StatusCode::kIntegrity);
}

TEST_F(OpenTest, AnotherSigningKeyIsRefused) {
  CreateVault();
  vault_.reset();
  EXPECT_EQ(Vault::Open(options_, {evidence::SigningKey::Generate()}, clock_).status().code(),
            StatusCode::kFailedPrecondition);
}

TEST_F(OpenTest, AVaultIsOpenedByOneWriterAtATime) {
  CreateVault();
  Result<std::unique_ptr<Vault>> second = Vault::Open(options_, {key_}, clock_);
  EXPECT_EQ(second.status().code(), StatusCode::kFailedPrecondition) << second.status();
}

TEST_F(OpenTest, AMissingAnchorIsRefused) {
  CreateVault();
  vault_.reset();
  fs::remove(options_.anchor);
  const Status status = TryOpen();
  EXPECT_EQ(status.code(), StatusCode::kIntegrity);
  EXPECT_THAT(status.message(), HasSubstr("missing"));
}

TEST_F(OpenTest, AnAnchorBehindTheHeadIsMovedUp) {
  CreateVaultWithStream();
  vault_.reset();
  fs::copy(options_.anchor, options_.anchor + ".old");
  Reopen();
  Append({NextBatch()});
  const Head head = vault_->head();
  vault_.reset();
  fs::rename(options_.anchor + ".old", options_.anchor);
  Reopen();
  EXPECT_EQ(vault_->head(), head);
  EXPECT_EQ(*ReadAnchor(options_.anchor), head.note);
}

TEST_F(OpenTest, AnOlderCopyOfTheFolderIsRefused) {
  CreateVaultWithStream();
  vault_.reset();
  fs::copy(options_.dir, options_.dir + ".old");
  Reopen();
  Append({NextBatch()});
  vault_.reset();
  fs::remove_all(options_.dir);
  fs::rename(options_.dir + ".old", options_.dir);
  const Status status = TryOpen();
  EXPECT_EQ(status.code(), StatusCode::kIntegrity);
  EXPECT_THAT(status.message(), HasSubstr("older copy"));
}

TEST_F(OpenTest, ALongerForkOfTheSameKeyIsRefused) {
  CreateVaultWithStream();
  vault_.reset();
  VaultOptions fork = options_;
  fork.dir += ".fork";
  fork.anchor += ".fork";
  fs::copy(options_.dir, fork.dir);
  fs::copy(options_.anchor, fork.anchor);
  Reopen();
  Append({NextBatch()});
  vault_.reset();
  {
    Result<std::unique_ptr<Vault>> copy = Vault::Open(fork, {key_}, clock_);
    ASSERT_TRUE(copy.ok()) << copy.status();
    const std::vector<Entry> other = {host_.Stream("other"), host_.Stream("another")};
    ASSERT_TRUE((*copy)->Append(other).ok());
  }
  fs::remove_all(options_.dir);
  fs::rename(fork.dir, options_.dir);
  const Status status = TryOpen();
  EXPECT_EQ(status.code(), StatusCode::kIntegrity);
  EXPECT_THAT(status.message(), HasSubstr("not the one that its anchor has seen"));
}

TEST_F(OpenTest, AnAnchorOfAnotherVaultIsRefused) {
  CreateVault();
  vault_.reset();
  VaultOptions other = options_;
  other.dir += ".other";
  other.anchor += ".other";
  const evidence::SigningKey key = evidence::SigningKey::Generate();
  ASSERT_EQ(Vault::Create(other, testing::TestGenesis(key), key, clock_), Status::Ok());
  fs::rename(other.anchor, options_.anchor);
  EXPECT_EQ(TryOpen().code(), StatusCode::kIntegrity);
}

TEST_F(OpenTest, AForgedAnchorIsRefused) {
  CreateVaultWithStream();
  const Head head = vault_->head();
  vault_.reset();
  fs::remove(options_.anchor);
  const evidence::SigningKey forger = evidence::SigningKey::Generate();
  const std::string note =
      evidence::SignCheckpoint({genesis_.origin, head.size, head.root}, forger);
  ASSERT_EQ(Anchor::Create(*rocksdb::Env::Default(), options_.anchor, note), Status::Ok());
  EXPECT_EQ(TryOpen().code(), StatusCode::kIntegrity);
}

TEST_F(OpenTest, ADamagedAnchorSlotIsSurvivedTwoAreNot) {
  CreateVaultWithStream();
  Append({NextBatch()});
  vault_.reset();
  const auto spoil = [this](std::streamoff at) {
    std::fstream file(options_.anchor, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(at);
    file.put('\x55');
  };
  spoil(20);
  Reopen();
  Append({NextBatch()});
  vault_.reset();
  spoil(20);
  spoil(4096 + 20);
  EXPECT_EQ(TryOpen().code(), StatusCode::kIntegrity);
}

TEST_F(OpenTest, ReadOnlyWorksBesideTheWriterAndWritesNothing) {
  CreateVaultWithStream();
  Append({NextBatch()});
  const auto files = [this] {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(options_.dir)) names.push_back(entry.path());
    std::sort(names.begin(), names.end());
    return names;
  };
  const std::vector<std::string> before = files();
  {
    Result<Reader> reader = OpenReadOnly(options_.dir);
    ASSERT_TRUE(reader.ok()) << reader.status();
    const Head seen = *reader->StoredHead();
    EXPECT_EQ(seen, vault_->head());
    Append({NextBatch()});
    EXPECT_EQ(*reader->StoredHead(), seen) << "what was committed when it was opened";
  }
  EXPECT_EQ(files(), before);
  EXPECT_EQ(OpenReadOnly(options_.dir + ".none").status().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace logvault::storage
