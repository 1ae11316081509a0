// Retention: what the policy no longer keeps goes, what a hold covers stays, and the verifier accepts exactly what an
// administrator's signature stands for.
#include "storage/retention.h"

#include <atomic>

#include "storage/keys.h"
#include "storage/tables.h"
#include "storage/verify.h"
#include "tests/storage/vault_fixture.h"
#include "tests/support/directives.h"

namespace logvault::storage {
namespace {

using evidence::BlockKind;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr UnixNanos kHour = 3600 * kNanosPerSecond;

// A vault with one stream, whose batch i is block 3 + i.
class RetentionTest : public VaultTest {
 protected:
  RetentionTest() { options_.certificate_check = testing::CheckTestCertificate; }

  void CreateWithBatches(int batches) {
    CreateVaultWithStream();
    for (int i = 0; i < batches; ++i) Append({NextBatch()});
  }
  static Entry Governing(BlockKind kind, std::string body) {
    Entry entry;
    entry.kind = kind;
    entry.body = std::move(body);
    return entry;
  }
  Result<Commit> TryOrder(const evidence::Statement& statement, const testing::TestAdmin& by) {
    const Entry entry =
        Governing(evidence::KindOf(statement.type), by.Sign(statement, *vault_->governance()));
    return vault_->Append({&entry, 1});
  }
  void Order(const evidence::Statement& statement) {
    Result<Commit> commit = TryOrder(statement, admin_);
    ASSERT_TRUE(commit.ok()) << commit.status();
  }
  // What the collector's keeper does; returns how many payloads went.
  std::uint64_t DeleteExpired() {
    std::uint64_t payloads = 0;
    Result<std::vector<evidence::RetentionBody>> expired = vault_->FindExpired();
    EXPECT_TRUE(expired.ok()) << expired.status();
    for (const evidence::RetentionBody& body : *expired) {
      payloads +=
          Finish(Append({Governing(BlockKind::kRetention, body.Serialize())}).entries[0].index);
    }
    return payloads;
  }
  std::uint64_t Finish(std::uint64_t retention) {
    const std::atomic<bool> stop{false};
    Result<evidence::RetentionDoneBody> done = vault_->DeleteExpired(retention, stop);
    EXPECT_TRUE(done.ok()) << done.status();
    if (!done.ok()) return 0;
    Append({Governing(BlockKind::kRetentionDone, done->Serialize())});
    return done->payloads;
  }
  StatusCode PayloadCode(std::uint64_t block) {
    return vault_->reader().Payload(block, BlockAt(block).commit_time).status().code();
  }
  // Edits rows of the closed vault, as root on the collector could.
  void Edit(const std::function<void(Tables&)>& edit) {
    vault_.reset();
    TablesOptions options;
    options.dir = options_.dir;
    Result<std::shared_ptr<Tables>> tables = Tables::Open(options);
    ASSERT_TRUE(tables.ok()) << tables.status();
    edit(**tables);
  }
  static void DeletePayload(Tables& tables, std::uint64_t block) {
    for (rocksdb::ColumnFamilyHandle* family : tables.PayloadFamilies()) {
      ASSERT_TRUE(tables.db().Delete({}, family, NumberKey(block)).ok());
    }
  }
  VerifyReport Verify() {
    vault_.reset();
    VerifyOptions options;
    options.dir = options_.dir;
    options.anchor = options_.anchor;
    options.key = evidence::VerifierKey::For(genesis_.origin, key_.public_key());
    options.certificate_check = testing::CheckTestCertificate;
    Result<VerifyReport> report = VerifyVault(options);
    EXPECT_TRUE(report.ok()) << report.status();
    return report.ok() ? *std::move(report) : VerifyReport{};
  }
  std::vector<std::string> Reasons() {
    std::vector<std::string> reasons;
    for (const evidence::Finding& finding : Verify().findings) {
      reasons.push_back(std::to_string(finding.block) + ": " + finding.reason);
    }
    return reasons;
  }

