// What arrives, block by block, and what a follower that fell behind leaves out.
#include "query/follow.h"

#include "tests/query/search_fixture.h"

namespace logvault::query {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class FollowTest : public SearchTest {
 protected:
  void Follow(std::string_view expression) {
    Result<std::unique_ptr<Follower>> opened =
        Follower::Open(vault_->reader(), Ask(expression), vault_->head().size);
    ASSERT_TRUE(opened.ok()) << opened.status();
    follower_ = *std::move(opened);
  }
  // What came since the last call.
  std::vector<std::string> Arrived() {
    std::vector<std::string> rows;
    FollowObserver observer;
    observer.on_row = [&rows](const Row& row) {
      rows.push_back(std::string(row.host) + "/" + std::string(row.source) + "/" +
                     std::to_string(row.seq));
      return rows.size() < enough_;
    };
    observer.on_skipped = [this](const Skipped& skipped) {
      skipped_.push_back(skipped);
      return true;
    };
    status_ = follower_->GoTo(vault_->head().size, observer, {});
    return rows;
  }

  std::unique_ptr<Follower> follower_;
  std::vector<Skipped> skipped_;
  Status status_;
  inline static std::size_t enough_ = SIZE_MAX;
};

TEST_F(FollowTest, OnlyWhatIsNewAndEachOnce) {
  Commit("a", "s", {{"x old\n"}});
  Follow("x");
  EXPECT_THAT(Arrived(), IsEmpty());
  Commit("a", "s", {{"x\n"}, {"y\n"}, {"x\n"}});
  Commit("b", "new", {{"x\n"}});  // a stream that was not there when it began
  Commit("a", "logvault", {{"x\n"}});
  EXPECT_THAT(Arrived(), ElementsAre("a/s/2", "a/s/4", "b/new/1"));
  EXPECT_THAT(Arrived(), IsEmpty());
  EXPECT_EQ(follower_->next(), vault_->head().size);
  EXPECT_EQ(follower_->matches(), 3u);
}

TEST_F(FollowTest, TheOwnSourceWhereItIsNamed) {
  Follow("source=logvault");
  Commit("a", "logvault", {{"x\n"}});
  Commit("a", "s", {{"x\n"}});
  EXPECT_THAT(Arrived(), ElementsAre("a/logvault/1"));
}

TEST_F(FollowTest, ThatHasEnoughGoesOnBehindTheLastWholeBlock) {
  Follow("x");
  Commit("a", "s", {{"x\n"}});
  const std::uint64_t second = Commit("a", "s", {{"x\n"}, {"x\n"}});
  enough_ = 2;
  EXPECT_THAT(Arrived(), ElementsAre("a/s/1", "a/s/2"));
  enough_ = SIZE_MAX;
  EXPECT_EQ(status_.code(), StatusCode::kCancelled);
  EXPECT_EQ(follower_->next(), second);
}

TEST_F(FollowTest, ThatFellBehindSkipsTheOldestAndSaysSo) {
  Follow("x");
  for (std::size_t i = 0; i < kFollowBlocksMax + 3; ++i)
    Commit(i % 2 == 0 ? "a" : "b", "s", {{"x\n"}, {"y\n"}});
  const std::vector<std::string> rows = Arrived();
  EXPECT_THAT(rows, SizeIs(kFollowBlocksMax));
  EXPECT_EQ(rows.front(), "b/s/3");
  ASSERT_THAT(skipped_, SizeIs(1));
  EXPECT_EQ(skipped_[0].blocks, 3u);
  EXPECT_EQ(skipped_[0].records, 6u);
  EXPECT_LE(skipped_[0].first_commit_time, skipped_[0].last_commit_time);
}

TEST_F(FollowTest, ABlockThatCannotBeReadIsNamedAndTheRestShown) {
  Follow("x");
  const std::uint64_t gone = Commit("a", "s", {{"x\n"}});
  Commit("a", "s", {{"x\n"}});
  const std::uint64_t from = follower_->next();
  Tamper([&](storage::Tables& tables) { DropPayload(tables, gone); });
  Result<std::unique_ptr<Follower>> opened = Follower::Open(vault_->reader(), Ask("x"), from);
  ASSERT_TRUE(opened.ok());
  follower_ = *std::move(opened);
  EXPECT_THAT(Arrived(), ElementsAre("a/s/2"));
  const std::vector<Unreadable> unreadable = follower_->TakeUnreadable();
  ASSERT_THAT(unreadable, SizeIs(1));
  EXPECT_EQ(unreadable[0].block, gone);
  EXPECT_TRUE(unreadable[0].integrity);
  EXPECT_THAT(follower_->TakeUnreadable(), IsEmpty());
}

}  // namespace
}  // namespace logvault::query
