#include "query/plan.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "evidence/block.h"
#include "evidence/bodies.h"
#include "evidence/merkle.h"
#include "query/address.h"
#include "query/index_prune.h"

namespace logvault::query {
namespace {

constexpr std::string_view kOwnSource = "logvault";  // the forwarders' own stream

struct Range {
  UnixNanos earliest = 0;
  UnixNanos latest = 0;
};

// The times by which the batch's records are ordered.  A header does not say whether all of its
// records state an event time; those that do not are ordered by read time.
Range RangeOf(TimeField by, const evidence::BatchHeader& batch, UnixNanos commit_time) {
  switch (by) {
    case TimeField::kCommit:
      return {commit_time, commit_time};
    case TimeField::kRead:
      return {batch.read_time_first, batch.read_time_last};
    case TimeField::kEvent:
      break;
  }
  if (batch.event_time_min == kNoTime) return {batch.read_time_first, batch.read_time_last};
  return {std::min(batch.event_time_min, batch.read_time_first),
          std::max(batch.event_time_max, batch.read_time_last)};
}

bool Overlaps(const Scope& scope, const Range& range) {
  return (!scope.until || range.earliest < *scope.until) &&
         (!scope.since || range.latest >= *scope.since);
}

// By event time a record goes by the time that it states, or by its read time.  No record lies between those two spans,
// which for a log that is read long after it was written are far apart.
bool MayBeInWindow(const Scope& scope, const evidence::BatchHeader& batch, const Range& range,
                   UnixNanos commit_time) {
  if (scope.by != TimeField::kEvent) return Overlaps(scope, range);
  const bool states_time = batch.event_time_min != kNoTime;
  return (states_time && Overlaps(scope, {batch.event_time_min, batch.event_time_max})) ||
         Overlaps(scope, {batch.read_time_first, batch.read_time_last}) ||
         InWindow(scope, commit_time);
}

bool AllInWindow(const Scope& scope, const Range& range) {
  return (!scope.since || range.earliest >= *scope.since) &&
         (!scope.until || range.latest < *scope.until);
}

bool GlobOrAll(const std::string& glob, std::string_view text) {
  return glob.empty() || GlobMatches(glob, text, true);
}

// Reads headers in order and keeps what the request has to look at.
class Planner {
 public:
  Planner(const storage::Reader& reader, const Request& request)
      : reader_(reader),
        request_(request),
        counts_whole_((request.whole_blocks || request.count_only) && !request.strict &&
                      !request.limit && request.scope.origin_glob.empty()) {}

  Status ReadHeaders(std::uint64_t end, const storage::Head& head, const std::stop_token& stop) {
    const std::uint64_t last =
        request_.strict ? head.size : end;  // the whole tree has a root to compare
    std::uint64_t next = 0;
    while (next < last) {
      Status read =
          reader_.ForEachBlock(next, last, [&](std::uint64_t index, std::string_view bytes) {
            for (; next < index; ++next) Missing(next, end);
            next = index + 1;
            if (index < end) Add(index, bytes);
            if (request_.strict) AddLeaf(index, bytes);
            return !stop.stop_requested();
          });
      if (stop.stop_requested()) return Cancelled("the search was stopped");
      if (read.ok()) break;
      // RocksDB stopped at a block it cannot read: name it, go on behind it.
      Report(next++, read.message(), false);
    }
    for (; next < last; ++next) Missing(next, end);
    if (request_.strict && plan_.completeness.unreadable.empty()) CompareRoot(head);
    return Status::Ok();
  }

  // What is deleted has no records any more, whatever the header says: the scan tells.
  Status SetWholeAside() {
    const auto first_whole =
        std::stable_partition(plan_.blocks.begin(), plan_.blocks.end(),
                              [](const PlannedBlock& block) { return !block.whole; });
    if (first_whole == plan_.blocks.end()) return Status::Ok();
    plan_.whole.assign(first_whole, plan_.blocks.end());
    plan_.blocks.erase(first_whole, plan_.blocks.end());
    Result<std::map<std::uint64_t, std::uint64_t>> deleted =
        reader_.DeletedPayloads(plan_.whole.front().index, plan_.whole.back().index + 1);
    if (!deleted.ok()) return deleted.status();
    plan_.completeness.blocks_deleted += std::erase_if(
        plan_.whole, [&](const PlannedBlock& block) { return deleted->contains(block.index); });
    return Status::Ok();
  }

