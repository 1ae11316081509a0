// Output: rows as lines of text, JSON or CSV, or as the source's own bytes.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "formats/time_zone.h"
#include "query/expression.h"
#include "query/row.h"

namespace logvault::query {

enum class OutputFormat { kText, kJson, kCsv, kRaw };

inline constexpr std::array<std::pair<std::string_view, OutputFormat>, 4> kOutputFormats = {{
    {"text", OutputFormat::kText},
    {"json", OutputFormat::kJson},
    {"csv", OutputFormat::kCsv},
    {"raw", OutputFormat::kRaw},
}};

// How kText looks where a person reads it.
struct TextStyle {
  bool colour = false;
  Expression highlight;  // with colour: what of a message stands out (query/highlight.h)
};

// Appends rows to a string.  Not for several threads.
class RowWriter {
 public:
  // `zone` is that of kText's times; the others are in UTC.
  RowWriter(OutputFormat format, formats::TimeZone zone, TextStyle style = {})
      : format_(format), zone_(std::move(zone)), style_(std::move(style)) {}

  // Rows are matches and what stands beside them: each is marked as the one or the other, and kText parts with "--"
  // what did not stand side by side.
  void MarkContext() { marks_context_ = true; }

  // What stands before the first row.
  void Begin(std::string& out) const;
  void Add(const Row& row, std::string& out);

 private:
  void AddText(const Row& row, std::string& out);
  void AddJson(const Row& row, std::string& out) const;
  void AppendMark(const Row& row, std::string& out);
  void AppendMessage(const Row& row, std::string& out) const;
  // "\x1b[...m", or nothing without colour.
  [[nodiscard]] std::string_view Paint(std::string_view sequence) const {
    return style_.colour ? sequence : std::string_view();
  }

  const OutputFormat format_;
  const formats::TimeZone zone_;
  const TextStyle style_;
  bool marks_context_ = false;
  // The row before, for what parts groups.
  std::string last_stream_;
  std::uint64_t last_seq_ = 0;
  // kText: columns are as wide as the widest value so far.
  std::size_t host_width_ = 0;
  std::size_t source_width_ = 0;
};

// `text` safe for a terminal and on one line: control bytes, bytes that are not UTF-8 and marks
// that turn the direction of writing become \n, \t, \r, \x1b or \u202e.
std::string EscapeForTerminal(std::string_view text);

// The same, but that the control characters in `keep` stay as they are.
std::string EscapeControls(std::string_view text, std::string_view keep);

// RFC 4180: quoted where it must be, quotation marks doubled; `end` behind it.
void AppendCsvValue(std::string_view value, char end, std::string& out);

// `text` as a JSON string, quotes included; invalid UTF-8 becomes U+FFFD.
void AppendJsonString(std::string_view text, std::string& out);

// "2024-07-11T08:13:55.123Z", or with the zone's offset.
std::string FormatInZone(UnixNanos instant, const formats::TimeZone& zone);

}  // namespace logvault::query
