// Stage: one pipe at work.  Records, events or rows come in one by one; what it makes of them goes to the stage behind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"
#include "query/evaluate.h"
#include "query/pipeline.h"
#include "query/table.h"

namespace logvault::query {

class Coverage;
struct Request;

// What the pipes of one query may hold together, in bytes, about.
inline constexpr std::size_t kPipeMemoryMax = 64u << 20;
// Combinations of values that one record may have under a pipe's names.
inline constexpr std::size_t kCombinationsMax = 4096;

// What flows: a record or an event as `subject`, else a row of a table.
struct Tuple {
  Subject* subject = nullptr;
  const TableRow* row = nullptr;
  // How many records it stands for: of more than one only host and source are known, and they are only counted.
  std::uint64_t weight = 1;
};

// Counts what the stages of one query hold.
class PipeMemory {
 public:
  // kInvalidArgument, naming the bound, where it is passed.
  Status Take(std::size_t bytes, std::string_view pipe);
  void Return(std::size_t bytes) { used_ -= bytes; }

 private:
  std::size_t used_ = 0;
};

// One name of a pipe, to be read from what flows.
class FieldReader {
 public:
  FieldReader(const Pipe& pipe, std::string name);
  void ForEach(const Tuple& tuple, const std::function<void(std::string_view)>& visit) const;
  [[nodiscard]] Value Read(const Tuple& tuple) const;
  // The first `max` distinct values, in the order found.
  [[nodiscard]] std::vector<std::string> Distinct(const Tuple& tuple, std::size_t max) const;

 private:
  std::string name_;
  std::size_t column_ = 0;  // of a table
};

// Not for several threads.
class Stage {
 public:
  virtual ~Stage() = default;
  // One more.
  virtual Status Take(const Tuple& tuple) = 0;
  // No more come.
  virtual Status Finish() = 0;
  // Whatever else came would change nothing.
  [[nodiscard]] virtual bool Full() const = 0;
};

// The values of `fields` of one tuple, each combination of the distinct values once: a record with two values under a name
// counts under both.  A name without a value has kNone.
Status ForEachCombination(const std::vector<FieldReader>& fields, const Tuple& tuple,
                          const std::function<Status(TableRow)>& visit);

// "2024-07-11T08:00:00Z" where no fraction is needed.
std::string ShortUtc(UnixNanos time);
// The beginning of the length of time that `time` lies in, counted from 1970 in UTC.
UnixNanos BucketOf(UnixNanos time, UnixNanos length);

// A text that equal rows share and others do not.
std::string KeyOf(const TableRow& row);
// About what a row takes in memory.
std::size_t SizeOf(const TableRow& row);

// Each stage is given the one behind it, which outlives it.
std::unique_ptr<Stage> MakeFields(const Pipe& pipe, Stage& next);
std::unique_ptr<Stage> MakeWhere(const Pipe& pipe, Stage& next);
std::unique_ptr<Stage> MakeUniq(const Pipe& pipe, Stage& next, PipeMemory& memory);
// Passes on so many; `*cut` is set where more came.
std::unique_ptr<Stage> MakeLimit(std::uint64_t count, Stage& next, bool* cut);
std::unique_ptr<Stage> MakeStats(const Pipe& pipe, Stage& next, PipeMemory& memory);
// top, rare and first-seen.
std::unique_ptr<Stage> MakeRanking(const Pipe& pipe, Stage& next, PipeMemory& memory);
// `keep`: only the first so many are needed behind it; 0: all.
std::unique_ptr<Stage> MakeSort(const Pipe& pipe, std::uint64_t keep, Stage& next,
                                PipeMemory& memory);

// All outlive it.
std::unique_ptr<Stage> MakeTimeline(const Pipe& pipe, const Request& request,
                                    const Coverage& coverage, Stage& next, PipeMemory& memory);
std::unique_ptr<Stage> MakeEvents(Stage& next, PipeMemory& memory);

}  // namespace logvault::query
