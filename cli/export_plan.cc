#include "cli/export_plan.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "evidence/access.h"
#include "evidence/batch.h"
#include "evidence/block.h"
#include "evidence/bodies.h"
#include "evidence/directive.h"
#include "evidence/merkle.h"

namespace logvault::cli {
namespace {

using evidence::BlockHeader;
using evidence::BlockKind;

// Gathers what the headers say, and chooses once all were seen.
class Chooser {
 public:
  Chooser(const ExportQuestion& question, std::uint64_t searched_size, ExportPlan& plan)
      : question_(question), searched_size_(searched_size), plan_(plan) {
    for (const FoundAt& match : plan.matches) {
      if (plan.payloads_of.empty() || plan.payloads_of.back() != match.block)
        plan.payloads_of.push_back(match.block);
    }
  }

  Status Take(std::uint64_t index, std::string_view bytes) {
    plan_.leaves.push_back(evidence::LeafHash(bytes));
    Result<BlockHeader> block = BlockHeader::Parse(bytes);
    if (!block.ok()) return block.status().WithContext("block " + std::to_string(index));
    switch (block->kind) {
      case BlockKind::kStream:
        return TakeStream(*block);
      case BlockKind::kKey:
        return TakeKey(*block);
      case BlockKind::kRecords:
        return TakeRecords(*block);
      case BlockKind::kAccess:
        return TakeAccess(*block);
      case BlockKind::kAccessEnd:
        return TakeAccessEnd(*block);
      case BlockKind::kConfig:
        plan_.dictionaries.Learn(*block);
        return Status::Ok();
      default:
        return Status::Ok();
    }
  }

  void Choose() {
    std::vector<std::uint64_t>& blocks = plan_.blocks;
    blocks.push_back(0);
    std::set<std::string> hosts;
    for (const auto& [id, stream] : streams_) {
      if (!stream.matched) continue;
      hosts.insert(stream.host);
      blocks.insert(blocks.end(), stream.stream_blocks.begin(), stream.stream_blocks.end());
      for (const auto& [index, gap] : stream.batches) {
        if (index < stream.first || index > stream.last) continue;
        blocks.push_back(index);
        if (gap) blocks.push_back(index + 1);
      }
    }
    for (const auto& [index, host] : keys_) {
      if (hosts.contains(host)) blocks.push_back(index);
    }
    std::sort(blocks.begin(), blocks.end());
    blocks.erase(std::unique(blocks.begin(), blocks.end()), blocks.end());
    while (!blocks.empty() && blocks.back() >= plan_.leaves.size()) blocks.pop_back();
  }

 private:
  struct Stream {
    std::string host;
    std::vector<std::uint64_t> stream_blocks;
    std::vector<std::pair<std::uint64_t, bool>> batches;  // index, flagged GAP
    bool matched = false;
    std::uint64_t first = UINT64_MAX, last = 0;  // batches with a match or in the window
  };

  Status TakeStream(const BlockHeader& block) {
    Result<evidence::StreamBody> body = evidence::StreamBody::Parse(block.body);
    if (!body.ok()) return body.status();
    Stream& stream = streams_[evidence::StreamId(body->host, body->source)];
    stream.host = body->host;
    stream.stream_blocks.push_back(block.index);
    return Status::Ok();
  }

  Status TakeKey(const BlockHeader& block) {
    if (evidence::IsDirective(block.body)) return Status::Ok();  // about the vault's own key
    Result<evidence::KeyBody> body = evidence::KeyBody::Parse(block.body);
    if (!body.ok()) return body.status();
    keys_.emplace_back(block.index, body->host);
    return Status::Ok();
  }

  // Calls by our certificate since the question was put: this reading.
  Status TakeAccess(const BlockHeader& block) {
    if (evidence::IsAccessText(block.body)) {
      access_texts_.push_back(block.index);
      return Status::Ok();
    }
    Result<evidence::AccessBody> body = evidence::AccessBody::Parse(block.body);
    if (!body.ok()) return body.status();
    if (block.index >= searched_size_ && body->certificate == question_.fingerprint) {
      plan_.blocks.insert(plan_.blocks.end(), access_texts_.begin(), access_texts_.end());
      plan_.blocks.push_back(block.index);
      accesses_.insert(block.index);
    }
    access_texts_.clear();
    return Status::Ok();
  }

  Status TakeAccessEnd(const BlockHeader& block) {
    Result<evidence::AccessEndBody> body = evidence::AccessEndBody::Parse(block.body);
    if (!body.ok()) return body.status();
    if (accesses_.contains(body->access)) plan_.blocks.push_back(block.index);
    return Status::Ok();
  }

