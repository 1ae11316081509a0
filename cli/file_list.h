// Lists of indicators that stand in files of the investigator's machine: `src.ip in @FILE`.
#pragma once

#include <string>
#include <string_view>

#include "common/status.h"
#include "query/pipeline.h"

namespace logvault::cli {

inline constexpr std::size_t kFileListBytesMax = 1 << 20;

// The query that `text` is, the lists that it names read and put in: what is sent, and what the vault records as asked.
// kInvalidArgument; kNotFound, naming the file, where one cannot be read.
Result<query::Query> QueryWithFileLists(const std::string& text);

// "(a, "b c")" of one value a line.  Blank lines and lines that begin with # are left out, blanks around a value too.  What
// would not be one word is quoted.  kInvalidArgument where nothing is left.  Pure.
Result<std::string> ListOf(std::string_view file);

}  // namespace logvault::cli
