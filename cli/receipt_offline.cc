#include "cli/receipt_offline.h"

#include <utility>

#include "cli/offline_vault.h"
#include "evidence/access.h"
#include "evidence/merkle.h"
#include "net/access.h"
#include "query/ask.h"

namespace logvault::cli {
namespace {

query::TimeField TimeFieldOf(v1::SearchRequest::TimeField by) {
  if (by == v1::SearchRequest::READ) return query::TimeField::kRead;
  return by == v1::SearchRequest::COMMIT ? query::TimeField::kCommit : query::TimeField::kEvent;
}

query::Request::Order OrderOf(const v1::SearchRequest& request) {
  if (request.stream_order()) return query::Request::Order::kStream;
  return request.newest_first() ? query::Request::Order::kNewestFirst
                                : query::Request::Order::kOldestFirst;
}

Result<query::Request> RequestFrom(const v1::SearchRequest& proto) {
  Result<query::Query> asked = query::Query::Parse(proto.expression());
  if (!asked.ok()) return asked.status();
  query::Request request;
  request.expression = std::move(asked->expression);
  request.pipeline = std::move(asked->pipeline);
  if (proto.has_since()) request.scope.since = proto.since();
  if (proto.has_until()) request.scope.until = proto.until();
  request.scope.by = TimeFieldOf(proto.by());
  request.scope.host_glob = proto.host();
  request.scope.source_glob = proto.source();
  request.scope.origin_glob = proto.origin();
  if (proto.has_limit()) request.limit = proto.limit();
  request.order = OrderOf(proto);
  request.context = proto.context();
  request.count_only = proto.count_only();
  request.strict = proto.strict();
  request.no_index = proto.no_index();
  request.tree_size = proto.tree_size();
  return request;
}

std::string ResultRow(const query::Row& row) {
  v1::StreamName stream;
  stream.set_host(std::string(row.host));
  stream.set_source(std::string(row.source));
  v1::Row proto;
  proto.set_seq(row.seq);
  proto.set_event_time(row.event_time);
  proto.set_read_time(row.read_time);
  proto.set_commit_time(row.commit_time);
  proto.set_block(row.block);
  proto.set_flags(row.flags);
  proto.set_origin(row.origin.data(), row.origin.size());
  proto.set_bytes(row.bytes.data(), row.bytes.size());
  proto.set_outside_window(row.outside_window);
  proto.set_context(row.context);
  return net::ResultRow(stream, proto);
}

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

std::string ResultRow(const query::TableRow& row) {
  v1::TableRow proto;
  for (const query::Value& value : row) {
    v1::TableValue& added = *proto.add_values();
    added.set_kind(KindOf(value.kind));
    query::ForEachText(
        value, [&added](std::string_view text) { added.add_texts(text.data(), text.size()); });
  }
  return net::ResultRow(proto);
}

// The tree that the receipt is about is the folder's.
Status CheckHistory(const evidence::SearchReceipt& receipt, const OfflineVault& vault) {
  if (vault.key().name != receipt.origin)
    return Integrity("the folder is of the vault " + vault.key().name);
  if (receipt.tree_size > vault.checkpoint().size) {
    return Integrity("the folder holds " + std::to_string(vault.checkpoint().size) +
                     " blocks, fewer than the receipt is about: it is an older copy");
  }
  Result<evidence::Hash> root = evidence::RootAt(receipt.tree_size, vault.reader().Nodes());
  if (!root.ok()) return root.status();
  if (*root == receipt.root) return Status::Ok();
  return Integrity("the folder's history is not the one that the receipt is about");
}

// The call stands behind the tree that it asked; a copy may end between.
Status CheckCall(const evidence::SearchReceipt& receipt, const OfflineVault& vault) {
  if (receipt.access >= vault.checkpoint().size) {
    Tell("note: the folder ends before block " + std::to_string(receipt.access) +
         ", which says who asked");
    return Status::Ok();
  }
  Result<evidence::BlockHeader> block = vault.reader().Block(receipt.access);
  if (!block.ok()) return block.status();
  const Result<evidence::AccessBody> call = evidence::AccessBody::Parse(block->body);
  if (block->kind == evidence::BlockKind::kAccess && call.ok() && call->call == net::kCallSearch &&
      call->tree_size == receipt.tree_size && call->query_hash == evidence::Sha256(receipt.query))
    return Status::Ok();
  return Integrity("block " + std::to_string(receipt.access) +
                   " is not the call that the receipt names");
}

}  // namespace

Result<Answer> AskFolderAgain(const evidence::SearchReceipt& receipt,
                              const v1::SearchRequest& request, Environment& env) {
  Result<query::Request> asked = RequestFrom(request);
  if (!asked.ok()) return asked.status();
  Result<OfflineVault> vault = OfflineVault::Open(env.settings);
  if (!vault.ok()) return vault.status();
  LV_RETURN_IF_ERROR(CheckHistory(receipt, *vault));
  LV_RETURN_IF_ERROR(CheckCall(receipt, *vault));
  Answer answer;
  answer.problems = vault->problems();
  answer.tree_size = receipt.tree_size;
  evidence::ResultHash result;
  query::AskObserver observer;
  observer.search.on_row = [&result](const query::Row& row) {
    result.Add(ResultRow(row));
    return true;
  };
  observer.on_table_row = [&result](const query::TableRow& row) {
    result.Add(ResultRow(row));
    return true;
  };
  Result<query::Completeness> complete =
      query::Ask(vault->reader(), *asked, observer, env.interrupt.token());
  answer.interrupted = answer.cut_short = complete.status().code() == StatusCode::kCancelled;
  if (!complete.ok() && !answer.interrupted) return complete.status();
  if (complete.ok()) answer.completeness = *std::move(complete);
  answer.result = result.value();
  return answer;
}

}  // namespace logvault::cli
