// The committer: answers each caller with its own blocks, bounds its queue, and keeps callers
// apart.
#include "storage/committer.h"

#include <atomic>
#include <iostream>
#include <latch>
#include <thread>

#include "tests/storage/vault_fixture.h"

namespace logvault::storage {
namespace {

using CommitterTest = VaultTest;

Entry Alert(std::string body) {
  Entry entry;
  entry.kind = evidence::BlockKind::kAlert;
  entry.body = std::move(body);
  return entry;
}

TEST_F(CommitterTest, ManyCallersGetTheirOwnBlocks) {
  CreateVault();
  constexpr int kCallers = 4;
  constexpr int kCalls = 25;
  {
    Committer committer(*vault_);
    std::vector<std::jthread> callers;
    for (int caller = 0; caller < kCallers; ++caller) {
      callers.emplace_back([&committer, caller, this] {
        for (int call = 0; call < kCalls; ++call) {
          const std::string body = std::to_string(caller) + "/" + std::to_string(call);
          Result<Commit> commit = committer.SubmitAndWait({Alert(body), Alert(body + "!")});
          ASSERT_TRUE(commit.ok()) << commit.status();
          ASSERT_EQ(commit->entries.size(), 2u);
          EXPECT_EQ(commit->entries[1].index, commit->entries[0].index + 1);
          EXPECT_EQ(evidence::BlockHeader::Parse(commit->entries[0].block_bytes)->body, body);
          EXPECT_EQ(vault_->reader().Block(commit->entries[1].index)->body, body + "!");
          EXPECT_GE(vault_->head().size, commit->head.size);
        }
      });
    }
  }
  EXPECT_EQ(vault_->head().size, 1u + 2 * kCallers * kCalls);
}

TEST_F(CommitterTest, ReadersProveEveryHeadWhileTheVaultGrows) {
  CreateVaultWithStream();
  std::atomic<bool> done = false;
  std::atomic<int> proven = 0;
  const auto prove = [&] {
    while (!done || proven == 0) {
      const Head head = vault_->head();
      const evidence::NodeReader nodes = vault_->reader().Nodes();
      Result<evidence::Hash> root = evidence::RootAt(head.size, nodes);
      ASSERT_TRUE(root.ok()) << root.status();
      ASSERT_EQ(*root, head.root) << "size " << head.size;
      const std::uint64_t index = head.size - 1;
      Result<std::string> bytes = vault_->reader().BlockBytes(index);
      ASSERT_TRUE(bytes.ok()) << bytes.status();
      Result<std::vector<evidence::Hash>> proof = evidence::InclusionProof(index, head.size, nodes);
      ASSERT_TRUE(proof.ok()) << proof.status();
      ASSERT_EQ(evidence::VerifyInclusion(evidence::LeafHash(*bytes), index, head.size, *proof,
                                          head.root),
                Status::Ok());
      ++proven;
    }
  };
  {
    std::jthread first(prove);
    std::jthread second(prove);
    Committer committer(*vault_);
    for (int i = 0; i < 300; ++i) {
      ASSERT_TRUE(committer.SubmitAndWait({NextBatch(1), Alert(std::to_string(i))}).ok());
    }
    done = true;
  }
  EXPECT_EQ(vault_->head().size, 603u);
  std::cout << proven << " heads proven\n";
}

// Holds the committer's thread in the answer to a first entry, so that what is submitted meanwhile
// waits together.
class HeldCommitterTest : public VaultTest {
 protected:
  void Hold(Committer& committer) {
    ASSERT_EQ(committer.Submit({Alert("first")},
                               [this](const Result<Commit>& commit) {
                                 EXPECT_TRUE(commit.ok()) << commit.status();
                                 held_.count_down();
                                 go_on_.wait();
                               }),
              Status::Ok());
    held_.wait();
  }
  void Release() { go_on_.count_down(); }

 private:
  std::latch held_{1};
  std::latch go_on_{1};
};

TEST_F(HeldCommitterTest, AFullQueueSaysSoAndWhatItHoldsIsCommittedAtTheEnd) {
  CreateVaultWithStream();
  const std::uint64_t before = vault_->head().size;
  std::atomic<int> answered = 0;
  {
    Committer committer(*vault_, 4096);
    Hold(committer);
    const auto count = [&answered](const Result<Commit>& commit) {
      EXPECT_TRUE(commit.ok()) << commit.status();
      ++answered;
    };
    EXPECT_EQ(committer.Submit({host_.Records("access", {evidence::RandomBytes(1000)})}, count),
              Status::Ok());
    EXPECT_EQ(
        committer.Submit({host_.Records("access", {evidence::RandomBytes(4000)})}, count).code(),
        StatusCode::kResourceExhausted);
    EXPECT_GT(committer.queued_bytes(), 1000u);
    EXPECT_EQ(committer.Submit({Alert(std::string(4000, 'x'))}, count), Status::Ok())
        << "the vault's own words have room of their own";
    EXPECT_EQ(committer.Submit({Alert("a"), host_.Records("access", {"x\n"})}, count).code(),
              StatusCode::kResourceExhausted);
    Release();
  }
  EXPECT_EQ(answered, 2);
  EXPECT_EQ(vault_->head().size, before + 3);
}

TEST_F(HeldCommitterTest, OneCallersBadEntryDoesNotFailTheOthers) {
  CreateVaultWithStream();
  Status good = Internal("not answered");
  Status bad;
  {
    Committer committer(*vault_);
    Hold(committer);
    ASSERT_EQ(committer.Submit({host_.Records("unknown", {"x\n"})},
                               [&bad](const Result<Commit>& commit) { bad = commit.status(); }),
              Status::Ok());
    ASSERT_EQ(committer.Submit({NextBatch()},
                               [&good](const Result<Commit>& commit) { good = commit.status(); }),
              Status::Ok());
    Release();
  }
  EXPECT_EQ(bad.code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(good, Status::Ok());
  EXPECT_EQ(StreamNow().last_seq, 2u);
}

}  // namespace
}  // namespace logvault::storage
