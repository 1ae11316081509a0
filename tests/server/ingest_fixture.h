// A host with an open session and a registered epoch, for tests of what ingest does with it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "evidence/checkpoint.h"
#include "evidence/merkle.h"
#include "tests/server/server_lab.h"

namespace logvault::server {

class IngestTest : public testing::Test {
 protected:
  void SetUp() override {
    lab.Start();
    geo01 = lab.Host("geo01");
    client = lab.Connect(*geo01);
  }

  static v1::OpenRequest OpenRequest(const std::vector<std::string>& sources) {
    v1::OpenRequest request;
    for (const std::string& source : sources) {
      v1::StreamDescriptor& stream = *request.add_streams();
      stream.set_source(source);
      stream.set_format("plain");
      stream.set_descriptor_json("{}");
    }
    return request;
  }

  // Opens the session and registers the epoch.
  void OpenAndRegister() {
    Result<v1::SessionOpened> opened = client->Open(OpenRequest({"syslog", "logvault"}));
    ASSERT_TRUE(opened.ok()) << opened.status();
    session = opened->session();
    const v1::ItemReceipt receipt = AppendOne(geo01->Registration());
    ASSERT_EQ(receipt.outcome(), v1::ItemReceipt::COMMITTED) << receipt.reason();
  }

  Result<v1::AppendResponse> Append(const std::vector<v1::AppendItem>& items) {
    v1::AppendRequest request;
    request.set_session(session);
    request.set_have_size(have_size);
    for (const v1::AppendItem& item : items) *request.add_items() = item;
    return client->Append(request);
  }
  v1::ItemReceipt AppendOne(const v1::AppendItem& item) {
    Result<v1::AppendResponse> response = Append({item});
    EXPECT_TRUE(response.ok()) << response.status();
    if (!response.ok() || response->receipts_size() != 1) return {};
    last = *response;
    return response->receipts(0);
  }
  v1::AppendItem Batch(std::uint64_t first_seq, const std::vector<std::string>& lines) {
    return geo01->Seal(geo01->DraftBatch("syslog", first_seq, lines, lab.clock.Now()));
  }

  // As a forwarder does: the note is the vault's, the block is in it, the old checkpoint is a prefix of it.
  void VerifyReceipt(const v1::AppendResponse& response, int item) {
    const evidence::GenesisBody& genesis = lab.collector->vault().genesis();
    Result<evidence::Checkpoint> checkpoint = evidence::OpenCheckpoint(
        response.checkpoint(),
        evidence::VerifierKey::For(genesis.origin, genesis.vault_public_key));
    ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
    const v1::ItemReceipt& receipt = response.receipts(item);
    Result<evidence::BlockHeader> block = evidence::BlockHeader::Parse(receipt.block());
    ASSERT_TRUE(block.ok()) << block.status();
    EXPECT_EQ(
        evidence::VerifyInclusion(evidence::LeafHash(receipt.block()), block->index,
                                  checkpoint->size, Hashes(receipt.inclusion()), checkpoint->root),
        Status::Ok());
    if (have_size > 0) {
      EXPECT_EQ(evidence::VerifyConsistency(have_size, checkpoint->size, have_root,
                                            checkpoint->root, Hashes(response.consistency())),
                Status::Ok());
    }
    have_size = checkpoint->size;
    have_root = checkpoint->root;
  }
  template <typename Field>
  static std::vector<evidence::Hash> Hashes(const Field& field) {
    std::vector<evidence::Hash> hashes;
    for (const std::string& bytes : field) hashes.push_back(*evidence::Hash::FromBytes(bytes));
    return hashes;
  }

  std::uint16_t FlagsOf(const v1::ItemReceipt& receipt) {
    return evidence::BlockHeader::Parse(receipt.block())->flags;
  }
  std::vector<std::string> Alerts() {
    std::vector<std::string> bodies;
    for (const evidence::BlockHeader& block :
         BlocksOf(lab.collector->vault(), evidence::BlockKind::kAlert)) {
      bodies.push_back(block.body);
    }
    return bodies;
  }
  static bool Eventually(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
  }

  ServerLab lab;
  std::unique_ptr<TestHost> geo01;
  std::unique_ptr<net::IngestClient> client;
  std::string session;
  v1::AppendResponse last;
  std::uint64_t have_size = 0;
  evidence::Hash have_root;
};

}  // namespace logvault::server
