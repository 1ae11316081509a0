// Follow: what arrives in a vault, from one place of the chain on, in the order of its blocks.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/status.h"
#include "evidence/hash.h"
#include "query/plan.h"
#include "query/scan.h"
#include "query/search.h"
#include "storage/reader.h"

namespace logvault::query {

// A follower with more blocks in scope before it than this has fallen behind: it skips to the newest so many.
inline constexpr std::size_t kFollowBlocksMax = 256;

// What a follower that fell behind did not look at.
struct Skipped {
  std::uint64_t blocks = 0;   // in scope
  std::uint64_t records = 0;  // in them, matching or not
  UnixNanos first_commit_time = kNoTime;
  UnixNanos last_commit_time = kNoTime;
  bool operator==(const Skipped&) const = default;
};

struct FollowObserver {
  std::function<bool(const Row&)> on_row;  // false stops it
  std::function<bool(const Skipped&)> on_skipped;
};

// Not for several threads.
class Follower {
 public:
  // Begins at block `first`.  Of `request` the expression, the globs and `strict` count; a window does not.  `reader`
  // outlives it.
  static Result<std::unique_ptr<Follower>> Open(const storage::Reader& reader,
                                                const Request& request, std::uint64_t first);

  // Looks at everything below `end`.  kCancelled once `stop` is asked for or the observer has enough; other failures
  // only where a block's header cannot be read.
  Status GoTo(std::uint64_t end, const FollowObserver& observer, const std::stop_token& stop);

  // The next block to look at.
  [[nodiscard]] std::uint64_t next() const { return next_; }
  [[nodiscard]] std::uint64_t matches() const { return matches_; }
  // Blocks in scope that could not be read, since the last call.
  std::vector<Unreadable> TakeUnreadable() { return std::exchange(unreadable_, {}); }

 private:
  Follower(const storage::Reader& reader, const Request& request, std::uint64_t first)
      : reader_(reader),
        request_(request),
        scanner_(reader, request_, plan_, nullptr),
        next_(first) {}

  void Describe(std::string host, std::string source, std::string_view format);
  Status Take(std::uint64_t index, std::string_view bytes, std::vector<PlannedBlock>& pending);
  bool SkipOldest(std::vector<PlannedBlock>& pending, const FollowObserver& observer) const;
  bool Scan(const PlannedBlock& block, const FollowObserver& observer);

  const storage::Reader& reader_;
  const Request request_;
  Plan plan_;  // its streams only
  const BlockScanner scanner_;
  std::map<evidence::Hash, std::uint32_t>
      newest_;  // stream id -> its newest entry of plan_.streams
  std::uint64_t next_;
  std::uint64_t matches_ = 0;
  std::vector<Unreadable> unreadable_;
};

}  // namespace logvault::query
