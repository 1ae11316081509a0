#include "query/ask.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "query/coverage.h"
#include "query/stage.h"
#include "query/subquery.h"

namespace logvault::query {
namespace {

// The end of the pipes: hands over, and counts.
class Sink final : public Stage {
 public:
  Sink(const Request& request, const AskObserver& observer)
      : request_(request), observer_(observer) {}

  Status Take(const Tuple& tuple) override {
    ++rows_;
    if (request_.count_only) return Status::Ok();
    if (tuple.row != nullptr) {
      refused_ = observer_.on_table_row && !observer_.on_table_row(*tuple.row);
    } else {
      refused_ = observer_.search.on_row && !observer_.search.on_row(tuple.subject->row());
    }
    return Status::Ok();
  }
  Status Finish() override { return Status::Ok(); }
  [[nodiscard]] bool Full() const override { return refused_; }
  [[nodiscard]] std::uint64_t rows() const { return rows_; }

 private:
  const Request& request_;
  const AskObserver& observer_;
  std::uint64_t rows_ = 0;
  bool refused_ = false;
};

// The stages of a request, put together from the last to the first.
class Chain {
 public:
  // `coverage` is asked by a timeline.  All outlive it.
  Chain(const Request& request, const AskObserver& observer, const Coverage& coverage)
      : request_(request), coverage_(coverage), sink_(request, observer) {
    Append(request.limit ? MakeLimit(*request.limit, *first_, &cut_) : nullptr);
    const std::vector<Pipe>& pipes = request.pipeline.pipes();
    if (request.pipeline.shape() == Shape::kEvents) {
      event_columns_.names = EventColumns();
      Append(MakeFields(event_columns_, *first_));
    }
    for (std::size_t i = pipes.size(); i-- > 0;) {
      const bool limited = i + 1 < pipes.size() && pipes[i + 1].kind == Pipe::Kind::kLimit;
      const std::uint64_t last = i + 1 == pipes.size() ? request.limit.value_or(0) : 0;
      Append(Make(pipes[i], limited ? pipes[i + 1].count : last));
    }
  }

  [[nodiscard]] Stage& first() { return *first_; }
  [[nodiscard]] std::uint64_t rows() const { return sink_.rows(); }
  // More rows came than a limit let through.
  [[nodiscard]] bool cut() const { return cut_; }

 private:
  void Append(std::unique_ptr<Stage> stage) {
    if (stage == nullptr) return;
    first_ = stage.get();
    stages_.push_back(std::move(stage));
  }

  std::unique_ptr<Stage> Make(const Pipe& pipe, std::uint64_t needed_behind) {
    switch (pipe.kind) {
      case Pipe::Kind::kFields:
        return MakeFields(pipe, *first_);
      case Pipe::Kind::kWhere:
        return MakeWhere(pipe, *first_);
      case Pipe::Kind::kUniq:
        return MakeUniq(pipe, *first_, memory_);
      case Pipe::Kind::kLimit:
        return MakeLimit(pipe.count, *first_, &cut_);
      case Pipe::Kind::kStats:
        return MakeStats(pipe, *first_, memory_);
      case Pipe::Kind::kTop:
      case Pipe::Kind::kRare:
      case Pipe::Kind::kFirstSeen:
        return MakeRanking(pipe, *first_, memory_);
      case Pipe::Kind::kSort:
        return MakeSort(pipe, needed_behind, *first_, memory_);
      case Pipe::Kind::kTimeline:
        return MakeTimeline(pipe, request_, coverage_, *first_, memory_);
      case Pipe::Kind::kEvents:
        return MakeEvents(*first_, memory_);
      case Pipe::Kind::kContext:  // the search itself brings the neighbours
        break;
    }
    return nullptr;
  }