  const testing::TestAdmin admin_{genesis_.origin};
};

TEST_F(RetentionTest, WhatThePolicyNoLongerKeepsGoesAndVerifyAcceptsIt) {
  CreateWithBatches(10);
  clock_.Advance(2 * kHour);
  for (int i = 0; i < 3; ++i) Append({NextBatch()});  // 13, 14, 15
  Order(testing::Policy({{"*", "*", kHour}}));
  EXPECT_EQ(DeleteExpired(), 10u);
  EXPECT_EQ(PayloadCode(3), StatusCode::kOutOfRange);
  EXPECT_EQ(PayloadCode(12), StatusCode::kOutOfRange);
  EXPECT_EQ(PayloadCode(13), StatusCode::kOk);
  EXPECT_EQ(*vault_->reader().DeletedBy(3), std::optional<std::uint64_t>(17));
  EXPECT_EQ(DeleteExpired(), 0u) << "nothing is left to delete";
  const VerifyReport report = Verify();
  EXPECT_THAT(report.findings, IsEmpty());
  EXPECT_EQ(report.deleted_payloads, 10u);
  EXPECT_EQ(report.records, 26u) << "headers stay";
}

TEST_F(RetentionTest, TheNewestBatchOfAStreamStays) {
  CreateWithBatches(3);
  clock_.Advance(1000 * kHour);
  Order(testing::Policy({{"*", "*", kHour}}));
  EXPECT_EQ(DeleteExpired(), 2u);
  EXPECT_EQ(PayloadCode(5), StatusCode::kOk);
}

TEST_F(RetentionTest, AHoldProtectsUntilItIsReleased) {
  CreateWithBatches(4);
  const UnixNanos fifth = clock_.Now() + kHour;
  clock_.Advance(kHour);
  for (int i = 0; i < 4; ++i) Append({NextBatch()});
  clock_.Advance(10 * kHour);
  Append({NextBatch()});
  Order(testing::Policy({{"*", "*", kHour}}));
  Order(testing::AddHold({"case-1", "geo01", "*", fifth, std::nullopt}));
  EXPECT_EQ(DeleteExpired(), 4u);
  EXPECT_EQ(PayloadCode(6), StatusCode::kOutOfRange);
  EXPECT_EQ(PayloadCode(7), StatusCode::kOk);
  EXPECT_EQ(DeleteExpired(), 0u);
  Order(testing::Release("case-1"));
  EXPECT_EQ(DeleteExpired(), 4u);
  EXPECT_THAT(Reasons(), IsEmpty());
}

TEST_F(RetentionTest, AHoldThatComesAfterTheAnnouncementProtectsToo) {
  CreateWithBatches(3);
  clock_.Advance(2 * kHour);
  Order(testing::Policy({{"*", "*", kHour}}));
  Result<std::vector<evidence::RetentionBody>> expired = vault_->FindExpired();
  ASSERT_TRUE(expired.ok());
  ASSERT_THAT(*expired, SizeIs(1));
  const std::uint64_t retention =
      Append({Governing(BlockKind::kRetention, expired->front().Serialize())}).entries[0].index;
  Order(testing::AddHold({"late", "*", "*", std::nullopt, std::nullopt}));
  EXPECT_EQ(Finish(retention), 0u);
  EXPECT_EQ(PayloadCode(3), StatusCode::kOk);
}

TEST_F(RetentionTest, WhatACrashLeftUndoneIsKnownAndDone) {
  CreateWithBatches(5);
  clock_.Advance(2 * kHour);
  Order(testing::Policy({{"geo01", "access", kHour}}));
  Result<std::vector<evidence::RetentionBody>> expired = vault_->FindExpired();
  ASSERT_TRUE(expired.ok());
  ASSERT_THAT(*expired, SizeIs(1));
  const std::uint64_t retention =
      Append({Governing(BlockKind::kRetention, expired->front().Serialize())}).entries[0].index;
  const std::atomic<bool> stop{true};
  EXPECT_EQ(vault_->DeleteExpired(retention, stop).status().code(), StatusCode::kAborted);
  Reopen();
  ASSERT_TRUE(vault_->governance()->unfinished().contains(retention));
  EXPECT_EQ(Finish(retention), 4u);
  EXPECT_TRUE(vault_->governance()->unfinished().empty());
  Reopen();
  EXPECT_TRUE(vault_->governance()->unfinished().empty());
  EXPECT_THAT(Reasons(), IsEmpty());
}

TEST_F(RetentionTest, WhatIsDeletedWithoutAnAdministratorIsTampering) {
  CreateWithBatches(4);
  clock_.Advance(2 * kHour);
  Order(testing::Policy({{"*", "db01", kHour}}));
  EXPECT_EQ(DeleteExpired(), 0u);
  Edit([](Tables& tables) {
    DeletePayload(tables, 4);
    ASSERT_TRUE(tables.db().Put({}, tables.stream(), DeletedKey(4), NumberKey(7)).ok());
  });
  EXPECT_THAT(Reasons(), Contains(HasSubstr("4: the payload is missing")));
}

TEST_F(RetentionTest, APayloadThatAHoldOrItsAgeProtectsIsTamperingToo) {
  CreateWithBatches(4);
  clock_.Advance(2 * kHour);
  Append({NextBatch()});  // 7
  Append({NextBatch()});  // 8
  Order(testing::Policy({{"*", "*", kHour}}));
  Order(testing::AddHold({"case-1", "*", "access", std::nullopt, clock_.Now() - kHour}));
  EXPECT_EQ(DeleteExpired(), 0u) << "all that is old is on hold";
  Edit([](Tables& tables) {
    for (const std::uint64_t block : {3, 8}) DeletePayload(tables, block);
  });
  EXPECT_THAT(Reasons(), Contains(HasSubstr("3: the payload is missing"))) << "on hold";
  EXPECT_THAT(Reasons(), Contains(HasSubstr("8: the payload is missing"))) << "the newest";
  EXPECT_THAT(Reasons(), SizeIs(2));
}

TEST_F(RetentionTest, AGoverningBlockThatIsHiddenFromTheListIsNamed) {
  CreateWithBatches(3);
  Order(testing::AddHold({"case-1", "*", "*", std::nullopt, std::nullopt}));  // 6
  Edit([](Tables& tables) {
    ASSERT_TRUE(tables.db().Delete({}, tables.stream(), GoverningKey(6)).ok());
  });
  EXPECT_THAT(Reasons(), Contains(HasSubstr("6: HOLD is not among the governing blocks")));
  EXPECT_THAT(Reasons(), SizeIs(1));
}

TEST_F(RetentionTest, NobodyButAnAdministratorOrdersAnything) {
  CreateWithBatches(1);
  const evidence::Statement policy = testing::Policy({{"*", "*", kHour}});
  const std::uint64_t size = vault_->head().size;
  EXPECT_EQ(
      TryOrder(policy, testing::TestAdmin(genesis_.origin, "eve", "investigator")).status().code(),
      StatusCode::kPermissionDenied);
  EXPECT_EQ(TryOrder(policy, testing::TestAdmin("other/00000000")).status().code(),
            StatusCode::kPermissionDenied);
  std::string altered = admin_.Sign(policy, *vault_->governance());
  altered[altered.find("3600") + 1] = '5';
  const Entry entry = Governing(BlockKind::kConfig, altered);
  EXPECT_FALSE(vault_->Append({&entry, 1}).ok());
  EXPECT_EQ(vault_->head().size, size);
  EXPECT_TRUE(vault_->governance()->rules().empty());
}

TEST_F(RetentionTest, AnOldDirectiveCannotBePutInAgain) {
  CreateWithBatches(1);
  const Entry old = Governing(
      BlockKind::kConfig, admin_.Sign(testing::Policy({{"*", "*", kHour}}), *vault_->governance()));
  Append({old});
  Order(testing::Policy({{"*", "*", 100 * kHour}}));
  EXPECT_EQ(vault_->Append({&old, 1}).status().code(), StatusCode::kAborted);
  EXPECT_EQ(vault_->governance()->rules().front().keep_ns, std::uint64_t{100 * kHour});
}

TEST_F(RetentionTest, ADeletionBeforeItsTimeIsNoBlock) {
  CreateWithBatches(2);
  Order(testing::Policy({{"*", "*", kHour}}));
  const evidence::RetentionBody early{vault_->governance()->rules_block(),
                                      {{"geo01", "access", clock_.Now()}}};
  const evidence::RetentionBody other{0, {{"geo01", "access", 0}}};
  for (const evidence::RetentionBody& body : {early, other}) {
    const Entry entry = Governing(BlockKind::kRetention, body.Serialize());
    EXPECT_EQ(vault_->Append({&entry, 1}).status().code(), StatusCode::kIntegrity);
  }
}

TEST_F(RetentionTest, PayloadsLieByHowLongTheyAreKept) {
  CreateWithBatches(1);
  Order(testing::Policy({{"*", "*", kHour}}));
  Append({NextBatch()});
  vault_.reset();
  TablesOptions options;
  options.dir = options_.dir;
  Result<std::shared_ptr<Tables>> tables = Tables::Open(options);
  ASSERT_TRUE(tables.ok());
  std::vector<std::string> names;
  for (const rocksdb::ColumnFamilyHandle* family : (*tables)->PayloadFamilies()) {
    names.push_back(family->GetName());
  }
  EXPECT_THAT(names,
              ::testing::ElementsAre("payload.default.2025-11", "payload.keep3600s.2025-11"));
}

}  // namespace
}  // namespace logvault::storage
