#include "server/tail_answer.h"

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>

#include "net/access.h"
#include "query/follow.h"
#include "server/row_sender.h"

namespace logvault::server {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLookInterval{200};  // how often for new blocks

Result<query::Request> RequestFrom(const v1::TailRequest& request) {
  Result<query::Expression> expression = query::Expression::Parse(request.expression());
  if (!expression.ok()) return expression.status();
  query::Request parsed;
  parsed.expression = *std::move(expression);
  parsed.scope.host_glob = request.host();
  parsed.scope.source_glob = request.source();
  parsed.scope.origin_glob = request.origin();
  return parsed;
}

std::chrono::milliseconds SliceOf(const v1::TailRequest& request) {
  const std::chrono::milliseconds wanted(request.slice_ms());
  return wanted.count() == 0 ? kTailSliceMax
                             : std::min<std::chrono::milliseconds>(wanted, kTailSliceMax);
}

// Until it is time to look again, or the reader has left.
void Rest(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any woken;
  std::unique_lock lock(mutex);
  woken.wait_for(lock, stop, kLookInterval, [] { return false; });
}

// One slice under way.
class Slice {
 public:
  Slice(const QueryContext& query, const Caller& caller, Access& access,
        EventStream<v1::SearchEvent>& stream)
      : query_(query), caller_(caller), access_(access), stream_(stream), rows_(access, stream) {}

  Status Go(query::Follower& follower, SteadyClock::time_point end) {
    for (;;) {
      const Status still = query_.gate.Check(*caller_.peer);
      if (!still.ok()) return still;
      if (query_.access.stopping) return Aborted("the collector is stopping");
      const std::uint64_t size = query_.vault.head().size;
      if (size > follower.next()) LV_RETURN_IF_ERROR(Advance(follower, size));
      if (SteadyClock::now() >= end) return SendDone(follower);
      Rest(stream_.stop_token());
      if (stream_.stop_token().stop_requested()) return Cancelled("the client left");
    }
  }

 private:
  Status Advance(query::Follower& follower, std::uint64_t size) {
    query::FollowObserver observer;
    observer.on_row = [this](const query::Row& row) { return rows_.Add(row); };
    observer.on_skipped = [this](const query::Skipped& skipped) { return SendSkipped(skipped); };
    LV_RETURN_IF_ERROR(follower.GoTo(size, observer, stream_.stop_token()));
    access_.set_matches(follower.matches());
    if (!rows_.Flush()) return Cancelled("the client left");
    v1::SearchEvent event;
    event.mutable_reached()->set_next(follower.next());
    for (const query::Unreadable& unreadable : follower.TakeUnreadable()) {
      access_.set_unreadable(++unreadable_);
      FillUnreadable(unreadable, *event.mutable_reached()->add_unreadable());
    }
    return stream_.Send(std::move(event)) ? Status::Ok() : Cancelled("the client left");
  }

  bool SendSkipped(const query::Skipped& skipped) {
    v1::SearchEvent event;
    event.mutable_skipped()->set_blocks(skipped.blocks);
    event.mutable_skipped()->set_records(skipped.records);
    event.mutable_skipped()->set_first_commit_time(skipped.first_commit_time);
    event.mutable_skipped()->set_last_commit_time(skipped.last_commit_time);
    return rows_.Flush() && stream_.Send(std::move(event));
  }

  Status SendDone(const query::Follower& follower) {
    v1::SearchEvent event;
    event.mutable_done()->set_matches(follower.matches());
    event.mutable_done()->set_result_sha256(std::string(access_.result().view()));
    return stream_.Send(std::move(event)) ? Status::Ok() : Cancelled("the client left");
  }

  const QueryContext& query_;
  const Caller& caller_;
  Access& access_;
  EventStream<v1::SearchEvent>& stream_;
  RowSender rows_;
  std::uint64_t unreadable_ = 0;
};

}  // namespace

Status AnswerTail(const QueryContext& query, const Caller& caller, const v1::TailRequest& request,
                  EventStream<v1::SearchEvent>& stream) {
  const SteadyClock::time_point end = SteadyClock::now() + SliceOf(request);
  Result<query::Request> parsed = RequestFrom(request);
  if (!parsed.ok()) return parsed.status();
  const std::uint64_t size = query.vault.head().size;
  if (request.first() > size)
    return InvalidArgument("the vault has only " + std::to_string(size) + " blocks");
  Result<std::unique_ptr<query::Follower>> follower =
      query::Follower::Open(query.reader(), *parsed, request.first() == 0 ? size : request.first());
  if (!follower.ok()) return follower.status();
  Result<Access> access = Access::Begin(
      query.access, caller, {net::kCallTail, net::QueryText(request), request.tree_size()});
  if (!access.ok()) return access.status();

  v1::SearchEvent started;
  started.mutable_started()->set_tree_size(access->scope());
  started.mutable_started()->set_checkpoint(access->head().note);
  started.mutable_started()->set_first((*follower)->next());
  Status ended = access->FillReceipt(*started.mutable_started()->mutable_access());
  if (ended.ok() && !stream.Send(std::move(started))) ended = Cancelled("the client left");
  if (ended.ok()) ended = Slice(query, caller, *access, stream).Go(**follower, end);
  ended = stream.Settle(ended);
  access->End(ended);
  return ended;
}

}  // namespace logvault::server
