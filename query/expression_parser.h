// How expressions are parsed where they are part of a larger text: a query with pipes, a pipe's `where`, a subquery.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"
#include "query/expression.h"
#include "query/text_reader.h"

namespace logvault::query {

// A list that stands in a file: `in @PATH`.
struct FileList {
  std::string path;
  std::size_t begin = 0;  // of `@PATH` in the query's text
  std::size_t end = 0;
};

struct ParseRules {
  // The names that may stand before an operator; null: the fields of records.
  const std::vector<std::string>* columns = nullptr;
  // Where lists from files are noted, to be read and put in; null: they are refused.
  std::vector<FileList>* file_lists = nullptr;
  bool behind_pipe = false;
  int subquery_depth = 0;
};

inline constexpr int kMaxSubqueryDepth = 4;

// The expression at the reader, up to a `|` or the end; none: every record.  kInvalidArgument naming the column.
Result<Expression> ParseExpression(TextReader& in, const ParseRules& rules);

// Checks a name that stands at `where` and suggests another one.
Status CheckName(const TextReader& in, const ParseRules& rules, std::string_view name,
                 std::size_t where);

}  // namespace logvault::query
