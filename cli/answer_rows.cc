#include "cli/answer_rows.h"

#include "net/access.h"

namespace logvault::cli {
namespace {

query::Row RowOf(const v1::StreamName& stream, const v1::Row& proto) {
  query::Row row;
  row.host = stream.host();
  row.source = stream.source();
  row.format = formats::FormatByName(stream.format()).value_or(formats::Format::kPlain);
  row.seq = proto.seq();
  row.event_time = proto.event_time();
  row.read_time = proto.read_time();
  row.commit_time = proto.commit_time();
  row.block = proto.block();
  row.flags = proto.flags();
  row.origin = proto.origin();
  row.bytes = proto.bytes();
  row.outside_window = proto.outside_window();
  row.context = proto.context();
  return row;
}

}  // namespace

Status CheckBegins(const v1::SearchEvent& first) {
  if (first.has_started()) return Status::Ok();
  return Integrity("the vault answered before it proved that it recorded the call");
}

Result<bool> AnswerRows::Take(const v1::Rows& rows, const OnRow& on_row) {
  for (const v1::StreamName& name : rows.streams()) names_[name.id()] = name;
  for (const v1::Row& row : rows.rows()) {
    const auto name = names_.find(row.stream());
    if (name == names_.end()) return Corruption("the vault sent a row of a stream it did not name");
    result_.Add(net::ResultRow(name->second, row));
    if (!on_row(RowOf(name->second, row))) return false;
  }
  return true;
}

void AnswerRows::Take(const v1::TableRow& row) { result_.Add(net::ResultRow(row)); }

Status AnswerRows::CheckEnd(std::string_view stated_sha256) const {
  if (stated_sha256 == result_.value().view()) return Status::Ok();
  return Integrity("the rows that arrived are not the ones that the vault says it sent");
}

}  // namespace logvault::cli
