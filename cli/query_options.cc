#include "cli/query_options.h"

#include "cli/file_list.h"
#include "cli/time_window.h"
#include "query/context.h"

namespace logvault::cli {
namespace {

using query::OutputFormat;
using query::Request;

Result<query::Query> JoinedQuery(const std::vector<std::string>& arguments) {
  std::string joined;
  for (const std::string& argument : arguments) {
    if (!joined.empty()) joined += ' ';
    joined += argument;
  }
  Result<query::Query> query = QueryWithFileLists(joined);
  if (query.ok()) return query;
  return query.status().WithContext("query `" + query::EscapeForTerminal(joined) + "`");
}

Result<query::TimeField> TimeFieldOf(const std::string& name) {
  if (name == "event") return query::TimeField::kEvent;
  if (name == "read") return query::TimeField::kRead;
  if (name == "commit") return query::TimeField::kCommit;
  return InvalidArgument("--by: '" + name + "' is none of event, read, commit");
}

Result<OutputFormat> OutputOf(const std::string& name) {
  for (const auto& [known, format] : query::kOutputFormats) {
    if (known == name) return format;
  }
  return InvalidArgument("--output: '" + name + "' is none of text, json, csv, raw");
}

Status ReadWindow(const QueryOptions& options, UnixNanos now, const formats::TimeZone& zone,
                  query::Scope& scope) {
  Result<TimeWindow> window = ReadTimeWindow(options.since, options.until, now, zone);
  if (!window.ok()) return window.status();
  scope.since = window->since;
  scope.until = window->until;
  return Status::Ok();
}

Request::Order OrderOf(const QueryOptions& options, OutputFormat output, bool to_terminal) {
  if (output == OutputFormat::kRaw) return Request::Order::kStream;
  return to_terminal && !options.oldest_first ? Request::Order::kNewestFirst
                                              : Request::Order::kOldestFirst;
}

// A glob of the command line.  main protects "[...]" with a blank behind it.
Status ReadGlob(std::optional<std::string> typed, std::string_view flag, std::string& glob) {
  if (!typed) return Status::Ok();
  if (typed->empty()) {
    return InvalidArgument(std::string(flag) + " is empty; leave it out to look everywhere");
  }
  if (typed->starts_with('[') && typed->ends_with("] ")) typed->pop_back();
  glob = *std::move(typed);
  return Status::Ok();
}

Status ReadContext(const QueryOptions& options, OutputFormat output, Request& request) {
  if (options.context == 0) return Status::Ok();
  if (!request.pipeline.empty())
    return InvalidArgument("--context: with pipes write it as the first one: | context N");
  if (options.context < 0 || options.context > query::kContextMax) {
    return InvalidArgument("--context: " + std::to_string(options.context) +
                           " is not between 0 and " + std::to_string(query::kContextMax));
  }
  if (options.count || (output != OutputFormat::kText && output != OutputFormat::kJson)) {
    return InvalidArgument(
        "--context goes with -o text and -o json: csv, raw and --count cannot tell a match from "
        "what stands beside it");
  }
  request.context = static_cast<std::uint32_t>(options.context);
  return Status::Ok();
}

// Whether what the pipes give has a form in `output`.
Status CheckOutput(const Request& request, OutputFormat output) {
  if (output == OutputFormat::kRaw && request.pipeline.yields_table()) {
    return InvalidArgument(
        "--output: raw is the exact bytes of records, and these pipes give a table; use text, json "
        "or csv");
  }
  const bool marks = output == OutputFormat::kText || output == OutputFormat::kJson;
  if (!marks && request.ShowsContext() && !request.pipeline.yields_table()) {
    return InvalidArgument(
        "--output: csv and raw cannot tell a match from what stands beside it; use text or json");
  }
  return Status::Ok();
}

}  // namespace

Result<PreparedQuery> Prepare(const QueryOptions& options, UnixNanos now, bool to_terminal) {
  PreparedQuery prepared;
  Request& request = prepared.request;
  request.no_index = options.no_index;
  prepared.wants_receipt = !options.receipt.empty();
  Result<query::Query> query = JoinedQuery(options.expressions);
  if (!query.ok()) return query.status();
  request.expression = std::move(query->expression);
  request.pipeline = std::move(query->pipeline);
  Result<OutputFormat> output = OutputOf(options.output);
  if (!output.ok()) return output.status();
  prepared.output = *output;
  LV_RETURN_IF_ERROR(CheckOutput(request, *output));
  if (!options.zone.empty()) {
    Result<formats::TimeZone> zone = formats::TimeZone::Load(options.zone);
    if (!zone.ok()) return InvalidArgument("--tz: " + zone.status().message());
    prepared.zone = *zone;
  }
  Result<query::TimeField> by = TimeFieldOf(options.by);
  if (!by.ok()) return by.status();
  request.scope.by = *by;
  LV_RETURN_IF_ERROR(ReadWindow(options, now, prepared.zone, request.scope));
  LV_RETURN_IF_ERROR(ReadGlob(options.host, "--host", request.scope.host_glob));
  LV_RETURN_IF_ERROR(ReadGlob(options.source, "--source", request.scope.source_glob));
  LV_RETURN_IF_ERROR(ReadGlob(options.origin, "--origin", request.scope.origin_glob));
  LV_RETURN_IF_ERROR(ReadContext(options, *output, request));
  request.count_only = options.count;
  request.strict = options.strict;
  request.order = OrderOf(options, *output, to_terminal);
  if (options.limit && *options.limit < 0) return InvalidArgument("--limit: less than 0");
  if (options.limit) {
    if (*options.limit > 0) request.limit = static_cast<std::uint64_t>(*options.limit);
  } else if (to_terminal && !options.count && *output != OutputFormat::kRaw) {
    request.limit = kTerminalLimit;
    prepared.limit_is_default = true;
  }
  return prepared;
}

}  // namespace logvault::cli
