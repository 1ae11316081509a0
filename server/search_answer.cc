#include "server/search_answer.h"

#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "formats/format.h"
#include "net/access.h"
#include "query/ask.h"
#include "query/context.h"
#include "server/search_receipt.h"

namespace logvault::server {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kRowsEventBytes = 128 * 1024;
constexpr std::chrono::milliseconds kRowsWaitMax{100};  // first rows are seen early
constexpr std::chrono::milliseconds kProgressInterval{250};
constexpr std::size_t kRowOverheadBytes = 64;  // about, beside the record

v1::TableValue::Kind KindOf(query::Value::Kind kind) {
  switch (kind) {
    case query::Value::Kind::kNone:
      return v1::TableValue::NONE;
    case query::Value::Kind::kText:
      return v1::TableValue::TEXT;
    case query::Value::Kind::kNumber:
      return v1::TableValue::NUMBER;
    case query::Value::Kind::kList:
      return v1::TableValue::LIST;
  }
  return v1::TableValue::NONE;
}

// Gathers rows into events of a good size.
class RowSender {
 public:
  RowSender(Access& access, EventStream<v1::SearchEvent>& stream)
      : access_(access), stream_(stream) {}

  bool Add(const query::Row& row) {
    v1::Rows& rows = *event_.mutable_rows();
    v1::Row& added = *rows.add_rows();
    added.set_stream(IdOf(row, rows));
    added.set_seq(row.seq);
    added.set_event_time(row.event_time);
    added.set_read_time(row.read_time);
    added.set_commit_time(row.commit_time);
    added.set_block(row.block);
    added.set_flags(row.flags);
    added.set_origin(row.origin.data(), row.origin.size());
    added.set_bytes(row.bytes.data(), row.bytes.size());
    added.set_outside_window(row.outside_window);
    added.set_context(row.context);
    bytes_ += row.bytes.size() + row.origin.size() + kRowOverheadBytes;
    return Due() ? Flush() : true;
  }

  bool AddTableRow(const query::TableRow& row) {
    v1::TableRow& added = *event_.mutable_table()->add_rows();
    for (const query::Value& value : row) {
      v1::TableValue& proto = *added.add_values();
      proto.set_kind(KindOf(value.kind));
      query::ForEachText(value, [&](std::string_view text) {
        proto.add_texts(text.data(), text.size());
        bytes_ += text.size();
      });
    }
    bytes_ += kRowOverheadBytes;
    return Due() ? Flush() : true;
  }

  // False where the reader is gone.
  bool Flush() {
    last_sent_ = SteadyClock::now();
    if (bytes_ == 0) return true;
    bytes_ = 0;
    for (const v1::Row& row : event_.rows().rows()) {
      access_.AddRow(net::ResultRow(names_[row.stream()], row));
    }
    for (const v1::TableRow& row : event_.table().rows()) access_.AddRow(net::ResultRow(row));
    return stream_.Send(std::exchange(event_, {}));
  }

  bool Progress(const query::SearchProgress& progress) {
    if (SteadyClock::now() - last_progress_ < kProgressInterval) return true;
    last_progress_ = SteadyClock::now();
    if (!Flush()) return false;
    v1::SearchEvent event;
    event.mutable_progress()->set_blocks_done(progress.blocks_done);
    event.mutable_progress()->set_blocks_in_scope(progress.blocks_in_scope);
    event.mutable_progress()->set_blocks_pruned(progress.blocks_pruned);
    event.mutable_progress()->set_matches(progress.matches);
    return stream_.Send(std::move(event));
  }

 private:
  [[nodiscard]] bool Due() const {
    return bytes_ >= kRowsEventBytes || SteadyClock::now() - last_sent_ >= kRowsWaitMax;
  }

  // Streams are named once in an answer, then by number.
  std::uint32_t IdOf(const query::Row& row, v1::Rows& rows) {
    const auto [known, is_new] = ids_.try_emplace({std::string(row.host), std::string(row.source)},
                                                  static_cast<std::uint32_t>(ids_.size()));
    if (is_new) {
      v1::StreamName& name = *rows.add_streams();
      name.set_id(known->second);
      name.set_host(std::string(row.host));
      name.set_source(std::string(row.source));
      name.set_format(std::string(formats::NameOf(row.format)));
      names_.push_back(name);
    }
    return known->second;
  }

