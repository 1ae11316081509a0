// Governance: which rule counts, what a hold covers, and what may be gone.
#include "evidence/governance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "evidence/checkpoint.h"
#include "tests/support/dictionaries.h"
#include "tests/support/directives.h"

namespace logvault::evidence {
namespace {

constexpr UnixNanos kDay = 86'400 * kNanosPerSecond;
constexpr UnixNanos kNow = 20'000 * kDay;

Statement NewKey() {
  Statement statement;
  statement.type = DirectiveType::kNewKey;
  statement.key = {"a verifier key", std::string(32, 'x')};
  return statement;
}

class GovernanceTest : public ::testing::Test {
 protected:
  Status Add(BlockKind kind, std::string body, UnixNanos at = kNow) {
    BlockHeader block;
    block.index = next_++;
    block.commit_time = at;
    block.kind = kind;
    block.body = std::move(body);
    return governance_.Add(block);
  }
  Status Order(const Statement& statement) {
    return Add(KindOf(statement.type), admin_.Sign(statement, governance_));
  }
  static Deletable Batch(std::string_view host, std::string_view source, UnixNanos committed,
                         UnixNanos first, UnixNanos last) {
    return {host, source, committed, first, last};
  }

  const SigningKey key_ = SigningKey::Generate();
  GenesisBody genesis_ = testing::TestGenesis(key_);
  const testing::TestAdmin admin_{genesis_.origin};
  Governance governance_{genesis_, testing::CheckTestCertificate};
  std::uint64_t next_ = 1;
};

TEST_F(GovernanceTest, TheMostPreciseRuleCounts) {
  ASSERT_EQ(governance_.KeepFor("geo01", "access"), std::nullopt) << "without a rule, for ever";
  ASSERT_EQ(Order(testing::Policy(
                {{"*", "*", 1}, {"*", "access", 2}, {"geo01", "*", 3}, {"geo01", "access", 4}})),
            Status::Ok());
  EXPECT_EQ(governance_.KeepFor("web01", "syslog"), 1u);
  EXPECT_EQ(governance_.KeepFor("web01", "access"), 2u);
  EXPECT_EQ(governance_.KeepFor("geo01", "syslog"), 3u);
  EXPECT_EQ(governance_.KeepFor("geo01", "access"), 4u);
}

TEST_F(GovernanceTest, APolicyThatKeepsTooLittleOrContradictsItselfIsRefused) {
  genesis_.retention_min_ns = 30 * kDay;
  Governance strict(genesis_, testing::CheckTestCertificate);
  auto refused = [&](const std::vector<RetentionRule>& rules) {
    return strict.Check(admin_.Sign(testing::Policy(rules), strict), kNow).status().code();
  };
  EXPECT_EQ(refused({{"*", "*", 30 * kDay}}), StatusCode::kOk);
  EXPECT_EQ(refused({{"*", "*", 30 * kDay - 1}}), StatusCode::kPermissionDenied);
  EXPECT_EQ(refused({{"*", "a", 40 * kDay}, {"*", "a", 50 * kDay}}), StatusCode::kInvalidArgument);
  EXPECT_EQ(refused({}), StatusCode::kOk) << "everything is kept";
}

TEST_F(GovernanceTest, ADictionaryIsInForceForItsFormatUntilAnotherOneOrNoneIs) {
  const std::string first = testing::TrainedDictionary(1), second = testing::TrainedDictionary(2);
  ASSERT_EQ(Order(testing::SetDictionary("syslog", first)), Status::Ok());
  const std::uint32_t id = governance_.formats().at("syslog").id;
  EXPECT_EQ(governance_.formats().at("syslog").block, 1u);
  EXPECT_EQ(governance_.dictionaries()->Find(id)->bytes(), first);
  ASSERT_EQ(Order(testing::SetDictionary("syslog", second)), Status::Ok());
  EXPECT_NE(governance_.formats().at("syslog").id, id);
  ASSERT_EQ(Order(testing::SetDictionary("syslog", "")), Status::Ok());
  EXPECT_EQ(governance_.formats().at("syslog").id, 0u);
  EXPECT_EQ(Order(testing::SetDictionary("syslog", "")).code(), StatusCode::kNotFound);
  EXPECT_EQ(Order(testing::SetDictionary("auditd", "")).code(), StatusCode::kNotFound);
  EXPECT_EQ(governance_.dictionaries()->size(), 2u) << "what was sealed with them is still read";
  EXPECT_TRUE(governance_.dictionaries()->HasBefore(id, 2));
  EXPECT_FALSE(governance_.dictionaries()->HasBefore(id, 1));
  ASSERT_EQ(Order(testing::SetDictionary("syslog", first)), Status::Ok()) << "once more";
  EXPECT_EQ(governance_.dictionaries()->size(), 2u);
}

TEST_F(GovernanceTest, ADictionaryThatIsNoneOrTakesAnothersNumberIsRefused) {
  const std::string first = testing::TrainedDictionary(1);
  EXPECT_EQ(Order(testing::SetDictionary("", first)).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Order(testing::SetDictionary(std::string(64, 'f'), first)).code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(Order(testing::SetDictionary("syslog", "no dictionary")).code(),
            StatusCode::kInvalidArgument);
  ASSERT_EQ(Order(testing::SetDictionary("syslog", first)), Status::Ok());
  std::string same_number = first;
  same_number.back() = static_cast<char>(same_number.back() ^ 1);
  EXPECT_EQ(Order(testing::SetDictionary("auditd", same_number)).code(),
            StatusCode::kAlreadyExists);
  EXPECT_EQ(governance_.formats().size(), 1u);
}

TEST_F(GovernanceTest, AHoldCoversByHostSourceAndAnyTimeOfTheBatch) {
  ASSERT_EQ(Order(testing::AddHold({"h", "geo01", "*", 100, 200})), Status::Ok());
  EXPECT_EQ(governance_.HeldBy(Batch("geo01", "x", 150, 150, 150)), "h");
  EXPECT_EQ(governance_.HeldBy(Batch("geo01", "x", 500, 0, 100)), "h") << "inclusive";
  EXPECT_EQ(governance_.HeldBy(Batch("geo01", "x", 500, 0, 99)), std::nullopt);
  EXPECT_EQ(governance_.HeldBy(Batch("geo01", "x", 500, 199, 500)), "h");
  EXPECT_EQ(governance_.HeldBy(Batch("geo01", "x", 500, 200, 500)), std::nullopt) << "exclusive";
  EXPECT_EQ(governance_.HeldBy(Batch("geo02", "x", 150, 150, 150)), std::nullopt);
  EXPECT_EQ(Order(testing::AddHold({"h", "*", "*", std::nullopt, std::nullopt})).code(),
            StatusCode::kAlreadyExists);
  EXPECT_EQ(Order(testing::Release("other")).code(), StatusCode::kNotFound);
  ASSERT_EQ(Order(testing::Release("h")), Status::Ok());
  EXPECT_EQ(governance_.HeldBy(Batch("geo01", "x", 150, 150, 150)), std::nullopt);
}

TEST_F(GovernanceTest, OnlyWhatWasAnnouncedIsGoneAndNotWhatWasOnHoldThen) {
  ASSERT_EQ(Order(testing::Policy({{"*", "*", 10 * kDay}})), Status::Ok());
  ASSERT_EQ(Order(testing::AddHold({"h", "*", "a", 5 * kDay, 6 * kDay})), Status::Ok());
  const RetentionBody body{1, {{"geo01", "a", kNow - 10 * kDay}}};
  ASSERT_EQ(Add(BlockKind::kRetention, body.Serialize()), Status::Ok());
  const UnixNanos old = kNow - 10 * kDay - 1;
  EXPECT_EQ(governance_.DeletedBy(Batch("geo01", "a", old, old, old)), 3u);
  EXPECT_EQ(governance_.DeletedBy(Batch("geo01", "a", old + 1, old, old)), std::nullopt);
  EXPECT_EQ(governance_.DeletedBy(Batch("geo01", "b", old, old, old)), std::nullopt);
  EXPECT_EQ(governance_.DeletedBy(Batch("geo02", "a", old, old, old)), std::nullopt);
  EXPECT_EQ(governance_.DeletedBy(Batch("geo01", "a", old, 5 * kDay, old)), std::nullopt) << "held";
  ASSERT_EQ(Order(testing::Release("h")), Status::Ok());
  EXPECT_EQ(governance_.DeletedBy(Batch("geo01", "a", old, 5 * kDay, old)), std::nullopt)
      << "what was deleted then was on hold then";
  ASSERT_EQ(Add(BlockKind::kRetention, body.Serialize()), Status::Ok());
  EXPECT_EQ(governance_.DeletedBy(Batch("geo01", "a", old, 5 * kDay, old)), 5u);
}

TEST_F(GovernanceTest, ARuleNeedsACertificateThatIsGoodThen) {
  const std::string directive = admin_.Sign(testing::Policy({{"*", "*", kDay}}), governance_);
  Governance nobody(genesis_, [](auto, auto, auto, auto, UnixNanos at) -> Result<std::string> {
    return Unauthenticated("expired at " + std::to_string(at));
  });
  EXPECT_EQ(nobody.Check(directive, 77).status(), PermissionDenied("expired at 77"));
}

TEST_F(GovernanceTest, AStatementReadsAsItWasWritten) {
  for (Statement statement : {testing::Policy({{"*", "a", 5}, {"geo01", "*", kKeepForever}}),
                              testing::AddHold({"h", "geo01", "*", -5, std::nullopt}),
                              testing::Release("h"), NewKey(), testing::Review({3, 17})}) {
    statement.origin = genesis_.origin;
    statement.by = "root";
    statement.reason = "because \"of\" it\n";
    statement.at = kNow;
    Result<Statement> read = Statement::Parse(statement.Serialize());
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(*read, statement);
  }
  EXPECT_FALSE(Statement::Parse(R"({"type":"nothing"})").ok());
  EXPECT_FALSE(Statement::Parse("[1]").ok());
}

TEST_F(GovernanceTest, AKeyIsFollowedByAnotherAndThenRetired) {
  const std::string first = key_.public_key(), second(32, 's'), third(32, 't');
  auto name = [this](const std::string& key) {
    return VerifierKey::For(genesis_.origin, key).ToString();
  };
  auto order = [&](DirectiveType type, const std::string& key) {
    Statement statement;
    statement.type = type;
    statement.key = {name(key), std::string(32, 'x')};
    return Order(statement).code();
  };
  EXPECT_EQ(order(DirectiveType::kRetireKey, first), StatusCode::kFailedPrecondition) << "the only";
  EXPECT_EQ(order(DirectiveType::kNewKey, first), StatusCode::kAlreadyExists);
  ASSERT_EQ(order(DirectiveType::kNewKey, second), StatusCode::kOk);
  EXPECT_EQ(governance_.key().public_key, second);
  EXPECT_EQ(governance_.key().earlier,
            (std::vector<VerifierKey::Earlier>{{first, VerifierKey::kInForce}}));
  EXPECT_EQ(order(DirectiveType::kNewKey, third), StatusCode::kFailedPrecondition) << "one at once";
  EXPECT_EQ(order(DirectiveType::kRetireKey, second), StatusCode::kFailedPrecondition) << "newest";
  next_ = 70;
  ASSERT_EQ(order(DirectiveType::kRetireKey, first), StatusCode::kOk);
  EXPECT_EQ(governance_.key().earlier, (std::vector<VerifierKey::Earlier>{{first, 70}}));
  EXPECT_EQ(order(DirectiveType::kRetireKey, first), StatusCode::kFailedPrecondition) << "twice";
  EXPECT_EQ(order(DirectiveType::kNewKey, first), StatusCode::kAlreadyExists) << "never again";
  ASSERT_EQ(order(DirectiveType::kNewKey, third), StatusCode::kOk);
  EXPECT_EQ(governance_.key().first_public_key(), first);
}

TEST_F(GovernanceTest, AKeyOfAnotherVaultDoesNotFollow) {
  Statement statement;
  statement.type = DirectiveType::kNewKey;
  statement.key = {VerifierKey::For("other/12345678", std::string(32, 's')).ToString(),
                   std::string(32, 'x')};
  EXPECT_EQ(Order(statement).code(), StatusCode::kInvalidArgument);
  statement.key.verifier = "no key";
  EXPECT_FALSE(Order(statement).ok());
}

TEST_F(GovernanceTest, ARollbackNamesTwoCheckpointsOfThisVault) {
  auto note = [this](std::uint64_t size, const SigningKey& key) {
    return SignCheckpoint({genesis_.origin, size, Hash{}}, key);
  };
  Statement statement;
  statement.type = DirectiveType::kRollback;
  statement.rollback = {note(5, key_), note(9, key_)};
  EXPECT_FALSE(Order(statement).ok()) << "it is not for this place";
  next_ = 5;
  ASSERT_EQ(Order(statement), Status::Ok());
  EXPECT_FALSE(governance_.WasLost(5));
  EXPECT_TRUE(governance_.WasLost(6));
  EXPECT_TRUE(governance_.WasLost(9));
  EXPECT_FALSE(governance_.WasLost(10));
  statement.rollback = {note(9, key_), note(5, key_)};
  EXPECT_FALSE(Order(statement).ok()) << "ahead of what is lost";
  statement.rollback = {note(5, key_), note(9, SigningKey::Generate())};
  EXPECT_FALSE(Order(statement).ok()) << "another key";
}

TEST_F(GovernanceTest, AReviewIsSignedByAnInvestigatorOrAnAdministrator) {
  const testing::TestAdmin ann(genesis_.origin, "ann", "investigator");
  const testing::TestAdmin geo01(genesis_.origin, "geo01", "forwarder");
  next_ = 10;
  auto add = [this](const testing::TestAdmin& by, const Statement& statement) {
    return Add(KindOf(statement.type), by.Sign(statement, governance_)).code();
  };
  EXPECT_EQ(add(ann, testing::Review({3, 5})), StatusCode::kOk);
  EXPECT_EQ(add(admin_, testing::Review({5})), StatusCode::kOk);
  EXPECT_EQ(add(geo01, testing::Review({7})), StatusCode::kPermissionDenied);
  EXPECT_EQ(add(ann, testing::Policy({{"*", "*", kDay}})), StatusCode::kPermissionDenied)
      << "an investigator orders nothing";
  ASSERT_EQ(governance_.reviews().size(), 2u);
  EXPECT_EQ(governance_.reviews()[0]->block, 10u);
  EXPECT_EQ(governance_.reviews()[0]->by, "ann");
  EXPECT_EQ(governance_.reviews()[0]->alerts, (std::vector<std::uint64_t>{3, 5}));
  EXPECT_EQ(governance_.reviews()[1]->by, "root");
}

TEST_F(GovernanceTest, AReviewIsPutInOnceAndInABlockOfItsKind) {
  next_ = 10;
  const std::string review = admin_.Sign(testing::Review({3}), governance_);
  EXPECT_FALSE(Add(BlockKind::kConfig, review).ok()) << "another kind";
  EXPECT_EQ(Add(BlockKind::kAlert, review), Status::Ok());
  EXPECT_EQ(Add(BlockKind::kAlert, review).code(), StatusCode::kAborted) << "again";
}

TEST_F(GovernanceTest, AReviewNamesBlocksBeforeItOnceEachInOrder) {
  next_ = 10;
  EXPECT_EQ(Order(testing::Review({3, 10})).code(), StatusCode::kInvalidArgument) << "itself";
  for (const std::vector<std::uint64_t>& blocks :
       {std::vector<std::uint64_t>{}, {5, 3}, {3, 3}, std::vector<std::uint64_t>(1001, 3)}) {
    EXPECT_FALSE(Statement::Parse(testing::Review(blocks).Serialize()).ok()) << blocks.size();
  }
  EXPECT_TRUE(governance_.reviews().empty());
}

}  // namespace
}  // namespace logvault::evidence
