#include "cli/remote_search.h"

#include <utility>

#include "cli/answer_rows.h"
#include "net/access.h"

namespace logvault::cli {
namespace {

v1::SearchRequest ToProto(const PreparedQuery& prepared, std::uint64_t tree_size) {
  const query::Request& request = prepared.request;
  v1::SearchRequest proto;
  proto.set_expression(query::Query{request.expression, request.pipeline}.text());
  if (request.scope.since) proto.set_since(*request.scope.since);
  if (request.scope.until) proto.set_until(*request.scope.until);
  switch (request.scope.by) {
    case query::TimeField::kEvent:
      proto.set_by(v1::SearchRequest::EVENT);
      break;
    case query::TimeField::kRead:
      proto.set_by(v1::SearchRequest::READ);
      break;
    case query::TimeField::kCommit:
      proto.set_by(v1::SearchRequest::COMMIT);
      break;
  }
  proto.set_host(request.scope.host_glob);
  proto.set_source(request.scope.source_glob);
  proto.set_origin(request.scope.origin_glob);
  if (request.limit) proto.set_limit(*request.limit);
  proto.set_newest_first(request.order == query::Request::Order::kNewestFirst);
  proto.set_stream_order(request.order == query::Request::Order::kStream);
  proto.set_count_only(request.count_only);
  proto.set_strict(request.strict);
  proto.set_no_index(request.no_index);
  proto.set_context(request.context);
  proto.set_receipt(prepared.wants_receipt);
  proto.set_tree_size(tree_size);
  return proto;
}

query::Completeness FromProto(const v1::SearchDone& done) {
  query::Completeness completeness;
  completeness.matches = done.matches();
  completeness.blocks_in_scope = done.blocks_in_scope();
  completeness.blocks_pruned = done.blocks_pruned();
  completeness.blocks_counted = done.blocks_counted();
  completeness.blocks_pruned_by_index = done.blocks_pruned_by_index();
  completeness.blocks_scanned = done.blocks_scanned();
  completeness.blocks_deleted = done.blocks_deleted();
  completeness.limit_reached = done.limit_reached();
  if (done.has_rows()) completeness.rows = done.rows();
  completeness.notes.assign(done.notes().begin(), done.notes().end());
  for (const v1::UnreadableBlock& block : done.unreadable()) {
    completeness.unreadable.push_back({block.block(), block.host(), block.source(),
                                       block.first_seq(), block.last_seq(), block.reason(),
                                       block.integrity()});
  }
  return completeness;
}

query::Value FromProto(const v1::TableValue& proto) {
  query::Value value;
  switch (proto.kind()) {
    case v1::TableValue::TEXT:
    case v1::TableValue::NUMBER:
      value.kind = proto.kind() == v1::TableValue::TEXT ? query::Value::Kind::kText
                                                        : query::Value::Kind::kNumber;
      if (proto.texts_size() > 0) value.text = proto.texts(0);
      break;
    case v1::TableValue::LIST:
      value.kind = query::Value::Kind::kList;
      value.list.assign(proto.texts().begin(), proto.texts().end());
      break;
    default:
      break;
  }
  return value;
}

// What has arrived of one search.
class Receiver {
 public:
  // `columns`: of the table; 0: records.
  Receiver(RemoteVault& vault, const v1::SearchRequest& request, const evidence::Checkpoint& scope,
           std::size_t columns, const query::AskObserver& observer, Answer& answer)
      : vault_(vault),
        request_(request),
        scope_(scope),
        columns_(columns),
        observer_(observer),
        answer_(answer) {}

  bool Take(const v1::SearchEvent& event) {
    if (!started_) {
      if (const Status begins = CheckBegins(event); !begins.ok()) return Refuse(begins);
    }
    switch (event.event_case()) {
      case v1::SearchEvent::kStarted:
        return TakeStarted(event.started());
      case v1::SearchEvent::kRows:
        return TakeRows(event.rows());
      case v1::SearchEvent::kProgress:
        TakeProgress(event.progress());
        return true;
      case v1::SearchEvent::kTable:
        return TakeTable(event.table());
      case v1::SearchEvent::kDone:
        return TakeDone(event.done());
      case v1::SearchEvent::kSkipped:
      case v1::SearchEvent::kReached:
      case v1::SearchEvent::EVENT_NOT_SET:
        return true;  // of a newer version
    }
    return true;
  }

  [[nodiscard]] bool started() const { return started_; }
  [[nodiscard]] bool done() const { return done_; }
  [[nodiscard]] bool refused() const { return refused_; }
  [[nodiscard]] const Status& status() const { return status_; }

