// QueryOptions: the flags of `logvault query`, and what they ask for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/status.h"
#include "formats/time_zone.h"
#include "query/output.h"
#include "query/search.h"

namespace CLI {
class App;
}

namespace logvault::cli {

// As typed; empty: not given.
struct QueryOptions {
  std::vector<std::string> expressions;
  std::string since, until;
  std::string by = "event";
  std::optional<std::string> host, source, origin;
  std::optional<std::int64_t> limit;  // 0: none
  std::string output = "text";
  std::string zone;
  std::int64_t context = 0;
  bool count = false;
  bool oldest_first = false;
  bool no_index = false;
  bool strict = false;
  bool explain = false;
  std::string receipt;  // a file
};

// What a terminal gets without --limit.
inline constexpr std::uint64_t kTerminalLimit = 500;

struct PreparedQuery {
  query::Request request;
  query::OutputFormat output = query::OutputFormat::kText;
  formats::TimeZone zone = formats::TimeZone::Utc();
  bool wants_receipt = false;
  bool limit_is_default = false;  // kTerminalLimit, which the user did not ask for
};

// kInvalidArgument naming the flag.  Reads the files of `in @FILE`.
Result<PreparedQuery> Prepare(const QueryOptions& options, UnixNanos now, bool to_terminal);

// The flags that say where is looked; `options` must outlive `command`.
void AddScopeOptions(CLI::App& command, QueryOptions& options);

}  // namespace logvault::cli
