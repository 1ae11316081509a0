#include "query/output.h"

#include <algorithm>
#include <cstdio>
#include <unordered_map>
#include <utility>
#include <vector>

#include "evidence/hash.h"
#include "evidence/payload.h"
#include "formats/fields.h"
#include "formats/journal_entry.h"
#include "query/highlight.h"

namespace logvault::query {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";
constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD
constexpr std::size_t kColumnWidthMax = 24;                // a longer name does not push the others

// SGR sequences, for a terminal.
constexpr std::string_view kPlain = "\x1b[0m";
constexpr std::string_view kFaint = "\x1b[2m";
constexpr std::string_view kHostColour = "\x1b[36m";
constexpr std::string_view kSourceColour = "\x1b[32m";
constexpr std::string_view kWarningColour = "\x1b[33m";
constexpr std::string_view kHitColour = "\x1b[1;31m";

struct Character {
  char32_t code = 0;
  std::size_t size = 0;  // bytes; 0: not UTF-8
};

// The first character of `text`, as RFC 3629 defines UTF-8.  REQUIRES: text is not empty.
Character FirstCharacter(std::string_view text) {
  auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < size) return {};
  char32_t code = lead & (0x7f >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3f);
  }
  static constexpr std::array<char32_t, 5> kLeast = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  if (code < kLeast[size] || code > 0x10ffff || surrogate) return {};
  return {code, size};
}

// Terminals act on these, show them as something else than they are, or do not show them at all.  The joiners U+200C and
// U+200D are letters' own business.
bool IsUnsafe(char32_t code) {
  if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) return true;
  return code == 0x61c || code == 0x200b || code == 0x200e || code == 0x200f ||
         (code >= 0x2028 && code <= 0x202e) || (code >= 0x2060 && code <= 0x2069) || code == 0xfeff;
}

void AppendHexByte(unsigned char byte, std::string& out) {
  out += "\\x";
  out += kHexDigits[byte >> 4];
  out += kHexDigits[byte & 15];
}

void AppendCodePoint(char32_t code, std::string& out) {
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += kHexDigits[code >> shift & 15];
}

bool IsUtf16(const Row& row) { return (row.flags & evidence::kRecordUtf16Le) != 0; }

// `keep` names the control characters that stay.
void AppendEscaped(std::string_view text, std::string_view keep, std::string& out) {
  while (!text.empty()) {
    const Character c = FirstCharacter(text);
    const std::string_view bytes = text.substr(0, std::max<std::size_t>(c.size, 1));
    text.remove_prefix(bytes.size());
    if (c.size == 0) {
      AppendHexByte(static_cast<unsigned char>(bytes[0]), out);
    } else if (!IsUnsafe(c.code) ||
               (c.size == 1 && keep.find(bytes[0]) != std::string_view::npos)) {
      out += bytes;
    } else if (c.code == '\n' || c.code == '\t' || c.code == '\r') {
      out += c.code == '\n' ? "\\n" : c.code == '\t' ? "\\t" : "\\r";
    } else if (c.code < 0x80) {
      AppendHexByte(static_cast<unsigned char>(c.code), out);
    } else {
      AppendCodePoint(c.code, out);
    }
  }
}

void AppendKey(std::string_view key, std::string& out) {
  if (out.back() != '{') out += ',';
  AppendJsonString(key, out);
  out += ':';
}

void AppendMember(std::string_view key, std::string_view value, std::string& out) {
  AppendKey(key, out);
  AppendJsonString(value, out);
}

// Where a record's fields have the same name; a record may have thousands, so they are not compared each with each.
class SameNames {
 public:
  explicit SameNames(const formats::Fields& fields)
      : next_(fields.size(), fields.size()), is_first_(fields.size(), false) {
    std::unordered_map<std::string_view, std::size_t> last;
    for (std::size_t i = 0; i < fields.size(); ++i) {
      const auto [known, is_new] = last.try_emplace(fields[i].name, i);
      is_first_[i] = is_new;
      if (!is_new) next_[std::exchange(known->second, i)] = i;
    }
  }
  [[nodiscard]] bool IsFirst(std::size_t i) const { return is_first_[i]; }
  // The next field of that name; the number of fields where there is none.
  [[nodiscard]] std::size_t NextOf(std::size_t i) const { return next_[i]; }

 private:
  std::vector<std::size_t> next_;
  std::vector<bool> is_first_;
};

