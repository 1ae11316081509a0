// TableWriter: rows of a table as aligned text, JSON or CSV.
#pragma once

#include <string>
#include <vector>

#include "query/output.h"
#include "query/table.h"

namespace logvault::query {

// Appends rows to a string.  Not for several threads.  kText waits for the first rows, to know how wide columns are.
class TableWriter {
 public:
  // REQUIRES: `format` is not kRaw, which has no form of a table.
  TableWriter(OutputFormat format, std::vector<std::string> columns)
      : format_(format), columns_(std::move(columns)) {}

  // What stands before the first row.
  void Begin(std::string& out) const;
  void Add(const TableRow& row, std::string& out);
  // After the last row.
  void End(std::string& out);

 private:
  void AddJson(const TableRow& row, std::string& out) const;
  void AddCsv(const TableRow& row, std::string& out) const;
  void AddText(const TableRow& row, std::string& out);
  void WriteWaiting(std::string& out);
  void WriteText(const std::vector<std::string>& cells, const std::vector<bool>& numbers,
                 std::string& out) const;

  struct Line {
    std::vector<std::string> cells;
    std::vector<bool> numbers;  // stand at the right
  };

  const OutputFormat format_;
  const std::vector<std::string> columns_;
  std::vector<Line> waiting_;
  std::size_t waiting_bytes_ = 0;
  bool began_ = false;  // the head and the first rows are written, the widths fixed
  std::vector<std::size_t> widths_;
};

}  // namespace logvault::query