  Access& access_;
  EventStream<v1::SearchEvent>& stream_;
  v1::SearchEvent event_;
  std::size_t bytes_ = 0;
  SteadyClock::time_point last_sent_ = SteadyClock::now() - kRowsWaitMax;
  SteadyClock::time_point last_progress_ = SteadyClock::now();
  std::map<std::pair<std::string, std::string>, std::uint32_t> ids_;
  std::vector<v1::StreamName> names_;  // by id
};

Result<query::TimeField> TimeFieldOf(v1::SearchRequest::TimeField by) {
  switch (by) {
    case v1::SearchRequest::EVENT:
      return query::TimeField::kEvent;
    case v1::SearchRequest::READ:
      return query::TimeField::kRead;
    case v1::SearchRequest::COMMIT:
      return query::TimeField::kCommit;
    default:  // of a newer client
      return InvalidArgument("time field " + std::to_string(by) + " is not known here");
  }
}

query::Request::Order OrderOf(const v1::SearchRequest& request) {
  if (request.stream_order()) return query::Request::Order::kStream;
  return request.newest_first() ? query::Request::Order::kNewestFirst
                                : query::Request::Order::kOldestFirst;
}

// All but the tree size.
Result<query::Request> RequestFrom(const v1::SearchRequest& request) {
  Result<query::Query> asked = query::Query::Parse(request.expression());
  if (!asked.ok()) return asked.status();
  Result<query::TimeField> by = TimeFieldOf(request.by());
  if (!by.ok()) return by.status();
  query::Request parsed;
  parsed.expression = std::move(asked->expression);
  parsed.pipeline = std::move(asked->pipeline);
  if (request.has_since()) parsed.scope.since = request.since();
  if (request.has_until()) parsed.scope.until = request.until();
  parsed.scope.by = *by;
  parsed.scope.host_glob = request.host();
  parsed.scope.source_glob = request.source();
  parsed.scope.origin_glob = request.origin();
  if (request.has_limit()) parsed.limit = request.limit();
  parsed.order = OrderOf(request);
  parsed.count_only = request.count_only();
  parsed.strict = request.strict();
  if (request.context() > query::kContextMax)
    return InvalidArgument("context: more than " + std::to_string(query::kContextMax));
  parsed.context = request.context();
  parsed.no_index = request.no_index();
  return parsed;
}

v1::SearchEvent DoneEvent(const query::Completeness& complete, const Access& access) {
  v1::SearchEvent event;
  v1::SearchDone& done = *event.mutable_done();
  done.set_matches(complete.matches);
  done.set_blocks_in_scope(complete.blocks_in_scope);
  done.set_blocks_pruned(complete.blocks_pruned);
  done.set_blocks_counted(complete.blocks_counted);
  done.set_blocks_pruned_by_index(complete.blocks_pruned_by_index);
  done.set_blocks_scanned(complete.blocks_scanned);
  done.set_blocks_deleted(complete.blocks_deleted);
  done.set_limit_reached(complete.limit_reached);
  if (complete.rows) done.set_rows(*complete.rows);
  done.set_result_sha256(std::string(access.result().view()));
  for (const std::string& note : complete.notes) done.add_notes(note);
  for (const query::Unreadable& unreadable : complete.unreadable) {
    v1::UnreadableBlock& block = *done.add_unreadable();
    block.set_block(unreadable.block);
    block.set_host(unreadable.host);
    block.set_source(unreadable.source);
    block.set_first_seq(unreadable.first_seq);
    block.set_last_seq(unreadable.last_seq);
    block.set_reason(unreadable.reason);
    block.set_integrity(unreadable.integrity);
  }
  return event;
}

Status SendRows(const QueryContext& query, const v1::SearchRequest& asked,
                const query::Request& request, Access& access,
                EventStream<v1::SearchEvent>& stream) {
  const Status left = Cancelled("the client left");
  v1::SearchEvent started;
  started.mutable_started()->set_tree_size(request.tree_size);
  started.mutable_started()->set_checkpoint(access.head().note);
  LV_RETURN_IF_ERROR(access.FillReceipt(*started.mutable_started()->mutable_access()));
  if (!stream.Send(std::move(started))) return left;

  RowSender rows(access, stream);
  query::AskObserver observer;
  observer.search.on_row = [&rows](const query::Row& row) { return rows.Add(row); };
  observer.on_table_row = [&rows](const query::TableRow& row) { return rows.AddTableRow(row); };
  observer.search.on_progress = [&rows](const query::SearchProgress& progress) {
    rows.Progress(progress);  // a reader that is gone shows at the stop token
  };
  Result<query::Completeness> complete =
      query::Ask(query.reader(), request, observer, stream.stop_token(), &query.index_cache);
  if (!complete.ok()) return complete.status();
  query.index.Repair(complete->unusable_segments);
  if (!rows.Flush()) return left;
  access.set_matches(complete->matches);
  access.set_unreadable(complete->unreadable.size());
  v1::SearchEvent done = DoneEvent(*complete, access);
  if (asked.receipt()) {
    Result<std::string> receipt = ReceiptFor(query, access, net::QueryText(asked), *complete);
    if (!receipt.ok()) return receipt.status();
    done.mutable_done()->set_receipt(*std::move(receipt));
  }
  return stream.Send(std::move(done)) ? Status::Ok() : left;
}

}  // namespace

Status AnswerSearch(const QueryContext& query, const Caller& caller,
                    const v1::SearchRequest& request, EventStream<v1::SearchEvent>& stream) {
  Result<query::Request> parsed = RequestFrom(request);
  if (!parsed.ok()) return parsed.status();
  Result<Access> access = Access::Begin(
      query.access, caller, {net::kCallSearch, net::QueryText(request), request.tree_size()});
  if (!access.ok()) return access.status();
  parsed->tree_size = access->scope();
  const Status ended = stream.Settle(SendRows(query, request, *parsed, *access, stream));
  access->End(ended);
  return ended;
}

}  // namespace logvault::server
