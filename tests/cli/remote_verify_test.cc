// Verify over the network, of a vault that deletes payloads while it is read: what an administrator ordered is accepted,
// what the vault only says was ordered is a finding.
#include <gmock/gmock.h>

#include <chrono>
#include <optional>
#include <thread>

#include "evidence/access.h"
#include "net/access.h"
#include "server/counters.h"
#include "tests/cli/lying_vault.h"
#include "tests/cli/remote_fixture.h"

namespace logvault::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::uint64_t kOldBatch = 3;       // behind GENESIS, STREAM and KEY
constexpr std::uint64_t kOrderedBefore = 5;  // the tree's size when a test begins

class RemoteVerifyTest : public RemoteTest {
 protected:
  void SetUp() override {
    RemoteTest::SetUp();
    ASSERT_EQ(lab_.collector->vault().head().size, kOrderedBefore);
    root_ = lab_.pki.Issue(pki::Role::kAdmin, "root");
    liar_ = std::make_unique<LyingVault>(lab_, alice_);
    address_ = liar_->address();
  }

  // By an administrator's order; returns when the old batch's payload is gone.
  void DeleteOldPayload() {
    std::map<std::string, std::string> direct = EnvironmentAs(root_);
    direct["LOGVAULT_VAULT"] = lab_.collector->query_address();
    const Ran ordered = Program({"retention", "set", "--keep", "1s"}, direct).Finish();
    EXPECT_EQ(ordered.code, 0) << ordered.err;
    lab_.clock.Advance(2 * kNanosPerSecond);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(2);
    while (lab_.collector->counters().deleted_payloads == 0 &&
           std::chrono::steady_clock::now() < deadline) {
      lab_.collector->Tick();
      std::this_thread::yield();
    }
    EXPECT_EQ(lab_.collector->counters().deleted_payloads, 1u);
  }

  // `happens` once the governing blocks were told and before the blocks are: what it commits is not among them.
  void BetweenTheTwoAnswers(std::function<void()> happens) {
    liar_->lies.governing = [this, happens = std::move(happens)](v1::GoverningEvent& event) {
      if (!event.result_sha256().empty() && !std::exchange(happened_, true)) happens();
      return true;
    };
  }

  // The payload of `block` is said to be deleted by block `by`, in an answer that is otherwise as it must be.
  void ClaimDeletion(std::uint64_t block, std::uint64_t by) {
    liar_->lies.blocks = [this, block, by](v1::BlocksEvent& event) {
      if (event.has_access()) told_ = {};
      for (v1::StoredBlock& stored : *event.mutable_blocks()) {
        if (stored.index() == block) {
          stored.clear_payload();
          stored.set_payload_error("OUT_OF_RANGE: deleted under the retention policy");
          stored.set_deleted_by(by);
        }
        told_.Add(net::ResultRow(stored));
      }
      if (!event.result_sha256().empty())
        event.set_result_sha256(std::string(told_.value().view()));
      return true;
    };
  }

  // `block` as it stands when the program has run.
  void ExpectFinding(const std::uint64_t& block) {
    const Ran ran = Run({"verify"});
    EXPECT_EQ(ran.code, 4) << ran.out << ran.err;
    EXPECT_THAT(ran.out, HasSubstr("BAD block " + std::to_string(block) + " (geo01/app "));
    EXPECT_THAT(ran.out, HasSubstr("NOT VERIFIED: 1 findings"));
    EXPECT_THAT(ran.err, Not(HasSubstr("INCOMPLETE")));
  }

  std::string root_;
  std::unique_ptr<LyingVault> liar_;
  bool happened_ = false;
  evidence::ResultHash told_;
};

TEST_F(RemoteVerifyTest, APayloadThatIsLawfullyDeletedMeanwhileIsAccepted) {
  BetweenTheTwoAnswers([this] { DeleteOldPayload(); });
  const Ran ran = Run({"verify"});
  EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_TRUE(happened_);
  EXPECT_THAT(ran.out, HasSubstr("the records of 1 blocks deleted under the retention policy"));
}

TEST_F(RemoteVerifyTest, ADeletionThatTheBlocksBeforeOrderIsAccepted) {
  DeleteOldPayload();
  const Ran ran = Run({"verify"});
  EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("the records of 1 blocks deleted under the retention policy"));
}

TEST_F(RemoteVerifyTest, ADeletionByAnEarlierBlockThatOrdersNoneIsAFinding) {
  ClaimDeletion(kOldBatch, kOldBatch + 1);
  ExpectFinding(kOldBatch);
}

// The block that is named is there once the history is followed further: it is the record of this very call.
TEST_F(RemoteVerifyTest, ADeletionByALaterBlockThatOrdersNoneIsAFinding) {
  ClaimDeletion(kOldBatch, kOrderedBefore);
  ExpectFinding(kOldBatch);
}

TEST_F(RemoteVerifyTest, ADeletionByABlockThatIsNeverThereIsAFinding) {
  ClaimDeletion(kOldBatch, 1'000'000'000);
  ExpectFinding(kOldBatch);
}

// A RETENTION block that came meanwhile is no excuse for what was committed after it.
TEST_F(RemoteVerifyTest, ALawfulDeletionCoversNoNewerPayload) {
  std::uint64_t newer = 0;
  BetweenTheTwoAnswers([this, &newer] {
    DeleteOldPayload();
    Add({"newer\n"});
    newer = lab_.collector->vault().head().size - 1;
    const auto retentions =
        server::BlocksOf(lab_.collector->vault(), evidence::BlockKind::kRetention);
    ASSERT_EQ(retentions.size(), 1u);
    ClaimDeletion(newer, retentions[0].index);
  });
  ExpectFinding(newer);
}

}  // namespace
}  // namespace logvault::cli
