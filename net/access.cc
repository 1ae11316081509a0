#include "net/access.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "common/bytes.h"
#include "evidence/hash.h"

namespace logvault::net {
namespace {

using Json = nlohmann::ordered_json;

std::string Dump(const Json& text) {
  return text.dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool IsUtf8(const std::string& value) { return Json::parse(Dump(Json(value))) == Json(value); }

// Whatever bytes a question holds, its text has them all.
void AddText(Json& text, const std::string& name, const std::string& value) {
  if (IsUtf8(value)) {
    text[name] = value;
  } else {
    text[name + "_base64"] = evidence::ToBase64(value);
  }
}
void AddTextIfAny(Json& text, const std::string& name, const std::string& value) {
  if (!value.empty()) AddText(text, name, value);
}

void AddFlag(Json& text, const char* name, bool value) {
  if (value) text[name] = true;
}

// The inverse of AddText; empty where there is none.
std::string TextOf(const Json& text, const std::string& name) {
  if (const auto plain = text.find(name); plain != text.end() && plain->is_string()) return *plain;
  const auto base64 = text.find(name + "_base64");
  if (base64 == text.end() || !base64->is_string()) return {};
  Result<std::string> bytes = evidence::FromBase64(base64->get<std::string>());
  return bytes.ok() ? *std::move(bytes) : std::string();
}

bool FlagOf(const Json& text, const char* name) {
  const auto flag = text.find(name);
  return flag != text.end() && flag->is_boolean() && flag->get<bool>();
}

std::optional<std::int64_t> TimeOf(const Json& text, const char* name) {
  const auto time = text.find(name);
  if (time == text.end() || !time->is_number_integer()) return std::nullopt;
  return time->get<std::int64_t>();
}

std::optional<std::uint64_t> CountOf(const Json& text, const char* name) {
  const auto count = text.find(name);
  if (count == text.end() || !count->is_number_unsigned()) return std::nullopt;
  return count->get<std::uint64_t>();
}

const char* NameOf(v1::SearchRequest::TimeField by) {
  switch (by) {
    case v1::SearchRequest::READ:
      return "read";
    case v1::SearchRequest::COMMIT:
      return "commit";
    default:
      return "event";
  }
}

}  // namespace

std::string QueryText(const v1::HostsRequest& /*request*/) { return Dump(Json::object()); }

std::string QueryText(const v1::SearchRequest& request) {
  Json text = Json::object();
  AddText(text, "expression", request.expression());
  if (request.has_since()) text["since"] = request.since();
  if (request.has_until()) text["until"] = request.until();
  text["by"] = NameOf(request.by());
  AddTextIfAny(text, "host", request.host());
  AddTextIfAny(text, "source", request.source());
  AddTextIfAny(text, "origin", request.origin());
  if (request.has_limit()) text["limit"] = request.limit();
  AddFlag(text, "newest_first", request.newest_first());
  AddFlag(text, "stream_order", request.stream_order());
  AddFlag(text, "count_only", request.count_only());
  AddFlag(text, "strict", request.strict());
  AddFlag(text, "no_index", request.no_index());
  if (request.context() > 0) text["context"] = request.context();
  return Dump(text);
}

Result<v1::SearchRequest> ParseSearchText(std::string_view text) {
  const Json members = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!members.is_object()) return InvalidArgument("no query text");
  v1::SearchRequest request;
  request.set_expression(TextOf(members, "expression"));
  if (const auto since = TimeOf(members, "since")) request.set_since(*since);
  if (const auto until = TimeOf(members, "until")) request.set_until(*until);
  const std::string by = members.value("by", Json()).is_string() ? members["by"] : "";
  if (by == "read") request.set_by(v1::SearchRequest::READ);
  if (by == "commit") request.set_by(v1::SearchRequest::COMMIT);
  request.set_host(TextOf(members, "host"));
  request.set_source(TextOf(members, "source"));
  request.set_origin(TextOf(members, "origin"));
  if (const auto limit = CountOf(members, "limit")) request.set_limit(*limit);
  request.set_newest_first(FlagOf(members, "newest_first"));
  request.set_stream_order(FlagOf(members, "stream_order"));
  request.set_count_only(FlagOf(members, "count_only"));
  request.set_strict(FlagOf(members, "strict"));
  request.set_no_index(FlagOf(members, "no_index"));
  request.set_context(static_cast<std::uint32_t>(CountOf(members, "context").value_or(0)));
  if (QueryText(request) != text)
    return InvalidArgument("the query text asks for what this version does not know");
  return request;
}

std::string QueryText(const v1::TailRequest& request) {
  Json text = Json::object();
  AddText(text, "expression", request.expression());
  AddTextIfAny(text, "host", request.host());
  AddTextIfAny(text, "source", request.source());
  AddTextIfAny(text, "origin", request.origin());
  if (request.first() > 0) text["first"] = request.first();
  return Dump(text);
}

std::string QueryText(const v1::ShowRequest& request) {
  Json text = Json::object();
  AddText(text, "host", request.host());
  AddText(text, "source", request.source());
  text["seq"] = request.seq();
  return Dump(text);
}

std::string QueryText(const v1::BlocksRequest& request) {
  Json text = {{"first", request.first()}, {"end", request.end()}};
  AddFlag(text, "payloads", request.payloads());
  if (request.payloads_of_size() > 0) text["payloads_of"] = request.payloads_of();
  return Dump(text);
}

std::string QueryText(const v1::AuditRequest& request) {
  Json text = Json::object();
  if (request.has_since()) text["since"] = request.since();
  if (request.has_until()) text["until"] = request.until();
  if (request.limit() > 0) text["limit"] = request.limit();
  return Dump(text);
}

std::string QueryText(const v1::GoverningRequest& /*request*/) { return Dump(Json::object()); }

std::string QueryText(const v1::AlertsRequest& request) {
  Json text = Json::object();
  if (request.has_since()) text["since"] = request.since();
  if (request.has_until()) text["until"] = request.until();
  return Dump(text);
}

std::string ResultRow(const v1::StreamSummary& stream) {
  std::string row;
  ByteWriter writer(row);
  writer.String32(stream.host());
  writer.String32(stream.source());
  writer.String32(stream.format());
  writer.U64(stream.records());
  writer.U64(stream.last_seq());
  writer.U64(stream.missing_records());
  writer.I64(stream.first_time());
  writer.I64(stream.last_time());
  writer.I64(stream.last_commit_time());
  writer.U8(stream.session_open() ? 1 : 0);
  writer.U8(stream.silent() ? 1 : 0);
  writer.I64(stream.silent_since());
  writer.I64(stream.heartbeat_time());
  writer.String32(stream.source_state());
  writer.U64(stream.lag_bytes());
  writer.String32(stream.source_detail());
  writer.U32(static_cast<std::uint32_t>(stream.missing_size()));
  for (const v1::NumberRange& range : stream.missing()) {
    writer.U64(range.first());
    writer.U64(range.last());
  }
  return row;
}

std::string ResultRow(const v1::StreamName& stream, const v1::Row& record) {
  std::string row;
  row.reserve(record.bytes().size() + 128);
  ByteWriter writer(row);
  writer.String32(stream.host());
  writer.String32(stream.source());
  writer.U64(record.seq());
  writer.I64(record.event_time());
  writer.I64(record.read_time());
  writer.I64(record.commit_time());
  writer.U64(record.block());
  writer.U32(record.flags());
  writer.U8(
      static_cast<std::uint8_t>((record.outside_window() ? 1 : 0) | (record.context() ? 2 : 0)));
  writer.String32(record.origin());
  writer.String32(record.bytes());
  return row;
}

std::string ResultRow(const v1::TableRow& table_row) {
  std::string row;
  ByteWriter writer(row);
  for (const v1::TableValue& value : table_row.values()) {
    writer.U8(static_cast<std::uint8_t>(value.kind()));
    writer.U32(static_cast<std::uint32_t>(value.texts_size()));
    for (const std::string& text : value.texts()) writer.String32(text);
  }
  return row;
}

std::string ResultRow(const v1::StoredBlock& block) {
  std::string row;
  ByteWriter writer(row);
  writer.U64(block.index());
  writer.String32(block.block());
  writer.String32(block.payload());
  writer.String32(block.error());
  writer.String32(block.payload_error());
  writer.U64(block.deleted_by());
  return row;
}

std::string ResultRow(const v1::Accessed& call) {
  std::string row;
  ByteWriter writer(row);
  writer.String32(call.asked().block());
  writer.String32(call.ended().block());
  return row;
}

std::string ResultRow(const v1::ProvenBlock& block) {
  std::string row;
  ByteWriter(row).String32(block.block());
  return row;
}

}  // namespace logvault::net