  Plan Finish(const std::stop_token& stop, IndexCache* cache) {
    // --strict trusts no index: what one hides would be missed, however well it is signed.
    if (!request_.no_index && !request_.strict) {
      if (!stated_.empty()) plan_.first_unindexed = stated_.rbegin()->second.end;
      PruneByIndex(reader_, request_.expression, stated_, cache, stop, plan_);
      if (cache != nullptr) PruneByFilters(request_.expression, *cache, plan_);
    }
    NoteUnseen();
    NoteImpossible();
    Sort();
    return std::move(plan_);
  }

 private:
  void Report(std::uint64_t block, std::string reason, bool integrity) {
    Unreadable entry;
    entry.block = block;
    entry.reason = std::move(reason);
    entry.integrity = integrity;
    plan_.completeness.unreadable.push_back(std::move(entry));
  }
  void Missing(std::uint64_t block, std::uint64_t end) {
    if (block >= end && !request_.strict) return;
    // An iterator may pass over a damaged table in silence: only a lookup knows.
    Result<std::string> bytes = reader_.BlockBytes(block);
    if (!bytes.ok() && bytes.status().code() != StatusCode::kNotFound) {
      return Report(block, bytes.status().message(), false);
    }
    if (!bytes.ok()) return Report(block, "nothing is stored where this block must be", true);
    if (block < end) Add(block, *bytes);
    if (request_.strict) AddLeaf(block, *bytes);
  }

  void Add(std::uint64_t index, std::string_view bytes) {
    Result<evidence::BlockHeader> block = evidence::BlockHeader::Parse(bytes);
    if (!block.ok()) return Report(index, block.status().message(), true);
    if (block->index != index)
      return Report(index, "states another number than it is stored under", true);
    if (block->kind == evidence::BlockKind::kStream) AddStream(*block);
    if (block->kind == evidence::BlockKind::kRecords) AddRecords(*block);
    if (block->kind == evidence::BlockKind::kIndex) AddIndex(*block);
  }

  void AddStream(const evidence::BlockHeader& block) {
    Result<evidence::StreamBody> body = evidence::StreamBody::Parse(block.body);
    if (!body.ok()) return Report(block.index, body.status().message(), true);
    newest_[evidence::StreamId(body->host, body->source)] =
        static_cast<std::uint32_t>(plan_.streams.size());
    plan_.streams.push_back(
        PlanStream(request_, std::move(body->host), std::move(body->source), body->format));
  }

  void AddIndex(const evidence::BlockHeader& block) {
    Result<evidence::IndexBody> body = evidence::IndexBody::Parse(block.body);
    // One of another version is of no use here.
    if (body.ok() && body->end <= block.index) stated_[body->first] = *body;
  }

  void AddRecords(const evidence::BlockHeader& block) {
    Result<evidence::BatchHeader> batch = evidence::BatchHeader::Parse(block.body);
    if (!batch.ok()) return Report(block.index, batch.status().message(), true);
    auto known = newest_.find(batch->stream_id);
    if (known == newest_.end())
      return Report(block.index, "no STREAM block before it names its stream", true);
    const PlannedStream& stream = plan_.streams[known->second];
    if (!stream.in_scope) return;
    ++plan_.completeness.blocks_in_scope;
    const Range range = RangeOf(request_.scope.by, *batch, block.commit_time);
    if (stream.verdict == Verdict::kNever ||
        !MayBeInWindow(request_.scope, *batch, range, block.commit_time)) {
      ++plan_.completeness.blocks_pruned;
      return;
    }
    PlannedBlock planned;
    planned.index = block.index;
    planned.stream = known->second;
    planned.record_count = batch->record_count;
    planned.first_seq = batch->first_seq;
    planned.commit_time = block.commit_time;
    planned.earliest = range.earliest;
    planned.latest = range.latest;
    planned.payload_hash = batch->payload_hash;
    planned.whole =
        counts_whole_ && stream.verdict == Verdict::kAlways && AllInWindow(request_.scope, range);
    plan_.blocks.push_back(planned);
  }

  // --strict: the tree over the stored blocks must have the root of the checkpoint.
  void AddLeaf(std::uint64_t index, std::string_view bytes) {
    const evidence::Hash leaf = evidence::LeafHash(bytes);
    tree_.Append(leaf);
    Result<evidence::Hash> tile = reader_.Nodes()(0, index);
    if (tile.ok() && *tile != leaf)
      Report(index, "its bytes do not have the hash that is in the tree", true);
  }

  void CompareRoot(const storage::Head& head) {
    if (tree_.Root() == head.root) return;
    Report(head.size - 1,
           "the blocks do not have the root that the checkpoint states; run `logvault verify`",
           true);
  }

