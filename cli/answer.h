// Answer: how a search ended, its completeness line and its exit code.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/status.h"
#include "config/exit_code.h"
#include "query/search.h"

namespace logvault::cli {

struct Answer {
  query::Completeness completeness;
  std::uint64_t tree_size = 0;
  bool interrupted = false;  // by the user
  bool reader_left = false;  // nobody reads the output any more
  // It did not come to its end: the completeness has what had arrived, and of the blocks what the vault last told.
  bool cut_short = false;
  std::vector<std::string> problems;  // proof that the vault itself is not what it should be
  evidence::Hash result;  // over the rows that arrived, of a remote search that came to its end
  std::string receipt;    // signed; empty where none was asked for
  Status lost;            // what ended the search before its end, other than the user
};

// "complete: 3 records match; blocks: 12 in scope, 4 pruned, 8 scanned, 0 unreadable; tree size 31".
std::string CompletenessLine(const Answer& answer);
// The notes, each unreadable block, and the line, to standard error.
void TellCompleteness(const Answer& answer);
config::ExitCode ExitCodeOf(const Answer& answer);

}  // namespace logvault::cli
