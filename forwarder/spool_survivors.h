// What a damaged spool still holds, row by row: each row stands for itself, and none is believed before it verifies.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/status.h"
#include "evidence/payload.h"
#include "forwarder/spool_tables.h"

namespace logvault::forwarder {

// Numbers of one stream, both inclusive.
using SeqRange = std::pair<std::uint64_t, std::uint64_t>;

struct SurvivingStream {
  bool known = false;        // the stream's own row is there
  bool has_batches = false;  // of any state
  StreamHead head;           // by that row, or else by its newest batch
  std::map<std::string, std::string> position;
  std::vector<SeqRange> waiting;    // sound batches in the queue, oldest first
  std::vector<SeqRange> set_aside;  // told already
};

struct Survivors {
  std::map<std::string, std::string> meta;
  std::vector<std::string> owed;
  std::vector<std::string> older_notes;
  std::map<std::string, SurvivingStream> streams;
};

// Reads the flat file `db` of `host`; gives each sound item to `take`, in the order of the queue.  A table that cannot be
// read has no rows.  Not OK only where `take` is not.
using TakeItem = std::function<Status(const SpooledItem& item, ItemState state)>;
Result<Survivors> ReadSurvivors(Database& db, const std::string& host, const TakeItem& take);

// What is missing in a stream's queue: numbers behind the last acknowledged one that no sound batch holds.
std::vector<SeqRange> MissingIn(const SurvivingStream& stream);

}  // namespace logvault::forwarder
