// Orders.  kStream goes by host, source and sequence number, block by block.  The others go by
// (time, block, sequence number), where time is the request's time field, and newest first is the
// exact reverse.  Blocks are read in the order of the earliest (or latest) time their header
// admits; a matching record waits until no unread block can hold one before it.  What waits is 24
// bytes a match, and payloads of at most kPayloadBytesMax: beyond that the longest unused are
// dropped, and read again when their turn comes.
#include "query/search.h"

#include <algorithm>
#include <deque>
#include <list>
#include <queue>
#include <tuple>
#include <utility>

#include "query/context.h"
#include "query/plan.h"
#include "query/scan.h"
#include "query/scan_ahead.h"

namespace logvault::query {
namespace {

constexpr std::size_t kPayloadBytesMax = 128u << 20;

using PayloadPtr = std::shared_ptr<const evidence::Payload>;

// Counts rows and hands them over until the limit is reached or the caller has enough.
class Outlet {
 public:
  Outlet(const Request& request, const Observer& observer, Completeness& completeness)
      : request_(request), observer_(observer), completeness_(completeness) {}

  // Room for at least one more.
  [[nodiscard]] bool open() const { return !refused_ && completeness_.matches < limit(); }
  [[nodiscard]] bool refused() const { return refused_; }
  // At the limit: whoever still has a match to hand over says so.
  void Overflow() { completeness_.limit_reached = !refused_; }
  [[nodiscard]] std::uint64_t outside_window() const { return outside_window_; }

  // REQUIRES: open().
  void HandOver(const Row& row) {
    ++completeness_.matches;
    if (row.outside_window) ++outside_window_;
    if (!request_.count_only && observer_.on_row && !observer_.on_row(row)) refused_ = true;
  }

 private:
  [[nodiscard]] std::uint64_t limit() const { return request_.limit.value_or(UINT64_MAX); }

  const Request& request_;
  const Observer& observer_;
  Completeness& completeness_;
  std::uint64_t outside_window_ = 0;
  bool refused_ = false;
};

// The matches that wait for their turn, and the payloads they point into.
class WaitingRows {
 public:
  WaitingRows(const BlockScanner& scanner, const Request& request, Completeness& completeness)
      : scanner_(scanner),
        completeness_(completeness),
        rows_(Later{request.order == Request::Order::kNewestFirst}),
        newest_first_(request.order == Request::Order::kNewestFirst) {}

  void Add(const PlannedBlock& block, ScannedBlock scanned) {
    if (scanned.matches.empty()) return;
    const auto slot = static_cast<std::uint32_t>(slots_.size());
    slots_.push_back({&block, nullptr, scanned.matches.size(), used_.end()});
    for (std::uint32_t i : scanned.matches) {
      rows_.push(
          {scanner_.TimeOf(scanner_.RowOf(block, *scanned.payload, i)), block.index, i, slot});
    }
    Keep(slot, std::move(scanned.payload));
  }

  // Where the next unread block may begin: (time, block).  No unread record goes before it.
  using Bound = std::pair<UnixNanos, std::uint64_t>;
  // Hands over what goes before `bound`; everything where there is none.
  void HandOverBefore(const std::optional<Bound>& bound, Outlet& outlet,
                      const std::stop_token& stop) {
    while (!rows_.empty() && (!bound || Precedes(rows_.top(), *bound)) && !stop.stop_requested()) {
      if (!outlet.open()) return outlet.Overflow();
      const Waiting next = rows_.top();
      rows_.pop();
      HandOver(next, outlet);
    }
  }
  [[nodiscard]] bool empty() const { return rows_.empty(); }

 private:
  struct Waiting {
    UnixNanos time;
    std::uint64_t block;
    std::uint32_t i;
    std::uint32_t slot;
  };
  struct Later {
    bool newest_first;
    bool operator()(const Waiting& a, const Waiting& b) const {
      auto key = [](const Waiting& row) { return std::tie(row.time, row.block, row.i); };
      return newest_first ? key(a) < key(b) : key(a) > key(b);
    }
  };
  struct Slot {
    const PlannedBlock* block;
    PayloadPtr payload;  // null once it was dropped
    std::size_t rows_left;
    std::list<std::uint32_t>::iterator used;
  };

  [[nodiscard]] bool Precedes(const Waiting& row, const Bound& bound) const {
    const Bound place(row.time, row.block);
    return newest_first_ ? place > bound : place < bound;
  }

  void Keep(std::uint32_t slot, PayloadPtr payload) {
    kept_bytes_ += payload->blob().size();
    slots_[slot].payload = std::move(payload);
    slots_[slot].used = used_.insert(used_.end(), slot);
    while (kept_bytes_ > kPayloadBytesMax && used_.front() != slot) Drop(used_.front());
  }
  void Drop(std::uint32_t slot) {
    kept_bytes_ -= slots_[slot].payload->blob().size();
    slots_[slot].payload.reset();
    used_.erase(slots_[slot].used);
    slots_[slot].used = used_.end();
  }

  void HandOver(const Waiting& waiting, Outlet& outlet) {
    Slot& slot = slots_[waiting.slot];
    if (slot.rows_left == 0) return;  // the block could not be read a second time, and was reported
    if (slot.payload == nullptr && !Reload(waiting.slot)) return;
    used_.splice(used_.end(), used_, slot.used);
    outlet.HandOver(scanner_.RowOf(*slot.block, *slot.payload, waiting.i));
    if (--slot.rows_left == 0) Drop(waiting.slot);
  }

