// Plan: which blocks a request has to read, found from block headers alone.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "evidence/batch.h"
#include "evidence/hash.h"
#include "formats/format.h"
#include "query/evaluate.h"
#include "query/search.h"
#include "storage/reader.h"

namespace logvault::query {

// A stream as one of its STREAM blocks describes it.
struct PlannedStream {
  std::string host;
  std::string source;
  formats::Format format = formats::Format::kPlain;
  Verdict verdict = Verdict::kPerhaps;  // what the expression says of every record of it
  bool in_scope = false;
};

// A RECORDS block that has to be read.
struct PlannedBlock {
  std::uint64_t index = 0;
  std::uint32_t stream = 0;  // of Plan::streams
  std::uint32_t record_count = 0;
  std::uint64_t first_seq = 0;
  UnixNanos commit_time = 0;
  UnixNanos earliest = 0;  // no record of it is ordered before this, by the request's time field
  UnixNanos latest = 0;
  evidence::Hash payload_hash;
  bool whole = false;  // every record of it matches, if its payload is there
};

struct Plan {
  std::vector<PlannedStream> streams;
  std::vector<PlannedBlock> blocks;   // in the request's order
  std::vector<PlannedBlock> whole;    // every record of them matches: not to be read
  std::uint64_t first_unindexed = 0;  // from here on no segment of the index holds blocks
  Completeness completeness;  // blocks in scope and pruned, headers that cannot be read, notes
};

// The stream with what `request` says of it: its scope's globs, the own source's rule, and the expression.
PlannedStream PlanStream(const Request& request, std::string host, std::string source,
                         std::string_view format);

// kCancelled once `stop` is asked for; other failures only where nothing at all can be read.
Result<Plan> MakePlan(const storage::Reader& reader, const Request& request, std::stop_token stop,
                      IndexCache* cache);

// Whether `time` lies in the window of `scope`.
bool InWindow(const Scope& scope, UnixNanos time);

}  // namespace logvault::query
