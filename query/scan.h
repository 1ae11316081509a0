// Scan: reads one block and finds the records in it that a request asks for.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "evidence/payload.h"
#include "query/index_cache.h"
#include "query/plan.h"
#include "query/search.h"
#include "query/token_filter.h"

namespace logvault::query {

struct ScannedBlock {
  std::shared_ptr<const evidence::Payload> payload;  // null where the block cannot be read
  std::vector<std::uint32_t> matches;                // positions in the payload, ascending
  std::optional<Unreadable> unreadable;
  bool deleted = false;             // under the retention policy
  std::uint32_t split_records = 0;  // pieces of records that were too long for one
};

// Whether `row` lies in the request's window and origin, and matches its expression.
bool IsWanted(const Request& request, const Row& row);
// Whether a block that cannot be read for `why` was tampered with; all else is a failed read.
bool IsTampering(const Status& why);

// Safe from several threads.  Everything it is made from must outlive it.
class BlockScanner {
 public:
  // `cache`, where there is one, gets filters of the blocks that are not indexed yet, for later queries.
  BlockScanner(const storage::Reader& reader, const Request& request, const Plan& plan,
               IndexCache* cache);

  [[nodiscard]] ScannedBlock Scan(const PlannedBlock& block) const;
  // The payload alone, for a block that was scanned before.
  [[nodiscard]] Result<std::shared_ptr<const evidence::Payload>> Load(
      const PlannedBlock& block) const;
  // Record `i` of the block; its views point into `payload` and the plan.
  [[nodiscard]] Row RowOf(const PlannedBlock& block, const evidence::Payload& payload,
                          std::uint32_t i) const;
  // Why the block cannot be read, with its host, source and numbers.
  [[nodiscard]] Unreadable Describe(const PlannedBlock& block, const Status& why) const;
  // By what the request orders a row.
  [[nodiscard]] UnixNanos TimeOf(const Row& row) const;

 private:
  void FindMatches(const PlannedBlock& block, ScannedBlock& scanned) const;
  void KeepFilter(const PlannedBlock& block, const evidence::Payload& payload) const;

  const storage::Reader& reader_;
  const Request& request_;
  const Plan& plan_;
  IndexCache* const cache_;
  const std::vector<Literal> required_;
  const std::optional<TokenFilter> tokens_;
};

}  // namespace logvault::query
