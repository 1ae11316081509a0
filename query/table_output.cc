#include "query/table_output.h"

#include <algorithm>

#include "formats/fields.h"

namespace logvault::query {
namespace {

// So many rows decide how wide the columns are.
constexpr std::size_t kWaitingRowsMax = 1000;
constexpr std::size_t kWaitingBytesMax = 1 << 20;
constexpr std::size_t kWidthMax = 60;  // characters: a longer value moves what is behind it

// Characters of UTF-8.
std::size_t WidthOf(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

void AppendJsonValue(const Value& value, std::string& out) {
  switch (value.kind) {
    case Value::Kind::kNone:
      out += "null";
      return;
    case Value::Kind::kNumber:
      out += value.text;
      return;
    case Value::Kind::kText:
      return AppendJsonString(value.text, out);
    case Value::Kind::kList:
      break;
  }
  out += '[';
  for (const std::string& text : value.list) {
    if (out.back() != '[') out += ',';
    AppendJsonString(text, out);
  }
  out += ']';
}

// "a, b" of a list.
std::string Joined(const Value& value) {
  std::string joined;
  bool first = true;
  ForEachText(value, [&](std::string_view text) {
    if (!first) joined += ", ";
    first = false;
    joined += text;
  });
  return joined;
}

}  // namespace

void TableWriter::Begin(std::string& out) const {
  if (format_ != OutputFormat::kCsv) return;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    AppendCsvValue(columns_[i], i + 1 == columns_.size() ? '\n' : ',', out);
  }
}

void TableWriter::Add(const TableRow& row, std::string& out) {
  switch (format_) {
    case OutputFormat::kJson:
      return AddJson(row, out);
    case OutputFormat::kCsv:
      return AddCsv(row, out);
    case OutputFormat::kText:
    case OutputFormat::kRaw:
      return AddText(row, out);
  }
}

void TableWriter::End(std::string& out) {
  if (format_ == OutputFormat::kText) WriteWaiting(out);
}

void TableWriter::AddJson(const TableRow& row, std::string& out) const {
  out += '{';
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (i > 0) out += ',';
    AppendJsonString(columns_[i], out);
    out += ':';
    AppendJsonValue(row.at(i), out);
  }
  out += "}\n";
}

void TableWriter::AddCsv(const TableRow& row, std::string& out) const {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    bool changed = false;
    AppendCsvValue(EscapeControls(formats::ToValidUtf8(Joined(row.at(i)), &changed), "\r\n\t"),
                   i + 1 == columns_.size() ? '\n' : ',', out);
  }
}

void TableWriter::AddText(const TableRow& row, std::string& out) {
  Line line;
  for (const Value& value : row) {
    line.cells.push_back(value.kind == Value::Kind::kNone ? "-" : EscapeForTerminal(Joined(value)));
    line.numbers.push_back(value.kind == Value::Kind::kNumber);
    waiting_bytes_ += line.cells.back().size();
  }
  if (began_) return WriteText(line.cells, line.numbers, out);
  waiting_.push_back(std::move(line));
  if (waiting_.size() >= kWaitingRowsMax || waiting_bytes_ >= kWaitingBytesMax) WriteWaiting(out);
}

void TableWriter::WriteWaiting(std::string& out) {
  if (began_ || waiting_.empty()) return;
  began_ = true;
  for (const std::string& column : columns_) widths_.push_back(WidthOf(column));
  for (const Line& line : waiting_) {
    for (std::size_t i = 0; i < line.cells.size(); ++i)
      widths_[i] = std::max(widths_[i], std::min(WidthOf(line.cells[i]), kWidthMax));
  }
  // A head stands where its values stand.
  WriteText(columns_, waiting_.front().numbers, out);
  for (const Line& line : waiting_) WriteText(line.cells, line.numbers, out);
  waiting_.clear();
}

void TableWriter::WriteText(const std::vector<std::string>& cells, const std::vector<bool>& numbers,
                            std::string& out) const {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::size_t width = WidthOf(cells[i]);
    const std::string blanks(widths_[i] > width ? widths_[i] - width : 0, ' ');
    const bool last = i + 1 == cells.size();
    if (numbers[i]) out += blanks;
    out += cells[i];
    if (!numbers[i] && !last) out += blanks;
    out += last ? "\n" : "  ";
  }
}

}  // namespace logvault::query
