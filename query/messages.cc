#include "query/messages.h"

#include <string>
#include <utility>

#include "query/context.h"

namespace logvault::query {
namespace {

Result<TimeField> TimeFieldOf(v1::SearchRequest::TimeField by) {
  switch (by) {
    case v1::SearchRequest::EVENT:
      return TimeField::kEvent;
    case v1::SearchRequest::READ:
      return TimeField::kRead;
    case v1::SearchRequest::COMMIT:
      return TimeField::kCommit;
    default:  // of a newer client
      return InvalidArgument("time field " + std::to_string(by) + " is not known here");
  }
}

Request::Order OrderOf(const v1::SearchRequest& message) {
  if (message.stream_order()) return Request::Order::kStream;
  return message.newest_first() ? Request::Order::kNewestFirst : Request::Order::kOldestFirst;
}

v1::TableValue::Kind KindOf(Value::Kind kind) {
  switch (kind) {
    case Value::Kind::kNone:
      return v1::TableValue::NONE;
    case Value::Kind::kText:
      return v1::TableValue::TEXT;
    case Value::Kind::kNumber:
      return v1::TableValue::NUMBER;
    case Value::Kind::kList:
      return v1::TableValue::LIST;
  }
  return v1::TableValue::NONE;
}

}  // namespace

Result<Request> RequestFrom(const v1::SearchRequest& message) {
  Result<Query> asked = Query::Parse(message.expression());
  if (!asked.ok()) return asked.status();
  Result<TimeField> by = TimeFieldOf(message.by());
  if (!by.ok()) return by.status();
  if (message.context() > kContextMax)
    return InvalidArgument("context: more than " + std::to_string(kContextMax));
  Request request;
  request.expression = std::move(asked->expression);
  request.pipeline = std::move(asked->pipeline);
  if (message.has_since()) request.scope.since = message.since();
  if (message.has_until()) request.scope.until = message.until();
  request.scope.by = *by;
  request.scope.host_glob = message.host();
  request.scope.source_glob = message.source();
  request.scope.origin_glob = message.origin();
  if (message.has_limit()) request.limit = message.limit();
  request.order = OrderOf(message);
  request.context = message.context();
  request.count_only = message.count_only();
  request.strict = message.strict();
  request.no_index = message.no_index();
  return request;
}

void FillRow(const Row& row, v1::Row& message) {
  message.set_seq(row.seq);
  message.set_event_time(row.event_time);
  message.set_read_time(row.read_time);
  message.set_commit_time(row.commit_time);
  message.set_block(row.block);
  message.set_flags(row.flags);
  message.set_origin(row.origin.data(), row.origin.size());
  message.set_bytes(row.bytes.data(), row.bytes.size());
  message.set_outside_window(row.outside_window);
  message.set_context(row.context);
}

std::size_t FillTableRow(const TableRow& row, v1::TableRow& message) {
  std::size_t size = 0;
  for (const Value& value : row) {
    v1::TableValue& added = *message.add_values();
    added.set_kind(KindOf(value.kind));
    ForEachText(value, [&](std::string_view text) {
      added.add_texts(text.data(), text.size());
      size += text.size();
    });
  }
  return size;
}

}  // namespace logvault::query
