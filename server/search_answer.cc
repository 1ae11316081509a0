#include "server/search_answer.h"

#include <string>
#include <utility>

#include "net/access.h"
#include "query/ask.h"
#include "query/messages.h"
#include "server/row_sender.h"
#include "server/search_receipt.h"

namespace logvault::server {
namespace {

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
    FillUnreadable(unreadable, *done.add_unreadable());
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
  Result<query::Request> parsed = query::RequestFrom(request);
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
