// ACCESS and ACCESS_END: bodies as they are written, what is refused, and how they must fit together.
#include "evidence/access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "evidence/access_check.h"

namespace logvault::evidence {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

AccessBody Asked(const std::string& query) {
  AccessBody body;
  body.name = "ann";
  body.role = "investigator";
  body.certificate = std::string(64, 'a');
  body.address = "ipv4:127.0.0.1:4711";
  body.call = "search";
  body.query_hash = Sha256(query);
  body.query_bytes = query.size();
  body.query = query;
  return body;
}

AccessEndBody Ended(std::uint64_t access) {
  AccessEndBody body;
  body.access = access;
  body.outcome = AccessOutcome::kComplete;
  body.result = ResultHash().value();
  return body;
}

TEST(AccessTest, ACallIsWrittenAsDocumented) {
  EXPECT_EQ(
      Asked("{}").Serialize(),
      R"({"type":"asked","name":"ann","role":"investigator","certificate":")" +
          std::string(64, 'a') +
          R"(","address":"ipv4:127.0.0.1:4711","call":"search","tree_size":0,"query_sha256":")"
          R"(44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",)"
          R"("query_bytes":2,"query":"{}"})");
}

TEST(AccessTest, WhatIsWrittenIsReadBack) {
  AccessBody asked = Asked(R"({"expression":"\"a\u0001"})");
  asked.tree_size = 7;
  EXPECT_EQ(*AccessBody::Parse(asked.Serialize()), asked);
  asked.query.reset();
  EXPECT_EQ(*AccessBody::Parse(asked.Serialize()), asked);
  AccessEndBody ended = Ended(9);
  EXPECT_EQ(*AccessEndBody::Parse(ended.Serialize()), ended);
  for (const AccessOutcome outcome : {AccessOutcome::kComplete, AccessOutcome::kLeft,
                                      AccessOutcome::kCancelled, AccessOutcome::kFailed}) {
    ended.outcome = outcome;
    ended.matches = 3;
    ended.reason = "so \"it\" was";
    EXPECT_EQ(*AccessEndBody::Parse(ended.Serialize()), ended);
  }
  const AccessTextBody text{Sha256("x"), 12, "x"};
  EXPECT_EQ(*AccessTextBody::Parse(text.Serialize()), text);
}

TEST(AccessTest, WhatIsNotOfTheDocumentedFormIsRefused) {
  for (const char* body : {"", "[]", "{}", "null", R"({"type":"asked"})", R"({"type":7})"}) {
    EXPECT_FALSE(AccessBody::Parse(body).ok()) << body;
    EXPECT_FALSE(AccessTextBody::Parse(body).ok()) << body;
    EXPECT_FALSE(AccessEndBody::Parse(body).ok()) << body;
  }
  AccessBody asked = Asked("{}");
  asked.certificate = "ann's";
  EXPECT_THAT(AccessBody::Parse(asked.Serialize()).status().message(), HasSubstr("certificate"));
  asked = Asked("{}");
  asked.query = "{ }";
  EXPECT_THAT(AccessBody::Parse(asked.Serialize()).status().message(), HasSubstr("query"));
  std::string ended = Ended(9).Serialize();
  ended.replace(ended.find("complete"), 8, "finished");
  EXPECT_THAT(AccessEndBody::Parse(ended).status().message(), HasSubstr("outcome"));
}

TEST(AccessTest, TheResultHashIsAChainOverTheRows) {
  ResultHash hash;
  EXPECT_EQ(hash.value(), Sha256("logvault/result/v1\n"));
  hash.Add("ab");
  hash.Add("c");
  const Hash first = Sha256({Sha256("logvault/result/v1\n").view(), "ab"});
  EXPECT_EQ(hash.value(), Sha256({first.view(), "c"}));
  EXPECT_EQ(hash.rows(), 2u);
  ResultHash moved;
  moved.Add("a");
  moved.Add("bc");
  EXPECT_NE(moved.value(), hash.value());
}

