// Search: runs a request over a vault's reader and says how complete the answer is.  The same code
// answers on the collector and offline.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/status.h"
#include "query/expression.h"
#include "query/pipeline.h"
#include "query/row.h"
#include "storage/reader.h"

namespace logvault::query {

class IndexCache;  // query/index_cache.h

enum class TimeField { kEvent, kRead, kCommit };

// What is looked at, beside the expression.
struct Scope {
  std::optional<UnixNanos> since;  // inclusive
  std::optional<UnixNanos> until;  // exclusive
  TimeField by = TimeField::kEvent;
  std::string host_glob;    // empty: all
  std::string source_glob;  // empty: all but `logvault`, unless the expression names that source
  std::string origin_glob;
};

struct Request {
  Expression expression;
  Pipeline pipeline;  // Search does not look at it; query/ask.h does
  Scope scope;
  std::optional<std::uint64_t> limit;
  enum class Order { kOldestFirst, kNewestFirst, kStream } order = Order::kOldestFirst;
  // Records of its stream that are handed over before and after each match (query/context.h); they are no matches.
  std::uint32_t context = 0;
  bool count_only = false;  // rows are counted, not returned
  // Blocks of which every record matches, as their headers say, are not read: Observer::on_whole_block gets them, in no
  // order, before the first row.  Not with `strict` or a limit.
  bool whole_blocks = false;
  bool strict =
      false;  // also recompute the tree over the blocks and every record leaf that is read
  bool no_index = false;        // read every block that its header does not rule out
  std::uint64_t tree_size = 0;  // blocks at or past it are not looked at; 0: all that is stored

  // The rows are matches and their neighbours.
  [[nodiscard]] bool ShowsContext() const {
    return context > 0 ||
           (!pipeline.empty() && pipeline.pipes().front().kind == Pipe::Kind::kContext);
  }
};

struct Unreadable {
  std::uint64_t block = 0;
  std::string host, source;
  std::uint64_t first_seq = 0, last_seq = 0;
  std::string reason;
  bool integrity =
      false;  // what is stored contradicts its hash, or is gone: tampering, not a failed read
};

// How complete an answer is: DESIGN's completeness line.
struct Completeness {
  std::uint64_t matches = 0;          // of the expression
  std::optional<std::uint64_t> rows;  // of the answer, where pipes made it
  std::uint64_t blocks_in_scope = 0;
  std::uint64_t blocks_pruned = 0;           // not read, because their header rules them out
  std::uint64_t blocks_pruned_by_index = 0;  // not read, because the index rules them out
  std::uint64_t blocks_counted = 0;          // by their headers, and not read
  std::uint64_t blocks_scanned = 0;
  std::uint64_t blocks_deleted = 0;  // under the retention policy, as the vault's rows say
  std::vector<Unreadable> unreadable;
  bool limit_reached = false;
  std::vector<std::uint64_t>
      unusable_segments;  // first blocks of segments whose index is missing or damaged
  std::vector<std::string>
      notes;  // for a person: a literal host that the vault never saw, and the like
};

// How far a search is.
struct SearchProgress {
  std::uint64_t blocks_done = 0;  // of blocks_in_scope less blocks_pruned
  std::uint64_t blocks_in_scope = 0;
  std::uint64_t blocks_pruned = 0;
  std::uint64_t matches = 0;
};

// A block of which every record matches, known without reading it.
struct WholeBlock {
  std::string_view host;
  std::string_view source;
  std::uint64_t block = 0;
  std::uint32_t record_count = 0;
};

struct Observer {
  std::function<bool(const Row&)> on_row;  // false stops the search
  std::function<void(const WholeBlock&)> on_whole_block;
  std::function<void(const SearchProgress&)> on_progress;
};

// Runs `request`.  kCancelled once `stop` is asked for.  Unreadable blocks are named in the answer
// while the rest is searched.  Memory is bounded by a few blocks and, for an order by event time,
// by the rows of the answer's window (see search.cc).  `cache` keeps what was read of the index for
// the next search; it may be nullptr.
Result<Completeness> Search(const storage::Reader& reader, const Request& request,
                            const Observer& observer, std::stop_token stop,
                            IndexCache* cache = nullptr);

}  // namespace logvault::query
