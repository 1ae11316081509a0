#include "cli/export_report.h"

#include "evidence/payload.h"
#include "formats/fields.h"
#include "formats/time_zone.h"
#include "query/output.h"

namespace logvault::cli {
namespace {

constexpr std::size_t kMaxCell = 2000;  // bytes of a record that are shown

constexpr std::string_view kHead = R"(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>logvault export</title>
<style>
body{font-family:sans-serif;margin:2em;max-width:80em}
table{border-collapse:collapse;margin:1em 0}
td,th{border:1px solid #bbb;padding:.2em .5em;text-align:left;vertical-align:top}
td.text{font-family:monospace;white-space:pre-wrap;word-break:break-all}
</style></head><body>
<h1>logvault export</h1>
<p>This page is for reading. It proves nothing: <code>logvault export --check</code> or
<code>verify-export.py</code> checks the export that it came in; README.txt says how.</p>
)";

// Control bytes, bad UTF-8 and marks that turn the direction of writing as visible escapes; then what HTML would take
// as its own.
std::string Escape(std::string_view text) {
  std::string html;
  for (char c : query::EscapeForTerminal(text)) {
    switch (c) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '"':
        html += "&quot;";
        break;
      case '\'':
        html += "&#39;";
        break;
      default:
        html += c;
    }
  }
  return html;
}

void AppendRow(std::string_view name, std::string_view value, std::string& html) {
  html.append("<tr><th>").append(name).append("</th><td class=\"text\">");
  html.append(Escape(value)).append("</td></tr>\n");
}

std::string Missing(const evidence::ExportedStream& stream) {
  std::string text;
  for (const auto& [first, last] : stream.missing)
    text += (text.empty() ? "" : ", ") + std::to_string(first) + "\u2013" + std::to_string(last);
  return text.empty() ? "none" : text;
}

std::string AccessText(const ExportManifest& manifest) {
  if (manifest.offline) return "not recorded: the vault's folder was read, not the vault asked";
  if (manifest.access_blocks.empty()) return "the vault recorded none";
  std::string text = "block";
  for (std::uint64_t block : manifest.access_blocks) text += " " + std::to_string(block);
  return text;
}

void AppendFacts(const ExportManifest& manifest, std::string& html) {
  html += "<h2>What was asked</h2>\n<table>\n";
  AppendRow("vault", manifest.origin, html);
  AppendRow("tree size, root", std::to_string(manifest.tree_size) + ", " + manifest.root, html);
  AppendRow("made by", manifest.investigator, html);
  AppendRow("made at", formats::FormatUtc(manifest.made_at), html);
  AppendRow("query", manifest.query.empty() ? "(everything)" : manifest.query, html);
  AppendRow("redacted", manifest.redact.empty() ? "(nothing)" : manifest.redact, html);
  AppendRow("hosts", manifest.host.empty() ? "(all)" : manifest.host, html);
  AppendRow("sources", manifest.source.empty() ? "(all)" : manifest.source, html);
  AppendRow("origins", manifest.record_origin.empty() ? "(all)" : manifest.record_origin, html);
  AppendRow("since, until, by", manifest.since + ", " + manifest.until + ", " + manifest.by, html);
  AppendRow("the vault's record of this reading", AccessText(manifest), html);
  AppendRow("search complete", manifest.complete ? "yes" : "NO", html);
  for (const std::string& problem : manifest.problems) AppendRow("problem", problem, html);
  html += "</table>\n";
}

void AppendStreams(const ExportManifest& manifest, std::string& html) {
  html +=
      "<h2>What is there</h2>\n<table>\n<tr><th>host</th><th>source</th><th>numbers</th>"
      "<th>shown</th><th>redacted</th><th>withheld</th><th>missing in the vault</th></tr>\n";
  for (const evidence::ExportedStream& stream : manifest.streams) {
    html += "<tr><td>" + Escape(stream.host) + "</td><td>" + Escape(stream.source) + "</td><td>" +
            std::to_string(stream.first_seq) + "\u2013" + std::to_string(stream.last_seq) +
            "</td><td>" + std::to_string(stream.shown) + "</td><td>" +
            std::to_string(stream.redacted) + "</td><td>" + std::to_string(stream.withheld) +
            "</td><td>" + Missing(stream) + "</td></tr>\n";
  }
  html +=
      "</table>\n<p>Between the first and the last number of a stream nothing is left out: what is "
      "neither shown "
      "nor redacted is there as a hash. Not proven: that withheld records do not match, and what "
      "stood before "
      "the first and after the last number or in other streams.</p>\n";
}

}  // namespace

void ExportReport::Add(const evidence::RecordLine& record, std::string_view bytes) {
  if (++records_ > kMaxReportedRecords) return;
  const bool utf16 = (record.flags & evidence::kRecordUtf16Le) != 0;
  const std::string text = formats::RecordText(bytes.substr(0, kMaxCell), utf16);
  rows_ += "<tr><td>" +
           formats::FormatUtc(record.event_time == kNoTime ? record.read_time : record.event_time) +
           "</td><td>" + Escape(record.host) + "</td><td>" + Escape(record.source) + "</td><td>" +
           std::to_string(record.seq) + "</td><td class=\"text\">" + Escape(text) +
           (bytes.size() > kMaxCell ? "</td><td>cut here" : "") + "</td></tr>\n";
}

std::string ExportReport::Page(const ExportManifest& manifest) const {
  std::string html(kHead);
  AppendFacts(manifest, html);
  AppendStreams(manifest, html);
  html += "<h2>Records</h2>\n<p>" + std::to_string(manifest.shown) + " shown, " +
          std::to_string(manifest.redacted) + " redacted.";
  if (records_ > kMaxReportedRecords) {
    html +=
        " The first " + std::to_string(kMaxReportedRecords) + " are below; records.jsonl has all.";
  }
  html +=
      "</p>\n<table>\n<tr><th>time</th><th>host</th><th>source</th><th>number</th>"
      "<th>record</th></tr>\n";
  return html + rows_ + "</table>\n</body></html>\n";
}

}  // namespace logvault::cli
