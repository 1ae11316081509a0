// Power cuts under the spool: what it said it had, it has; and a cut is never taken for damage.
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "forwarder/spool_check.h"
#include "tests/forwarder/faulty_vfs.h"
#include "tests/forwarder/sealed_batch.h"
#include "tests/forwarder/test_host.h"
#include "tests/support/seeds.h"

namespace logvault::forwarder {
namespace {

// A spool that is used until the power goes, and what it had said by then.
class Life {
 public:
  explicit Life(std::uint64_t seed) : random_(seed) { options_.dir = folder_ / "spool"; }

  void UseUntilThePowerGoes() {
    vfs_.DieAfter(5 + random_() % 400);
    auto spool = Spool::Open(options_, "host1");
    while (spool.ok() && !vfs_.dead()) {
      if (random_() % 3 == 0) {
        AcknowledgeSome(**spool);
      } else {
        AppendOne(**spool);
      }
    }
    spool = Unavailable("the power is gone");
    vfs_.PowerCut(random_);
  }

  void ExpectWhatItSaid() {
    Result<std::unique_ptr<Spool>> spool = Spool::Open(options_, "host1");
    ASSERT_TRUE(spool.ok()) << spool.status();
    ASSERT_FALSE((*spool)->salvaged().has_value()) << (*spool)->salvaged()->faults.front();
    std::map<std::uint64_t, std::string> waiting;
    Result<std::vector<SpooledItem>> items = (*spool)->Oldest(1 << 30, 100'000);
    for (const SpooledItem& item : *items) waiting[item.first_seq] = item.header;
    Result<std::optional<StreamHead>> head = (*spool)->Head("app");
    const std::uint64_t acked = head->has_value() ? (*head)->acked_seq : 0;
    const std::uint64_t next = head->has_value() ? (*head)->next_seq : 1;
    for (const auto& [seq, header] : appended_) {
      ASSERT_LT(seq, next) << "an appended batch is not there";
      if (seq <= acked) continue;
      ASSERT_EQ(waiting[seq], header) << seq;
    }
    ASSERT_GE(acked, acked_) << "an acknowledgement is forgotten";
    ASSERT_LE(next, appended_.size() + 2) << "at most the one that it was in the middle of";
    GoOnFrom(next, acked, waiting);
  }

 private:
  void AppendOne(Spool& spool) {
    const std::uint64_t seq = appended_.size() + 1;
    SpooledBatch batch = SealedBatch("host1", "app", seq, seq, random_() % 12'000 + 1,
                                     {{"file", std::to_string(seq)}});
    const std::string header = batch.item.header;
    if (spool.Append(CommitOf(std::move(batch))).ok()) appended_[seq] = header;
  }

  void AcknowledgeSome(Spool& spool) {
    Result<std::vector<SpooledItem>> items = spool.Oldest(1 << 30, 1 + random_() % 5);
    if (!items.ok() || items->empty()) return;
    std::vector<std::int64_t> ids;
    for (const SpooledItem& item : *items) ids.push_back(item.id);
    if (spool.Acknowledge(ids, "note").ok()) acked_ = items->back().last_seq;
  }

  // What was in the middle counts from now on where it is there.
  void GoOnFrom(std::uint64_t next, std::uint64_t acked,
                const std::map<std::uint64_t, std::string>& waiting) {
    acked_ = acked;
    if (next == appended_.size() + 2) {
      const auto found = waiting.find(next - 1);
      appended_[next - 1] = found == waiting.end() ? "" : found->second;
    }
  }

  TestFolder folder_;
  FaultyVfs vfs_;
  std::mt19937_64 random_;
  SpoolOptions options_;
  std::map<std::uint64_t, std::string> appended_;  // the spool said so: number → header
  std::uint64_t acked_ = 0;
};

TEST(PowerCutTest, WhatTheSpoolSaidItHasItHas) {
  std::random_device device;
  for (int i = 0; i < logvault::testing::SeedCount(20); ++i) {
    const std::uint64_t seed = device();
    SCOPED_TRACE("seed " + std::to_string(seed));
    Life life(seed);
    for (int cut = 0; cut < 4; ++cut) {
      life.UseUntilThePowerGoes();
      life.ExpectWhatItSaid();
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

}  // namespace
}  // namespace logvault::forwarder
