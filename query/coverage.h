// Coverage: when it is known that records of the streams in scope are missing, so that an empty hour and an hour nobody could
// report look different.  What is known: batches that skip numbers (GAP), hosts recorded as silent (SILENCE), and what the
// forwarders themselves say was lost.  And for which times anything was committed at all: a stream covers the time from its
// first record to the last sign of life of its host, because its numbers go on without a gap.
#pragma once

#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "query/search.h"

namespace logvault::query {

class Coverage {
 public:
  // Goes once through the headers of the request's tree, and reads what the forwarders of its hosts said of gaps.
  static Result<Coverage> Of(const storage::Reader& reader, const Request& request,
                             std::stop_token stop, IndexCache* cache);

  // "ok"; "gap" where records of a stream are missing between `begin` (inclusive) and `end`; "silent" where a host was;
  // "none" where no stream covers any of it.
  [[nodiscard]] std::string_view Of(UnixNanos begin, UnixNanos end) const;

  // [first, last], both inclusive.
  void AddGap(UnixNanos first, UnixNanos last) { gaps_.push_back({first, last}); }
  void AddSilence(UnixNanos first, UnixNanos last) { silences_.push_back({first, last}); }
  void AddCovered(UnixNanos first, UnixNanos last) { covered_.push_back({first, last}); }

 private:
  struct Interval {
    UnixNanos first = 0, last = 0;
  };
  static bool Touches(const std::vector<Interval>& intervals, UnixNanos begin, UnixNanos end);

  std::vector<Interval> gaps_;
  std::vector<Interval> silences_;
  std::vector<Interval> covered_;
};

}  // namespace logvault::query
