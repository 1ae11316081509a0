// `logvault hosts`: every host and source the vault knows, how far it got and what is missing.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "cli/command.h"
#include "cli/offline_vault.h"
#include "cli/remote_vault.h"
#include "cli/table.h"
#include "cli/terminal.h"
#include "evidence/access.h"
#include "evidence/batch.h"
#include "formats/time_zone.h"
#include "net/access.h"
#include "query/heartbeat.h"
#include "query/output.h"

namespace logvault::cli {
namespace {

struct Summary {
  std::string host, source, format;
  std::uint64_t records = 0, last_seq = 0, missing = 0;
  UnixNanos first_time = kNoTime, last_time = kNoTime, last_commit_time = kNoTime;
  std::optional<bool> session_open;  // known to a running collector only
  bool silent = false;
  UnixNanos silent_since = 0;
  UnixNanos heartbeat_time = 0;  // 0: there is none
  query::SourceReport report;    // what that says of the source; an empty state: nothing
  std::vector<storage::NumberRange> missing_ranges;  // the first of them
};

struct Listing {
  std::vector<Summary> streams;
  bool integrity = true;
};

void AddHeartbeat(const storage::Reader& reader, Summary& summary) {
  Result<std::optional<query::Heartbeat>> newest = query::NewestHeartbeat(reader, summary.host);
  if (!newest.ok()) {
    summary.report.detail = "its newest heartbeat cannot be read: " + newest.status().message();
    return;
  }
  if (!newest->has_value()) return;
  summary.heartbeat_time = (*newest)->time;
  const auto report = (*newest)->sources.find(summary.source);
  if (report != (*newest)->sources.end()) summary.report = report->second;
}

Result<Listing> ListOffline(const Environment& env) {
  Result<OfflineVault> vault = OfflineVault::Open(env.settings);
  if (!vault.ok()) return vault.status();
  Result<std::vector<storage::StreamHead>> heads = vault->reader().Streams();
  if (!heads.ok()) return heads.status();
  Result<std::vector<storage::Silence>> silences = vault->reader().Silences();
  if (!silences.ok()) return silences.status();
  Listing listing;
  listing.integrity = vault->problems().empty();
  for (const storage::StreamHead& head : *heads) {
    listing.streams.push_back({head.host,
                               head.source,
                               head.format,
                               head.records,
                               head.last_seq,
                               head.missing_records,
                               head.first_time,
                               head.last_time,
                               head.last_commit_time,
                               std::nullopt,
                               false,
                               0,
                               0,
                               {},
                               {}});
    Summary& summary = listing.streams.back();
    for (const storage::Silence& silence : *silences) {
      if (silence.host != head.host) continue;
      summary.silent = true;
      summary.silent_since = silence.last_seen;
    }
    AddHeartbeat(vault->reader(), summary);
    if (head.missing_records == 0) continue;
    Result<std::vector<storage::NumberRange>> missing = vault->reader().Missing(
        evidence::StreamId(head.host, head.source), storage::kMissingRangesTold);
    if (!missing.ok()) return missing.status();
    summary.missing_ranges = *std::move(missing);
  }
  return listing;
}

Result<Listing> ListRemote(const Environment& env) {
  Result<std::unique_ptr<RemoteVault>> vault =
      RemoteVault::Connect(env.settings, env.interrupt.token());
  if (!vault.ok()) return vault.status();
  v1::HostsRequest request;
  request.set_tree_size((*vault)->checkpoint().size);
  Result<v1::HostsResponse> response = (*vault)->client().Hosts(request);
  if (!response.ok()) return response.status();
  LV_RETURN_IF_ERROR(
      (*vault)->CheckAccess(response->access(), net::kCallHosts, net::QueryText(request)).status());
  Listing listing;
  evidence::ResultHash result;
  for (const v1::StreamSummary& stream : response->streams()) {
    result.Add(net::ResultRow(stream));
    listing.streams.push_back({stream.host(),
                               stream.source(),
                               stream.format(),
                               stream.records(),
                               stream.last_seq(),
                               stream.missing_records(),
                               stream.first_time(),
                               stream.last_time(),
                               stream.last_commit_time(),
                               stream.session_open(),
                               stream.silent(),
                               stream.silent_since(),
                               stream.heartbeat_time(),
                               {stream.source_state(), stream.lag_bytes(), stream.source_detail()},
                               {}});
    for (const v1::NumberRange& range : stream.missing())
      listing.streams.back().missing_ranges.push_back({range.first(), range.last()});
  }
  if (response->result_sha256() != result.value().view())
    return Integrity("the list that arrived is not the one that the vault says it sent");
  return listing;
}

std::string TimeOrNothing(UnixNanos time) {
  return time == kNoTime ? std::string() : formats::FormatUtc(time);
}

void AppendJson(const Summary& stream, std::string& out) {
  auto text = [&out](std::string_view key, std::string_view value) {
    query::AppendJsonString(key, out);
    out += ':';
    query::AppendJsonString(value, out);
    out += ',';
  };
  auto time = [&](std::string_view key, UnixNanos value) {
    if (value != kNoTime) text(key, formats::FormatUtc(value));
  };
  out += '{';
  text("host", stream.host);
  text("source", stream.source);
  text("format", stream.format);
  time("first_time", stream.first_time);
  time("last_time", stream.last_time);
  time("last_commit_time", stream.last_commit_time);
  if (stream.session_open)
    out += std::string("\"connected\":") + (*stream.session_open ? "true," : "false,");
  out += std::string("\"silent\":") + (stream.silent ? "true," : "false,");
  if (stream.silent) time("silent_since", stream.silent_since);
  if (stream.heartbeat_time != 0) time("heartbeat_time", stream.heartbeat_time);
  if (!stream.report.state.empty()) {
    text("source_state", stream.report.state);
    out += "\"lag_bytes\":" + std::to_string(stream.report.lag_bytes) + ',';
  }
  if (!stream.report.detail.empty()) text("source_detail", stream.report.detail);
  out += "\"records\":" + std::to_string(stream.records) +
         ",\"last_seq\":" + std::to_string(stream.last_seq) +
         ",\"missing_records\":" + std::to_string(stream.missing) + ",\"missing\":[";
  for (const storage::NumberRange& range : stream.missing_ranges) {
    if (out.back() != '[') out += ',';
    out += "{\"first_seq\":" + std::to_string(range.first) +
           ",\"last_seq\":" + std::to_string(range.last) + "}";
  }
  out += "]}\n";
}

std::string StateOf(const Summary& stream) {
  if (stream.silent) return "SILENT since " + TimeOrNothing(stream.silent_since);
  if (!stream.session_open) return "-";
  return *stream.session_open ? "connected" : "away";
}

// "ok", "ok, lag 12 bytes", "missing: /var/log/x: no such file".
std::string ReportOf(const Summary& stream) {
  const query::SourceReport& report = stream.report;
  if (report.state.empty() && report.detail.empty()) return "-";
  std::string text = report.state.empty() ? "unknown" : report.state;
  if (report.lag_bytes > 0) text += ", lag " + std::to_string(report.lag_bytes) + " bytes";
  if (!report.detail.empty()) text += ": " + report.detail;
  return query::EscapeForTerminal(text);
}

// "12 (31..40, 77..78)".
std::string MissingText(const Summary& stream) {
  std::string text = std::to_string(stream.missing);
  std::string ranges;
  for (const storage::NumberRange& range : stream.missing_ranges) {
    if (!ranges.empty()) ranges += ", ";
    ranges += std::to_string(range.first) + ".." + std::to_string(range.last);
  }
  if (stream.missing_ranges.size() == storage::kMissingRangesTold) ranges += ", ...";
  return ranges.empty() ? text : text + " (" + ranges + ")";
}

// To the second: what is behind it moves no eye.
std::string ShortTime(UnixNanos time) {
  return time == kNoTime ? "-" : formats::FormatUtc(time).substr(0, 19) + "Z";
}

Cell StateCell(const Summary& stream, bool brief) {
  if (!stream.silent)
    return {StateOf(stream), StateOf(stream) == "away" ? Tone::kWarning : Tone::kPlain};
  return {brief ? "SILENT since " + ShortTime(stream.silent_since) : StateOf(stream), Tone::kAlarm};
}

Cell ReportCell(const Summary& stream) {
  const bool well = stream.report.state.empty() || stream.report.state == "ok";
  return {ReportOf(stream), well ? Tone::kPlain : Tone::kWarning};
}

// What a person looks at: how long ago, what is missing; as much as fits.
std::string ScreenTable(const std::vector<Summary>& streams, UnixNanos now) {
  Table table({{"HOST", kAlways},
               {"SOURCE", kAlways},
               {"FORMAT", 1},
               {"RECORDS", 6, true},
               {"MISSING", 8},
               {"FIRST", 2},
               {"LAST", 4},
               {"COMMITTED", 7, true},
               {"STATE", kAlways},
               {"REPORTS", 5}});
  for (const Summary& stream : streams) {
    const bool ever = stream.last_commit_time != kNoTime;
    table.Add({{query::EscapeForTerminal(stream.host)},
               {query::EscapeForTerminal(stream.source)},
               {query::EscapeForTerminal(stream.format), Tone::kFaint},
               {std::to_string(stream.records)},
               {MissingText(stream), stream.missing > 0 ? Tone::kAlarm : Tone::kPlain},
               {ShortTime(stream.first_time), Tone::kFaint},
               {ShortTime(stream.last_time)},
               {ever ? AgeText((now - stream.last_commit_time) / kNanosPerSecond) + " ago" : "-"},
               StateCell(stream, true),
               ReportCell(stream)});
  }
  return table.Text(SizeOf(STDOUT_FILENO).columns, ColourSuits(STDOUT_FILENO));
}

// What a pipe gets: every column, times in full.
std::string PipeTable(const std::vector<Summary>& streams) {
  Table table({{"HOST"},
               {"SOURCE"},
               {"FORMAT"},
               {"RECORDS"},
               {"MISSING"},
               {"FIRST"},
               {"LAST"},
               {"STATE"},
               {"REPORTS"}});
  for (const Summary& stream : streams) {
    table.Add({{query::EscapeForTerminal(stream.host)},
               {query::EscapeForTerminal(stream.source)},
               {query::EscapeForTerminal(stream.format)},
               {std::to_string(stream.records)},
               {std::to_string(stream.missing)},
               {TimeOrNothing(stream.first_time)},
               {TimeOrNothing(stream.last_time)},
               StateCell(stream, false),
               ReportCell(stream)});
  }
  return table.Text(0, false);
}

ExitCode RunHosts(bool json, Environment& env) {
  Result<Listing> listing = env.settings.offline.empty() ? ListRemote(env) : ListOffline(env);
  if (!listing.ok()) return Fail(listing.status());
  if (json) {
    for (const Summary& stream : listing->streams) AppendJson(stream, env.out.buffer());
  } else {
    env.out.PageLongAnswer([&env] { env.interrupt.YieldToPager(); });
    env.out.buffer() += env.out.is_terminal() ? ScreenTable(listing->streams, env.clock.Now())
                                              : PipeTable(listing->streams);
  }
  env.out.Finish();
  return listing->integrity ? ExitCode::kOk : ExitCode::kIntegrity;
}

}  // namespace

Action DefineHosts(CLI::App& command) {
  auto json = std::make_shared<bool>(false);
  AddOutputOption(command, *json);
  command.footer(
      "MISSING counts records that a gap skipped (on a terminal with their first numbers); "
      "COMMITTED is how long ago the newest "
      "came.  A narrow terminal gets the columns that fit.  STATE is connected, away or SILENT "
      "since it was "
      "last heard (longer ago\n"
      "than silence_after; offline as last recorded, else -); REPORTS is what the host's newest "
      "heartbeat says of the\n"
      "source: ok, waiting, missing or unreadable, and how many bytes are not yet read.\n");
  return [json](Environment& env) { return RunHosts(*json, env); };
}

}  // namespace logvault::cli