  const Request& request_;
  const Coverage& coverage_;
  PipeMemory memory_;
  Sink sink_;
  bool cut_ = false;
  Pipe event_columns_;
  std::vector<std::unique_ptr<Stage>> stages_;
  Stage* first_ = &sink_;
};

// Pipes that take everything before they give anything need no order by time, which costs memory; stream order is as good,
// and the same every time.
bool TakesAllFirst(const Pipeline& pipeline) {
  for (const Pipe& pipe : pipeline.pipes()) {
    if (pipe.kind == Pipe::Kind::kWhere || pipe.kind == Pipe::Kind::kContext) continue;
    return pipe.kind != Pipe::Kind::kFields && pipe.kind != Pipe::Kind::kUniq &&
           pipe.kind != Pipe::Kind::kLimit;
  }
  return false;
}

// What a timeline needs to know; nothing where there is none.
Result<Coverage> CoverageFor(const storage::Reader& reader, const Request& request,
                             const std::stop_token& stop, IndexCache* cache) {
  for (const Pipe& pipe : request.pipeline.pipes()) {
    if (pipe.kind == Pipe::Kind::kTimeline) return Coverage::Of(reader, request, stop, cache);
  }
  return Coverage();
}

// Counts that block headers know already: `stats count() by (host, source)` and less.
bool CountsByStream(const Pipe& pipe) {
  if (pipe.kind != Pipe::Kind::kStats) return false;
  for (const Aggregate& aggregate : pipe.aggregates) {
    if (aggregate.function != Aggregate::Function::kCount || !aggregate.field.empty()) return false;
  }
  for (const GroupKey& key : pipe.keys) {
    if (key.field != "host" && key.field != "source") return false;
  }
  return true;
}

// The search that feeds the pipes: all records of the expression.
Request FeedingRequest(const Request& request) {
  Request feeding = request;
  feeding.limit.reset();
  feeding.count_only = false;
  const Pipe& front = request.pipeline.pipes().front();
  if (front.kind == Pipe::Kind::kContext) feeding.context = static_cast<std::uint32_t>(front.count);
  if (TakesAllFirst(request.pipeline)) feeding.order = Request::Order::kStream;
  feeding.whole_blocks = CountsByStream(front) && !request.strict;
  return feeding;
}

Result<Completeness> AskThroughPipes(const storage::Reader& reader, const Request& request,
                                     const AskObserver& observer, const std::stop_token& stop,
                                     IndexCache* cache) {
  Result<Coverage> coverage = CoverageFor(reader, request, stop, cache);
  if (!coverage.ok()) return coverage.status();
  Chain chain(request, observer, *coverage);
  Status failed;
  Observer feeding;
  feeding.on_progress = observer.search.on_progress;
  feeding.on_row = [&](const Row& row) {
    Subject subject(row);
    failed = chain.first().Take({&subject, nullptr});
    return failed.ok() && !chain.first().Full();
  };
  feeding.on_whole_block = [&](const WholeBlock& block) {
    Row row;
    row.host = block.host;
    row.source = block.source;
    Subject subject(row);
    if (failed.ok()) failed = chain.first().Take({&subject, nullptr, block.record_count});
  };
  Result<Completeness> searched = Search(reader, FeedingRequest(request), feeding, stop, cache);
  if (!searched.ok()) return searched;
  LV_RETURN_IF_ERROR(failed);
  LV_RETURN_IF_ERROR(chain.first().Finish());
  searched->rows = chain.rows();
  searched->limit_reached = searched->limit_reached || chain.cut();
  return searched;
}

// Those that subqueries met; each block is told once.
void AddUnreadable(const std::vector<Unreadable>& more, std::vector<Unreadable>& all) {
  for (const Unreadable& one : more) {
    const auto same = [&one](const Unreadable& other) { return other.block == one.block; };
    if (std::none_of(all.begin(), all.end(), same)) all.push_back(one);
  }
}

}  // namespace

Result<Completeness> Ask(const storage::Reader& reader, const Request& request,
                         const AskObserver& observer, std::stop_token stop, IndexCache* cache) {
  Request pinned = request;
  if (pinned.tree_size == 0) {
    const Result<storage::Head> head = reader.StoredHead();
    if (!head.ok()) return head.status();
    pinned.tree_size = head->size;
  }
  Completeness of_subqueries;
  Result<Request> resolved = WithoutSubqueries(reader, pinned, of_subqueries, stop, cache);
  if (!resolved.ok()) return resolved.status();
  Result<Completeness> answered = resolved->pipeline.empty()
                                      ? Search(reader, *resolved, observer.search, stop, cache)
                                      : AskThroughPipes(reader, *resolved, observer, stop, cache);
  if (!answered.ok()) return answered;
  AddUnreadable(of_subqueries.unreadable, answered->unreadable);
  answered->notes.insert(answered->notes.end(), of_subqueries.notes.begin(),
                         of_subqueries.notes.end());
  return answered;
}

}  // namespace logvault::query