  void NoteUnseen() {
    auto note = [this](std::string_view what, const std::string& name, auto member) {
      auto is = [&](const PlannedStream& stream) { return EqualFolded(stream.*member, name); };
      if (std::any_of(plan_.streams.begin(), plan_.streams.end(), is)) return;
      plan_.completeness.notes.push_back("the vault never saw " + std::string(what) + " '" + name +
                                         "'");
    };
    const Scope& scope = request_.scope;
    if (!scope.host_glob.empty() && !HasWildcard(scope.host_glob))
      note("host", scope.host_glob, &PlannedStream::host);
    if (!scope.source_glob.empty() && !HasWildcard(scope.source_glob)) {
      note("source", scope.source_glob, &PlannedStream::source);
    }
    for (const std::string& host : NamedValues(request_.expression, "host"))
      note("host", host, &PlannedStream::host);
    for (const std::string& source : NamedValues(request_.expression, "source")) {
      note("source", source, &PlannedStream::source);
    }
  }

  // Such a value fits nothing, and an answer without hits would look as if there were none.
  void NoteImpossible() {
    const auto note = [this](const std::string& field, const char* what, const auto& possible) {
      std::vector<std::string> values = NamedValues(request_.expression, field);
      std::erase_if(values, possible);
      if (values.empty()) return;
      std::string text = std::string(what) + " under " + field + ": '" + values.front() + "'";
      if (values.size() > 1)
        text += " and " + std::to_string(values.size() - 1) +
                (values.size() == 2 ? " other" : " others");
      plan_.completeness.notes.push_back(std::move(text));
    };
    note("ip", "not an address",
         [](const std::string& v) { return Network::Parse(v).has_value(); });
    note("hash", "not a hash", [](const std::string& v) { return LooksLikeHash(v); });
  }

  void Sort() {
    auto stream_order = [this](const PlannedBlock& block) {
      const PlannedStream& stream = plan_.streams[block.stream];
      return std::tie(stream.host, stream.source, block.first_seq, block.index);
    };
    switch (request_.order) {
      case Request::Order::kStream:
        std::sort(plan_.blocks.begin(), plan_.blocks.end(),
                  [&](const PlannedBlock& a, const PlannedBlock& b) {
                    return stream_order(a) < stream_order(b);
                  });
        break;
      case Request::Order::kOldestFirst:
        std::sort(plan_.blocks.begin(), plan_.blocks.end(),
                  [](const PlannedBlock& a, const PlannedBlock& b) {
                    return std::tie(a.earliest, a.index) < std::tie(b.earliest, b.index);
                  });
        break;
      case Request::Order::kNewestFirst:
        std::sort(plan_.blocks.begin(), plan_.blocks.end(),
                  [](const PlannedBlock& a, const PlannedBlock& b) {
                    return std::tie(b.latest, b.index) < std::tie(a.latest, a.index);
                  });
        break;
    }
  }

  const storage::Reader& reader_;
  const Request& request_;
  const bool counts_whole_;
  Plan plan_;
  std::map<evidence::Hash, std::uint32_t>
      newest_;  // stream id -> its newest entry of plan_.streams
  StatedSegments stated_;
  evidence::CompactTree tree_;
};

}  // namespace

PlannedStream PlanStream(const Request& request, std::string host, std::string source,
                         std::string_view format) {
  PlannedStream stream;
  stream.format = formats::FormatByName(format).value_or(formats::Format::kPlain);
  stream.verdict = VerdictFor(request.expression, host, source);
  stream.in_scope = GlobOrAll(request.scope.host_glob, host) &&
                    GlobOrAll(request.scope.source_glob, source) &&
                    (source != kOwnSource || !request.scope.source_glob.empty() ||
                     NamesSource(request.expression, kOwnSource));
  stream.host = std::move(host);
  stream.source = std::move(source);
  return stream;
}

bool InWindow(const Scope& scope, UnixNanos time) {
  return (!scope.since || time >= *scope.since) && (!scope.until || time < *scope.until);
}

Result<Plan> MakePlan(const storage::Reader& reader, const Request& request, std::stop_token stop,
                      IndexCache* cache) {
  Result<storage::Head> head = reader.StoredHead();
  if (!head.ok()) return head.status();
  std::uint64_t end = request.tree_size == 0 ? head->size : request.tree_size;
  if (end > head->size) {
    return OutOfRange("the vault has " + std::to_string(head->size) + " blocks, fewer than the " +
                      std::to_string(end) + " that were asked for");
  }
  Planner planner(reader, request);
  LV_RETURN_IF_ERROR(planner.ReadHeaders(end, *head, stop));
  LV_RETURN_IF_ERROR(planner.SetWholeAside());
  Plan plan = planner.Finish(stop, cache);
  if (stop.stop_requested()) return Cancelled("the search was stopped");
  return plan;
}

}  // namespace logvault::query