 private:
  bool TakeStarted(const v1::SearchStarted& started) {
    started_ = true;
    if (started.tree_size() != answer_.tree_size) {
      return Refuse(Integrity("the vault answered for tree size " +
                              std::to_string(started.tree_size()) + " and not for " +
                              std::to_string(answer_.tree_size)));
    }
    const Status recorded =
        vault_.CheckAccess(started.access(), net::kCallSearch, net::QueryText(request_), scope_)
            .status();
    return recorded.ok() || Refuse(recorded);
  }

  void TakeProgress(const v1::SearchProgress& progress) {
    // What is said of an answer that does not come to its end.
    answer_.completeness.blocks_in_scope = progress.blocks_in_scope();
    answer_.completeness.blocks_pruned = progress.blocks_pruned();
    answer_.completeness.blocks_scanned = progress.blocks_done();
    if (!observer_.search.on_progress) return;
    observer_.search.on_progress({progress.blocks_done(), progress.blocks_in_scope(),
                                  progress.blocks_pruned(), progress.matches()});
  }

  bool TakeDone(const v1::SearchDone& done) {
    answer_.completeness = FromProto(done);
    answer_.receipt = done.receipt();
    answer_.result = rows_.result();
    done_ = true;
    const Status whole = rows_.CheckEnd(done.result_sha256());
    return whole.ok() || Refuse(whole);
  }

  bool Refuse(Status status) {
    status_ = std::move(status);
    return false;
  }

  bool TakeRows(const v1::Rows& rows) {
    const Result<bool> taken = rows_.Take(rows, [this](const query::Row& row) {
      if (!row.context) ++answer_.completeness.matches;
      return !observer_.search.on_row || observer_.search.on_row(row);
    });
    if (!taken.ok()) return Refuse(taken.status());
    refused_ = !*taken;
    return *taken;
  }

  bool TakeTable(const v1::TableRows& table) {
    for (const v1::TableRow& proto : table.rows()) {
      query::TableRow row;
      for (const v1::TableValue& value : proto.values()) row.push_back(FromProto(value));
      if (row.size() != columns_)
        return Refuse(Corruption("the vault sent a row that is not of the table asked for"));
      rows_.Take(proto);
      answer_.completeness.rows = answer_.completeness.rows.value_or(0) + 1;
      if (observer_.on_table_row && !observer_.on_table_row(row)) {
        refused_ = true;
        return false;
      }
    }
    return true;
  }

  RemoteVault& vault_;
  const v1::SearchRequest& request_;
  const evidence::Checkpoint& scope_;
  const std::size_t columns_;
  const query::AskObserver& observer_;
  Answer& answer_;
  AnswerRows rows_;
  bool started_ = false;
  bool done_ = false;
  bool refused_ = false;
  Status status_;
};

}  // namespace

Result<Answer> SearchRemote(RemoteVault& vault, const PreparedQuery& prepared,
                            const query::AskObserver& observer) {
  return SearchRemoteAt(vault, ToProto(prepared, vault.checkpoint().size), vault.checkpoint(),
                        observer);
}

Result<Answer> SearchRemoteAt(RemoteVault& vault, const v1::SearchRequest& request,
                              const evidence::Checkpoint& scope,
                              const query::AskObserver& observer) {
  Result<query::Query> query = query::Query::Parse(request.expression());
  if (!query.ok()) return query.status();
  Answer answer;
  answer.tree_size = scope.size;
  Receiver receiver(vault, request, scope, query->pipeline.columns().size(), observer, answer);
  Status ended = vault.client().Search(
      request, [&receiver](const v1::SearchEvent& event) { return receiver.Take(event); });
  answer.cut_short = !receiver.done();
  if (!receiver.status().ok()) {
    answer.lost = receiver.status();
  } else if (!ended.ok() && vault.interrupted()) {
    answer.interrupted = true;
  } else if (!ended.ok()) {
    const bool midway =
        receiver.started() && config::ExitCodeFor(ended) != config::ExitCode::kNotPermitted;
    // A question that is too big is refused as a whole, however far it came.
    if (ended.code() == StatusCode::kInvalidArgument) return ended;
    if (!midway && ended.code() != StatusCode::kUnavailable) return ended;
    answer.lost = ended;
  } else if (!receiver.done() && !receiver.refused()) {
    answer.lost = Unavailable("the vault ended its answer without saying that it was complete");
  }
  return answer;
}

}  // namespace logvault::cli
