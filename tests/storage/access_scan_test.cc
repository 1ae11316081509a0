// The recorded calls, newest first, each with its end.
#include "storage/access_scan.h"

#include "evidence/access.h"
#include "tests/storage/vault_fixture.h"

namespace logvault::storage {
namespace {

class AccessScanTest : public VaultTest {
 protected:
  std::uint64_t Ask() {
    evidence::AccessBody body;
    body.certificate = std::string(64, 'a');
    body.query = "";
    body.query_hash = evidence::Sha256("");
    return Write(evidence::BlockKind::kAccess, body.Serialize());
  }
  std::uint64_t End(std::uint64_t access) {
    evidence::AccessEndBody body;
    body.access = access;
    return Write(evidence::BlockKind::kAccessEnd, body.Serialize());
  }
  std::uint64_t Write(evidence::BlockKind kind, std::string body) {
    Entry entry;
    entry.kind = kind;
    entry.body = std::move(body);
    return Append({entry}).entries[0].index;
  }
  using Pairs = std::vector<std::pair<std::uint64_t, std::uint64_t>>;  // asked, ended or 0
  Pairs Scan(AccessScope scope = {}) {
    if (scope.ends_size == 0) scope.ends_size = vault_->head().size;
    if (scope.tree_size == 0) scope.tree_size = scope.ends_size;
    Pairs pairs;
    unreadable = ForEachAccess(vault_->reader(), scope, [&](const AccessRecord& record) {
      pairs.emplace_back(record.asked, record.ended);
      return true;
    });
    return pairs;
  }

  std::uint64_t unreadable = 0;
};

TEST_F(AccessScanTest, CallsAndTheirEndsFindEachOther) {
  CreateVaultWithStream();
  const std::uint64_t first = Ask(), second = Ask();
  Append({NextBatch()});
  const std::uint64_t second_end = End(second), first_end = End(first);
  const std::uint64_t open = Ask();
  EXPECT_EQ(Scan(), (Pairs{{open, 0}, {second, second_end}, {first, first_end}}));
  EXPECT_EQ(unreadable, 0u);
}

TEST_F(AccessScanTest, LimitTimeAndTreeSizeNarrowIt) {
  CreateVault();
  const std::uint64_t first = Ask();
  const UnixNanos between = clock_.Now() + kNanosPerSecond;
  clock_.Advance(2 * kNanosPerSecond);
  const std::uint64_t second = Ask(), second_end = End(second), third = Ask();
  AccessScope scope;
  scope.limit = 2;
  EXPECT_EQ(Scan(scope), (Pairs{{third, 0}, {second, second_end}}));
  scope = {};
  scope.since = between;
  EXPECT_EQ(Scan(scope), (Pairs{{third, 0}, {second, second_end}}));
  scope = {};
  scope.until = between;
  EXPECT_EQ(Scan(scope), (Pairs{{first, 0}}));
  scope = {};
  scope.tree_size = second_end;
  scope.ends_size = third;
  EXPECT_EQ(Scan(scope), (Pairs{{second, second_end}, {first, 0}}));
}

// More blocks than are read at once, and an end far from its call.
TEST_F(AccessScanTest, ALongHistoryIsReadInPieces) {
  CreateVault();
  const std::uint64_t asked = Ask();
  std::vector<Entry> others(9'000);
  for (Entry& entry : others) {
    entry.kind = evidence::BlockKind::kAlert;
    entry.body = "{}";
  }
  Append(others);
  const std::uint64_t ended = End(asked);
  EXPECT_EQ(Scan(), (Pairs{{asked, ended}}));
  AccessScope scope;
  scope.since = clock_.Now() + kNanosPerSecond;
  EXPECT_EQ(Scan(scope), Pairs{});
}

}  // namespace
}  // namespace logvault::storage
