#include "query/coverage.h"

#include <algorithm>
#include <limits>
#include <map>
#include <string>
#include <utility>

#include "evidence/batch.h"
#include "evidence/block.h"
#include "evidence/bodies.h"
#include "query/evaluate.h"
#include "storage/silence.h"

namespace logvault::query {
namespace {

constexpr UnixNanos kEver = std::numeric_limits<UnixNanos>::max();
constexpr std::string_view kOwnSource = "logvault";

class HeaderReader {
 public:
  HeaderReader(const Request& request, Coverage& coverage)
      : request_(request), coverage_(coverage) {}

  // What cannot be read here is named by the search itself.
  void Take(std::uint64_t index, std::string_view bytes) {
    Result<evidence::BlockHeader> block = evidence::BlockHeader::Parse(bytes);
    if (!block.ok()) return;
    if (block->kind == evidence::BlockKind::kStream) TakeStream(*block);
    if (block->kind == evidence::BlockKind::kRecords) TakeRecords(*block);
    if (block->kind == evidence::BlockKind::kSilence) TakeSilence(index, *block);
  }
  void Finish() {
    for (const auto& [host, since] : silent_) coverage_.AddSilence(since, kEver);
    for (const auto& [id, stream] : streams_) {
      if (stream.in_scope && stream.first <= stream.last)
        coverage_.AddCovered(stream.first, std::max(stream.last, alive_[stream.host]));
    }
  }

 private:
  struct Stream {
    bool in_scope = false;
    std::string host;
    UnixNanos first = kEver;  // of its records, by the window's time field
    UnixNanos last = std::numeric_limits<UnixNanos>::min();
  };

  // The times of a batch's records, by the window's time field.
  [[nodiscard]] std::pair<UnixNanos, UnixNanos> TimesOf(const evidence::BatchHeader& batch,
                                                        UnixNanos commit_time) const {
    const TimeField by = request_.scope.by;
    if (by == TimeField::kCommit) return {commit_time, commit_time};
    if (by == TimeField::kEvent && batch.event_time_min != kNoTime)
      return {batch.event_time_min, batch.event_time_max};
    return {batch.read_time_first, batch.read_time_last};
  }

  void TakeStream(const evidence::BlockHeader& block) {
    Result<evidence::StreamBody> body = evidence::StreamBody::Parse(block.body);
    if (!body.ok()) return;
    const Scope& scope = request_.scope;
    const bool in_scope =
        (scope.host_glob.empty() || GlobMatches(scope.host_glob, body->host, true)) &&
        (scope.source_glob.empty() ? body->source != kOwnSource
                                   : GlobMatches(scope.source_glob, body->source, true)) &&
        VerdictFor(request_.expression, body->host, body->source) != Verdict::kNever;
    Stream& stream = streams_[evidence::StreamId(body->host, body->source)];
    stream.in_scope = in_scope;
    stream.host = body->host;
    hosts_[body->host] = hosts_[body->host] || in_scope;
  }

  void TakeRecords(const evidence::BlockHeader& block) {
    Result<evidence::BatchHeader> batch = evidence::BatchHeader::Parse(block.body);
    if (!batch.ok()) return;
    Stream& stream = streams_[batch->stream_id];
    const bool by_commit = request_.scope.by == TimeField::kCommit;
    UnixNanos& alive = alive_.try_emplace(stream.host, kNoTime).first->second;
    alive = std::max(alive, by_commit ? block.commit_time : batch->read_time_last);
    const auto [first, last] = TimesOf(*batch, block.commit_time);
    if (stream.in_scope && (block.flags & evidence::kFlagGap) != 0) {
      const bool begins = stream.first > stream.last;
      coverage_.AddGap(begins ? first : std::min(stream.last, first), first);
    }
    stream.first = std::min(stream.first, first);
    stream.last = std::max(stream.last, last);
  }

  void TakeSilence(std::uint64_t index, const evidence::BlockHeader& block) {
    Result<storage::SilenceChange> change = storage::ParseSilence(block.body, index);
    if (!change.ok()) return;
    for (const storage::Silence& silence : change->hosts) {
      const auto known = hosts_.find(silence.host);
      if (known == hosts_.end() || !known->second) continue;
      if (change->began) {
        silent_.emplace(silence.host, silence.last_seen);
      } else if (const auto since = silent_.find(silence.host); since != silent_.end()) {
        coverage_.AddSilence(since->second, silence.last_seen);
        silent_.erase(since);
      }
    }
  }

  const Request& request_;
  Coverage& coverage_;
  std::map<evidence::Hash, Stream> streams_;
  std::map<std::string, bool> hosts_;        // whether a stream of it is in scope
  std::map<std::string, UnixNanos> silent_;  // since when
  std::map<std::string, UnixNanos> alive_;   // the last sign of life
};

// "type":"gap" in the forwarders' own streams: what was lost before it could become a record.
Status ReadOwnWords(const storage::Reader& reader, const Request& request, Coverage& coverage,
                    const std::stop_token& stop, IndexCache* cache) {
  Result<Expression> expression = Expression::Parse("source=logvault json.type=gap");
  if (!expression.ok()) return expression.status();
  Request own;
  own.expression = *std::move(expression);
  own.scope.host_glob = request.scope.host_glob;
  own.order = Request::Order::kStream;
  own.tree_size = request.tree_size;
  own.no_index = request.no_index;
  Observer observer;
  observer.on_row = [&](const Row& row) {
    Subject subject(row);
    bool in_scope = false;
    ForEachValue(subject, "json.source", [&](std::string_view source) {
      const std::string& glob = request.scope.source_glob;
      in_scope = in_scope || ((glob.empty() || GlobMatches(glob, source, true)) &&
                              VerdictFor(request.expression, row.host, source) != Verdict::kNever);
    });
    if (in_scope) coverage.AddGap(row.time(), row.time());
    return true;
  };
  return Search(reader, own, observer, stop, cache).status();
}

}  // namespace

Result<Coverage> Coverage::Of(const storage::Reader& reader, const Request& request,
                              std::stop_token stop, IndexCache* cache) {
  Coverage coverage;
  HeaderReader headers(request, coverage);
  std::uint64_t next = 0;
  while (next < request.tree_size && !stop.stop_requested()) {
    const Status read = reader.ForEachBlock(next, request.tree_size,
                                            [&](std::uint64_t index, std::string_view bytes) {
                                              next = index + 1;
                                              headers.Take(index, bytes);
                                              return !stop.stop_requested();
                                            });
    if (read.ok()) break;
    ++next;  // a block that cannot be read
  }
  headers.Finish();
  if (Status read = ReadOwnWords(reader, request, coverage, stop, cache); !read.ok()) return read;
  return coverage;
}

std::string_view Coverage::Of(UnixNanos begin, UnixNanos end) const {
  if (Touches(gaps_, begin, end)) return "gap";
  if (Touches(silences_, begin, end)) return "silent";
  return Touches(covered_, begin, end) ? "ok" : "none";
}

bool Coverage::Touches(const std::vector<Interval>& intervals, UnixNanos begin, UnixNanos end) {
  return std::any_of(intervals.begin(), intervals.end(), [&](const Interval& interval) {
    return interval.first < end && interval.last >= begin;
  });
}

}  // namespace logvault::query