// A history of nothing but access blocks, and what is found in it.
class Trail {
 public:
  void Add(BlockKind kind, const std::string& body) {
    BlockHeader block;
    block.kind = kind;
    block.body = body;
    check_.Add(next_++, block, reasons);
  }
  void Ask(const AccessBody& body) { Add(BlockKind::kAccess, body.Serialize()); }
  void Say(const AccessTextBody& body) { Add(BlockKind::kAccess, body.Serialize()); }
  void End(std::uint64_t access) { Add(BlockKind::kAccessEnd, Ended(access).Serialize()); }
  void Lose() {
    ++next_;
    check_.AddUnknown();
  }

  std::vector<std::string> reasons;

 private:
  std::uint64_t next_ = 0;
  AccessCheck check_;
};

TEST(AccessCheckTest, CallsEndInAnyOrderOrNotAtAll) {
  Trail trail;
  for (int i = 0; i < 3; ++i) trail.Ask(Asked("{}"));
  trail.End(2);
  trail.End(0);
  EXPECT_THAT(trail.reasons, IsEmpty());
}

TEST(AccessCheckTest, AnEndNamesACallThatHadNone) {
  Trail trail;
  trail.Ask(Asked("{}"));
  trail.End(0);
  trail.End(0);
  trail.End(7);
  trail.Add(BlockKind::kAlert, "{}");
  trail.End(4);
  EXPECT_THAT(trail.reasons, ElementsAre(HasSubstr("block 0, which it names"),
                                         HasSubstr("block 7, which it names"),
                                         HasSubstr("block 4, which it names")));
}

TEST(AccessCheckTest, WhatCannotBeReadAccusesNobody) {
  Trail trail;
  trail.Lose();
  trail.End(0);
  EXPECT_THAT(trail.reasons, IsEmpty());
}

TEST(AccessCheckTest, AMalformedBodyIsNamedOnce) {
  Trail trail;
  trail.Add(BlockKind::kAccess, R"({"type":"asked"})");
  trail.End(0);
  trail.Add(BlockKind::kAccessEnd, "?");
  EXPECT_THAT(trail.reasons, ElementsAre(HasSubstr("ACCESS: "), HasSubstr("ACCESS_END: ")));
}

TEST(AccessCheckTest, ACallIsAboutWhatWasThereBefore) {
  Trail trail;
  AccessBody asked = Asked("{}");
  asked.tree_size = 1;
  trail.Ask(asked);
  EXPECT_THAT(trail.reasons, ElementsAre(HasSubstr("more blocks than there were")));
}

AccessBody AskedInPieces(const std::string& text) {
  AccessBody asked = Asked(text);
  asked.query.reset();
  return asked;
}

TEST(AccessCheckTest, ALongQueryStandsInThePiecesBefore) {
  Trail trail;
  trail.Say({Sha256("abcd"), 0, "ab"});
  trail.Say({Sha256("abcd"), 2, "cd"});
  trail.Ask(AskedInPieces("abcd"));
  trail.Ask(Asked("{}"));
  EXPECT_THAT(trail.reasons, IsEmpty());
}

TEST(AccessCheckTest, PiecesThatAreNotTheQueryAreNamed) {
  Trail missing;
  missing.Say({Sha256("abcd"), 2, "cd"});
  missing.Ask(AskedInPieces("abcd"));
  EXPECT_EQ(missing.reasons.size(), 2u);
  Trail altered;
  altered.Say({Sha256("abcd"), 0, "abce"});
  altered.Ask(AskedInPieces("abcd"));
  EXPECT_THAT(altered.reasons, ElementsAre(HasSubstr("do not hold the query")));
  Trail none;
  none.Ask(AskedInPieces("abcd"));
  EXPECT_THAT(none.reasons, ElementsAre(HasSubstr("do not hold the query")));
  Trail nobodys;
  nobodys.Say({Sha256("abcd"), 0, "abcd"});
  nobodys.Add(BlockKind::kAlert, "{}");
  EXPECT_THAT(nobodys.reasons, ElementsAre(HasSubstr("belong to no call")));
}

}  // namespace
}  // namespace logvault::evidence
