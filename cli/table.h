// Table: aligned columns.  In a pipe all of them, as wide as they must be; on a terminal those that fit, the least important
// left out first.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace logvault::cli {

struct Column {
  std::string title;
  int importance = 0;    // the least goes first where a terminal is too narrow; at kAlways never
  bool numbers = false;  // stand at the right
};
inline constexpr int kAlways = 100;

enum class Tone { kPlain, kFaint, kGood, kWarning, kAlarm };

struct Cell {
  std::string text;  // safe for a terminal
  Tone tone = Tone::kPlain;
};

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // REQUIRES: a cell for each column.
  void Add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }

  // `width`: of the terminal in characters; 0: no bound.  The last column is cut where it alone does not fit.
  [[nodiscard]] std::string Text(std::size_t width, bool colour) const;

 private:
  [[nodiscard]] std::vector<std::size_t> Widths() const;
  void AppendLine(const std::vector<Cell>& row, const std::vector<std::size_t>& shown,
                  const std::vector<std::size_t>& widths, std::size_t width, bool colour,
                  std::string& out) const;

  const std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

// "3 s", "12 min", "5 h", "8 d": how long ago.
std::string AgeText(long long seconds);

}  // namespace logvault::cli