void AppendFields(const Row& row, std::string_view text, std::string& out) {
  const formats::Fields fields = formats::ParseFields(row.format, text);
  const SameNames same(fields);
  AppendKey("fields", out);
  out += '{';
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (!same.IsFirst(i)) continue;
    AppendKey(fields[i].name, out);
    std::string values;
    std::size_t count = 0;
    for (std::size_t j = i; j < fields.size(); j = same.NextOf(j)) {
      if (count++ > 0) values += ',';
      AppendJsonString(fields[j].value, values);
    }
    out += count == 1 ? values : "[" + values + "]";
  }
  out += '}';
}

void AppendFlags(const Row& row, std::string& out) {
  static constexpr std::array<std::pair<std::uint32_t, std::string_view>, 4> kNames = {{
      {evidence::kRecordContinues, "continues"},
      {evidence::kRecordPartial, "partial"},
      {evidence::kRecordReread, "reread"},
      {evidence::kRecordUtf16Le, "utf16le"},
  }};
  if (row.flags == 0) return;
  AppendKey("flags", out);
  std::string names;
  for (const auto& [bit, name] : kNames) {
    if ((row.flags & bit) == 0) continue;
    if (!names.empty()) names += ',';
    AppendJsonString(name, names);
  }
  out += "[" + names + "]";
}

void AddCsv(const Row& row, std::string& out) {
  bool changed = false;
  std::string message;
  // Line ends and tabs are CSV's own business; every other control byte is escaped.
  AppendEscaped(formats::ToValidUtf8(formats::RecordText(row.bytes, IsUtf16(row)), &changed),
                "\r\n\t", message);
  AppendCsvValue(row.host, ',', out);
  AppendCsvValue(row.source, ',', out);
  out += std::to_string(row.seq) + ',';
  out += formats::FormatUtc(row.time()) + ',';
  out += formats::FormatUtc(row.read_time) + ',';
  out += formats::FormatUtc(row.commit_time) + ',';
  out += std::to_string(row.block) + ',';
  AppendCsvValue(message, '\n', out);
}

// The blanks that make `text` as wide as the widest before it.
std::string Padding(std::string_view text, std::size_t& width) {
  width = std::max(width, std::min(text.size(), kColumnWidthMax));
  return std::string(width > text.size() ? width - text.size() : 0, ' ');
}

// To whole characters: a hit may begin or end inside one.
Span Widened(Span span, std::string_view text) {
  auto continues = [text](std::size_t i) {
    return i < text.size() && (static_cast<unsigned char>(text[i]) & 0xc0) == 0x80;
  };
  while (span.begin > 0 && continues(span.begin)) --span.begin;
  while (continues(span.end)) ++span.end;
  return span;
}

}  // namespace

void RowWriter::Begin(std::string& out) const {
  if (format_ == OutputFormat::kCsv)
    out += "host,source,seq,time,read_time,commit_time,block,message\n";
}

void RowWriter::Add(const Row& row, std::string& out) {
  switch (format_) {
    case OutputFormat::kText:
      return AddText(row, out);
    case OutputFormat::kJson:
      return AddJson(row, out);
    case OutputFormat::kCsv:
      return AddCsv(row, out);
    case OutputFormat::kRaw:
      out += row.bytes;
      return;
  }
}

void RowWriter::AddJson(const Row& row, std::string& out) const {
  const std::string text = formats::RecordText(row.bytes, IsUtf16(row));
  bool changed = false;
  const std::string message = formats::ToValidUtf8(text, &changed);
  // An unpaired surrogate was replaced when the text was made.
  if (IsUtf16(row) && text.find(kReplacement) != std::string::npos) changed = true;

  out += '{';
  AppendMember("host", row.host, out);
  AppendMember("source", row.source, out);
  AppendKey("seq", out);
  out += std::to_string(row.seq);
  AppendMember("time", formats::FormatUtc(row.time()), out);
  if (row.event_time == kNoTime) AppendMember("time_from", "read", out);
  AppendMember("read_time", formats::FormatUtc(row.read_time), out);
  AppendMember("commit_time", formats::FormatUtc(row.commit_time), out);
  AppendKey("block", out);
  out += std::to_string(row.block);
  AppendMember("message", message, out);
  if (changed) AppendMember("message_base64", evidence::ToBase64(row.bytes), out);
  AppendMember("origin", row.origin, out);
  AppendFlags(row, out);
  if (row.outside_window) {
    AppendKey("outside_window", out);
    out += "true";
  }
  if (marks_context_) {
    AppendKey("context", out);
    out += row.context ? "true" : "false";
  }
  AppendFields(row, text, out);
  out += "}\n";
}

