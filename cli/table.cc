#include "cli/table.h"

#include <algorithm>
#include <numeric>
#include <string_view>

namespace logvault::cli {
namespace {

constexpr std::size_t kBetween = 2;

// Characters of UTF-8.
std::size_t WidthOf(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

// The first `width` characters.
std::string Cut(std::string_view text, std::size_t width) {
  std::size_t end = 0, characters = 0;
  for (; end < text.size(); ++end) {
    if ((static_cast<unsigned char>(text[end]) & 0xc0) != 0x80 && ++characters > width) break;
  }
  return std::string(text.substr(0, end));
}

std::string_view Sequence(Tone tone) {
  switch (tone) {
    case Tone::kPlain:
      return "";
    case Tone::kFaint:
      return "\x1b[2m";
    case Tone::kGood:
      return "\x1b[32m";
    case Tone::kWarning:
      return "\x1b[33m";
    case Tone::kAlarm:
      return "\x1b[1;31m";
  }
  return "";
}

std::size_t Total(const std::vector<std::size_t>& shown, const std::vector<std::size_t>& widths) {
  std::size_t total = 0;
  for (std::size_t i : shown) total += widths[i] + kBetween;
  return total == 0 ? 0 : total - kBetween;
}

}  // namespace

std::vector<std::size_t> Table::Widths() const {
  std::vector<std::size_t> widths;
  for (const Column& column : columns_) widths.push_back(WidthOf(column.title));
  for (const std::vector<Cell>& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], WidthOf(row[i].text));
  }
  return widths;
}

std::string Table::Text(std::size_t width, bool colour) const {
  const std::vector<std::size_t> widths = Widths();
  std::vector<std::size_t> shown(columns_.size());
  std::iota(shown.begin(), shown.end(), 0);
  while (width > 0 && Total(shown, widths) > width) {
    const auto least =
        std::min_element(shown.begin(), shown.end(), [&](std::size_t a, std::size_t b) {
          return columns_[a].importance < columns_[b].importance;
        });
    if (columns_[*least].importance >= kAlways) break;
    shown.erase(least);
  }
  std::vector<Cell> titles;
  for (const Column& column : columns_) titles.push_back({column.title, Tone::kFaint});
  std::string text;
  AppendLine(titles, shown, widths, width, colour, text);
  for (const std::vector<Cell>& row : rows_) AppendLine(row, shown, widths, width, colour, text);
  return text;
}

void Table::AppendLine(const std::vector<Cell>& row, const std::vector<std::size_t>& shown,
                       const std::vector<std::size_t>& widths, std::size_t width, bool colour,
                       std::string& out) const {
  std::size_t at = 0;
  for (std::size_t i : shown) {
    const bool last = i == shown.back();
    std::string text = row[i].text;
    if (last && width > at && WidthOf(text) > width - at) text = Cut(text, width - at);
    const std::string padding(widths[i] - std::min(widths[i], WidthOf(text)), ' ');
    const std::string_view sequence = colour ? Sequence(row[i].tone) : std::string_view();
    if (columns_[i].numbers) out += padding;
    out += sequence;
    out += text;
    if (!sequence.empty()) out += "\x1b[0m";
    if (!columns_[i].numbers && !last) out += padding;
    if (!last) out.append(kBetween, ' ');
    at += widths[i] + kBetween;
  }
  out.erase(out.find_last_not_of(' ') + 1);
  out += '\n';
}

std::string AgeText(long long seconds) {
  if (seconds < 0) return "ahead";
  if (seconds < 120) return std::to_string(seconds) + " s";
  if (seconds < 120 * 60) return std::to_string(seconds / 60) + " min";
  if (seconds < 48 * 3600) return std::to_string(seconds / 3600) + " h";
  return std::to_string(seconds / 86400) + " d";
}

}  // namespace logvault::cli