  bool Reload(std::uint32_t index) {
    Slot& slot = slots_[index];
    Result<PayloadPtr> payload = scanner_.Load(*slot.block);
    if (payload.ok()) {
      Keep(index, *std::move(payload));
      return true;
    }
    slot.rows_left = 0;
    completeness_.unreadable.push_back(scanner_.Describe(*slot.block, payload.status()));
    return false;
  }

  const BlockScanner& scanner_;
  Completeness& completeness_;
  std::priority_queue<Waiting, std::vector<Waiting>, Later> rows_;
  const bool newest_first_;
  std::deque<Slot> slots_;
  std::list<std::uint32_t> used_;  // slots with a payload, the longest unused first
  std::size_t kept_bytes_ = 0;
};

// One search, from the plan to the last row.
class Run {
 public:
  Run(const storage::Reader& reader, const Request& request, const Observer& observer, Plan& plan,
      IndexCache* cache)
      : request_(request),
        observer_(observer),
        plan_(plan),
        scanner_(reader, request, plan, cache),
        outlet_(request, observer, plan.completeness),
        waiting_(scanner_, request, plan.completeness) {}

  Status Go(const std::stop_token& stop) {
    CountWholeBlocks();
    ScanAhead scans(scanner_, plan_.blocks);
    Completeness& completeness = plan_.completeness;
    for (std::size_t i = 0; i < plan_.blocks.size() && !outlet_.refused(); ++i) {
      if (stop.stop_requested()) return Cancelled("the search was stopped");
      if (!outlet_.open()) {
        completeness.limit_reached = true;  // unread blocks may hold more
        break;
      }
      ScannedBlock scanned = scans.Next();
      split_records_ += scanned.split_records;
      if (scanned.unreadable)
        completeness.unreadable.push_back(*std::move(scanned.unreadable));
      else if (scanned.deleted)
        ++completeness.blocks_deleted;
      else
        ++completeness.blocks_scanned;
      Take(i, std::move(scanned), stop);
      if (observer_.on_progress) {
        const std::uint64_t not_read = completeness.blocks_pruned +
                                       completeness.blocks_pruned_by_index +
                                       completeness.blocks_counted;
        observer_.on_progress(
            {i + 1, completeness.blocks_in_scope, not_read, completeness.matches});
      }
    }
    if (!outlet_.refused()) waiting_.HandOverBefore(std::nullopt, outlet_, stop);
    if (stop.stop_requested() && !waiting_.empty()) return Cancelled("the search was stopped");
    AddNotes();
    return Status::Ok();
  }

 private:
  void CountWholeBlocks() {
    for (const PlannedBlock& block : plan_.whole) {
      const PlannedStream& stream = plan_.streams[block.stream];
      plan_.completeness.matches += block.record_count;
      if (observer_.on_whole_block)
        observer_.on_whole_block({stream.host, stream.source, block.index, block.record_count});
    }
    plan_.completeness.blocks_counted += plan_.whole.size();
  }

  void Take(std::size_t i, ScannedBlock scanned, const std::stop_token& stop) {
    const PlannedBlock& block = plan_.blocks[i];
    if (request_.order != Request::Order::kStream && !request_.count_only) {
      waiting_.Add(block, std::move(scanned));
      if (i + 1 < plan_.blocks.size())
        waiting_.HandOverBefore(BoundOf(plan_.blocks[i + 1]), outlet_, stop);
      return;
    }
    for (std::uint32_t match : scanned.matches) {
      if (outlet_.refused()) return;
      if (!outlet_.open()) return outlet_.Overflow();
      outlet_.HandOver(scanner_.RowOf(block, *scanned.payload, match));
    }
  }

  [[nodiscard]] WaitingRows::Bound BoundOf(const PlannedBlock& next) const {
    const bool newest_first = request_.order == Request::Order::kNewestFirst;
    return {newest_first ? next.latest : next.earliest, next.index};
  }

  void AddNotes() {
    std::vector<std::string>& notes = plan_.completeness.notes;
    if (outlet_.outside_window() > 0) {
      notes.push_back(
          std::to_string(outlet_.outside_window()) +
          " of the records were committed inside the window but state a time outside it");
    }
    if (split_records_ > 0 && request_.expression.root() != nullptr) {
      notes.push_back(std::to_string(split_records_) +
                      " pieces of records too long for one were searched piece by piece: a term "
                      "that lies across a cut is not found");
    }
  }

  const Request& request_;
  const Observer& observer_;
  Plan& plan_;
  const BlockScanner scanner_;
  Outlet outlet_;
  WaitingRows waiting_;
  std::uint64_t split_records_ = 0;
};

// Hands over what stands beside each match too.
Status GoWithContext(const storage::Reader& reader, const Request& request,
                     const Observer& observer, Plan& plan, const std::stop_token& stop,
                     IndexCache* cache) {
  const BlockScanner scanner(reader, request, plan, cache);
  ContextRows context(reader, scanner, request, observer.on_row, plan.completeness);
  Observer around = observer;
  around.on_row = [&context](const Row& match) { return context.Add(match); };
  return Run(reader, request, around, plan, cache).Go(stop);
}

}  // namespace

Result<Completeness> Search(const storage::Reader& reader, const Request& request,
                            const Observer& observer, std::stop_token stop, IndexCache* cache) {
  Result<Plan> plan = MakePlan(reader, request, stop, cache);
  if (!plan.ok()) return plan.status();
  const bool around = request.context > 0 && !request.count_only && observer.on_row;
  LV_RETURN_IF_ERROR(around ? GoWithContext(reader, request, observer, *plan, stop, cache)
                            : Run(reader, request, observer, *plan, cache).Go(stop));
  return std::move(plan->completeness);
}

}  // namespace logvault::query
