// Pipeline: the pipes behind an expression, parsed.  docs/query.md, "Pipes", has the grammar and what each does; running
// them is query/ask.h.
//
// What flows through is records first; `events` makes audit events of them, and most pipes a table, whose columns are
// known from the text alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/time_zone.h"
#include "query/expression.h"
#include "query/expression_parser.h"

namespace logvault::query {

inline constexpr std::size_t kMaxPipes = 32;
inline constexpr std::size_t kMaxPipeNames = 64;  // fields, functions or keys of one pipe
inline constexpr std::uint64_t kMaxPipeLimit = 1'000'000'000;

enum class Shape { kRecords, kEvents, kTable };

struct Aggregate {
  enum class Function { kCount, kUniq, kMin, kMax, kSum, kAvg, kFirst, kLast, kValues };
  Function function = Function::kCount;
  std::string field;   // empty: count()
  std::string column;  // how the result is named
};

// By what rows are grouped.
struct GroupKey {
  std::string field;
  UnixNanos bucket = 0;  // of a time field: its length in ns; 0: the value itself
};

struct SortKey {
  std::string column;
  bool descending = false;
};

struct Pipe {
  enum class Kind {
    kFields,
    kStats,
    kTop,
    kRare,
    kFirstSeen,
    kSort,
    kLimit,
    kTimeline,
    kContext,
    kWhere,
    kUniq,
    kEvents,
  };
  Kind kind = Kind::kLimit;
  Shape input = Shape::kRecords;
  Shape output = Shape::kRecords;
  std::vector<std::string> input_columns;  // where the input is a table
  std::vector<std::string> columns;        // where the output is one
  std::vector<std::string> names;          // kFields kTop kRare kFirstSeen kUniq
  std::uint64_t count = 0;                 // kTop kRare kLimit kContext
  std::vector<Aggregate> aggregates;       // kStats
  std::vector<GroupKey> keys;      // kStats, kTimeline: the bucket, and the field it is split by
  std::vector<SortKey> sort_keys;  // kSort
  formats::TimeZone zone;          // kTimeline: in which days and hours begin
  Expression where;                // kWhere
};

// A value.
class Pipeline {
 public:
  [[nodiscard]] bool empty() const { return pipes_.empty(); }
  [[nodiscard]] const std::vector<Pipe>& pipes() const { return pipes_; }
  // "| stats count() by (host)", as written; empty without pipes.
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] Shape shape() const { return empty() ? Shape::kRecords : pipes_.back().output; }
  // The answer is rows of these columns, and not records.
  [[nodiscard]] bool yields_table() const { return shape() != Shape::kRecords; }
  [[nodiscard]] const std::vector<std::string>& columns() const;

 private:
  friend Result<Pipeline> ParsePipeline(TextReader& in, const ParseRules& rules);
  std::vector<Pipe> pipes_;
  std::string text_;
};

// An expression and its pipes.
struct Query {
  Expression expression;
  Pipeline pipeline;

  // kInvalidArgument with "column N: what is wrong; what to do".  Pure.  `file_lists`: as in ParseRules.
  static Result<Query> Parse(std::string_view text, std::vector<FileList>* file_lists = nullptr);
  [[nodiscard]] std::string text() const;
};

// The columns of events where no pipe chooses others.
const std::vector<std::string>& EventColumns();

Status CheckQueryBytes(const TextReader& in);
// The query at the reader, up to the end of its text.
Result<Query> ParseQuery(TextReader& in, const ParseRules& rules);
// The pipes at the reader, if any, up to the end of its text.
Result<Pipeline> ParsePipeline(TextReader& in, const ParseRules& rules);

}  // namespace logvault::query