void RowWriter::AddText(const Row& row, std::string& out) {
  if (marks_context_) AppendMark(row, out);
  auto column = [&](std::string_view colour, std::string_view text, const std::string& padding) {
    out += Paint(colour);
    AppendEscaped(text, "", out);
    out += Paint(kPlain);
    out += padding + "  ";
  };
  column(kFaint, FormatInZone(row.time(), zone_), "");
  column(kHostColour, row.host, Padding(row.host, host_width_));
  column(kSourceColour, row.source, Padding(row.source, source_width_));
  if (row.outside_window) {
    out += Paint(kWarningColour);
    out += "[outside the window] ";
    out += Paint(kPlain);
  }
  AppendMessage(row, out);
  out += '\n';
}

// "> " is a match and "- " is beside one; "--" parts what is not adjacent, as with grep.
void RowWriter::AppendMark(const Row& row, std::string& out) {
  std::string stream = std::string(row.host) + "/" + std::string(row.source);
  const bool adjacent =
      stream == last_stream_ && (row.seq == last_seq_ + 1 || row.seq + 1 == last_seq_);
  if (!last_stream_.empty() && !adjacent) out += "--\n";
  last_stream_ = std::move(stream);
  last_seq_ = row.seq;
  out += row.context ? "- " : "> ";
}

void RowWriter::AppendMessage(const Row& row, std::string& out) const {
  std::string text = formats::RecordText(row.bytes, IsUtf16(row));
  formats::Format format = row.format;
  if (format == formats::Format::kJournal) {
    if (std::optional<std::string> line = formats::JournalLine(text)) {
      text = *std::move(line);
      format = formats::Format::kPlain;
    }
  }
  std::string_view rest = text;
  if (style_.colour && !row.context) {
    std::size_t at = 0;
    for (Span span : FindSpans(style_.highlight, format, text)) {
      span = Widened(span, text);
      if (span.begin < at) continue;
      AppendEscaped(rest.substr(at, span.begin - at), "", out);
      out += kHitColour;
      AppendEscaped(rest.substr(span.begin, span.end - span.begin), "", out);
      out += kPlain;
      at = span.end;
    }
    rest.remove_prefix(at);
  }
  AppendEscaped(rest, "", out);
}

std::string EscapeForTerminal(std::string_view text) {
  std::string escaped;
  AppendEscaped(text, "", escaped);
  return escaped;
}

void AppendCsvValue(std::string_view value, char end, std::string& out) {
  const bool quote = value.find_first_of(",\"\r\n") != std::string_view::npos;
  if (quote) out += '"';
  for (char c : value) {
    if (c == '"') out += '"';
    out += c;
  }
  if (quote) out += '"';
  out += end;
}

std::string EscapeControls(std::string_view text, std::string_view keep) {
  std::string escaped;
  AppendEscaped(text, keep, escaped);
  return escaped;
}

void AppendJsonString(std::string_view text, std::string& out) {
  out += '"';
  while (!text.empty()) {
    const Character c = FirstCharacter(text);
    if (c.size == 0) {
      out += kReplacement;
    } else if (c.code == '"' || c.code == '\\') {
      out += '\\';
      out += static_cast<char>(c.code);
    } else if (c.code == '\n' || c.code == '\t' || c.code == '\r') {
      out += c.code == '\n' ? "\\n" : c.code == '\t' ? "\\t" : "\\r";
    } else if (IsUnsafe(c.code)) {
      AppendCodePoint(c.code, out);
    } else {
      out += text.substr(0, c.size);
    }
    text.remove_prefix(std::max<std::size_t>(c.size, 1));
  }
  out += '"';
}

std::string FormatInZone(UnixNanos instant, const formats::TimeZone& zone) {
  const formats::CivilTime local = zone.ToCivil(instant);
  formats::CivilTime whole = local;
  whole.nanos = 0;
  const UnixNanos whole_second = instant - local.nanos;
  const auto offset = (formats::AsUtc(whole) - whole_second) / kNanosPerSecond;
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%04d-%02d-%02dT%02d:%02d:%02d.%03d", local.year,
                local.month, local.day, local.hour, local.minute, local.second,
                local.nanos / 1'000'000);
  std::string text = buffer;
  if (zone.name() == formats::TimeZone::Utc().name()) return text + "Z";
  const long long minutes = (offset < 0 ? -offset : offset) / 60;
  std::snprintf(buffer, sizeof buffer, "%c%02lld:%02lld", offset < 0 ? '-' : '+', minutes / 60,
                minutes % 60);
  return text + buffer;
}

}  // namespace logvault::query
