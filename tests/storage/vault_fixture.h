// A vault in a folder of its own, with the few words that storage's tests are written in.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "storage/vault.h"
#include "tests/support/batches.h"

namespace logvault::storage {

// A folder that goes away with its owner.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "logvault-XXXXXX").string();
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

class VaultTest : public ::testing::Test {
 protected:
  static constexpr UnixNanos kStart = 1'764'000'000 * kNanosPerSecond;  // 2025-11-24T16:00:00Z

  VaultTest() {
    options_.dir = (folder_.path() / "vault").string();
    options_.anchor = (folder_.path() / "vault.anchor").string();
    options_.disk_reserve_bytes = 0;
  }

  void CreateVault() {
    ASSERT_EQ(Vault::Create(options_, genesis_, key_, clock_), Status::Ok());
    Reopen();
  }
  void Reopen() {
    vault_.reset();
    Result<std::unique_ptr<Vault>> vault = Vault::Open(options_, {key_}, clock_);
    ASSERT_TRUE(vault.ok()) << vault.status();
    vault_ = *std::move(vault);
  }
  // What opening the closed vault answers.
  Status TryOpen() {
    vault_.reset();
    Result<std::unique_ptr<Vault>> vault = Vault::Open(options_, {key_}, clock_);
    return vault.ok() ? Status::Ok() : vault.status();
  }
  Commit Append(const std::vector<Entry>& group) {
    Result<Commit> commit = vault_->Append(group);
    EXPECT_TRUE(commit.ok()) << commit.status();
    return commit.ok() ? *std::move(commit) : Commit{};
  }
  // A vault with one host, `geo01`, whose epoch and stream `access` are known: blocks 1 and 2.
  void CreateVaultWithStream() {
    CreateVault();
    Append({host_.Key(), host_.Stream("access")});
  }
  Entry NextBatch(std::size_t records = 2) {
    return host_.Records("access", std::vector<std::string>(records, "GET /geoserver/wfs 200\n"));
  }
  StreamHead StreamNow(const std::string& source = "access") {
    Result<std::optional<StreamHead>> head = vault_->reader().Stream(host_.stream_id(source));
    EXPECT_TRUE(head.ok()) << head.status();
    return head.ok() && head->has_value() ? **head : StreamHead{};
  }
  evidence::BlockHeader BlockAt(std::uint64_t index) {
    Result<evidence::BlockHeader> block = vault_->reader().Block(index);
    EXPECT_TRUE(block.ok()) << block.status();
    return block.ok() ? *block : evidence::BlockHeader{};
  }

  TemporaryFolder folder_;
  VaultOptions options_;
  FakeClock clock_{kStart};
  const evidence::SigningKey key_ = evidence::SigningKey::Generate();
  const evidence::GenesisBody genesis_ = testing::TestGenesis(key_);
  testing::TestHost host_{"geo01"};
  std::unique_ptr<Vault> vault_;
};

}  // namespace logvault::storage
