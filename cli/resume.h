// How a search that was interrupted is gone on with: the command line that begins where it ended.
#pragma once

#include <string>
#include <vector>

#include "common/clock.h"
#include "query/search.h"

namespace logvault::cli {

// `words` (without the program's name) with its window narrowed to what was not shown yet; quoted for the shell.
// `last` is the time of the last row that was shown, by the request's time field; rows of that very time are shown again.
// Ages in `words` become the instants they meant.  Pure.
std::string ResumeCommand(const std::vector<std::string>& words, const query::Request& request,
                          UnixNanos last);

// As a POSIX shell takes it for one word.
std::string ShellQuoted(const std::string& word);

}  // namespace logvault::cli