  Status TakeRecords(const BlockHeader& block) {
    Result<evidence::BatchHeader> batch = evidence::BatchHeader::Parse(block.body);
    if (!batch.ok()) return batch.status();
    Stream& stream = streams_[batch->stream_id];
    stream.batches.emplace_back(block.index, (block.flags & evidence::kFlagGap) != 0);
    const bool matched =
        std::binary_search(plan_.payloads_of.begin(), plan_.payloads_of.end(), block.index);
    stream.matched = stream.matched || matched;
    if (!matched && !MayLieInWindow(block, *batch)) return Status::Ok();
    stream.first = std::min(stream.first, block.index);
    stream.last = std::max(stream.last, block.index);
    return Status::Ok();
  }

  // Without a window, only matches bound an export.
  [[nodiscard]] bool MayLieInWindow(const BlockHeader& block,
                                    const evidence::BatchHeader& batch) const {
    const query::Scope& scope = question_.matches.request.scope;
    if (!scope.since && !scope.until) return false;
    UnixNanos earliest = block.commit_time, latest = block.commit_time;
    if (scope.by != query::TimeField::kCommit) {
      earliest = batch.read_time_first;
      latest = batch.read_time_last;
    }
    if (scope.by == query::TimeField::kEvent && batch.event_time_min != kNoTime) {
      earliest = std::min(earliest, batch.event_time_min);
      latest = std::max(latest, batch.event_time_max);
    }
    return (!scope.since || latest >= *scope.since) && (!scope.until || earliest < *scope.until);
  }

  const ExportQuestion& question_;
  const std::uint64_t searched_size_;
  ExportPlan& plan_;
  std::map<evidence::Hash, Stream> streams_;
  std::vector<std::pair<std::uint64_t, std::string>> keys_;
  std::vector<std::uint64_t>
      access_texts_;                  // pieces of a long query, before the block they belong to
  std::set<std::uint64_t> accesses_;  // ours
};

bool HasBlock(const std::vector<FoundAt>& found, std::uint64_t block) {
  const auto at = std::lower_bound(found.begin(), found.end(), FoundAt{block, 0});
  return at != found.end() && at->block == block;
}

Result<Answer> SearchFor(ExportSource& source, const PreparedQuery& prepared,
                         std::vector<FoundAt>& found) {
  query::Observer observer;
  observer.on_row = [&found](const query::Row& row) {
    found.push_back({row.block, row.seq});
    return true;
  };
  // What goes to a court rests on the blocks alone: an index may be wrong.
  PreparedQuery without_index = prepared;
  without_index.request.no_index = true;
  Result<Answer> answer = source.Search(without_index, observer);
  std::sort(found.begin(), found.end());
  return answer;
}

}  // namespace

Result<ExportPlan> PlanExport(ExportSource& source, const ExportQuestion& question) {
  ExportPlan plan;
  Result<Answer> answer = SearchFor(source, question.matches, plan.matches);
  if (!answer.ok()) return answer.status();
  plan.answer = *std::move(answer);
  if (plan.answer.interrupted) return Cancelled("interrupted");
  if (!plan.answer.lost.ok()) return plan.answer.lost;
  if (question.redact) {
    std::vector<FoundAt> redacted;
    Result<Answer> second = SearchFor(source, *question.redact, redacted);
    if (!second.ok()) return second.status();
    if (second->interrupted) return Cancelled("interrupted");
    if (!second->lost.ok()) return second->lost;
    // What cannot be looked at must not leave as if it had been.
    for (const query::Unreadable& unreadable : second->completeness.unreadable) {
      if (HasBlock(plan.matches, unreadable.block))
        return Corruption("block " + std::to_string(unreadable.block) +
                          " could not be read again: it is not known what to redact in it");
    }
    std::set_intersection(plan.matches.begin(), plan.matches.end(), redacted.begin(),
                          redacted.end(), std::back_inserter(plan.redacted));
  }
  if (plan.matches.empty()) return plan;

  Chooser chooser(question, source.searched_size(), plan);
  LV_RETURN_IF_ERROR(source.ForEachBlock([&chooser](std::uint64_t index, std::string_view bytes) {
    return chooser.Take(index, bytes);
  }));
  if (plan.leaves.size() != source.checkpoint().size ||
      evidence::RootOf(plan.leaves) != source.checkpoint().root) {
    return Integrity("the vault's blocks are not those of the tree that it signed");
  }
  chooser.Choose();
  return plan;
}

}  // namespace logvault::cli
