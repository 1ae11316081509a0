// Building: the segments of the index from the blocks of a vault, on the collector as blocks come, and anywhere to compare.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "common/status.h"
#include "query/index_builder.h"
#include "storage/reader.h"

namespace logvault::query {

// Goes through a vault's blocks in order and cuts them into segments.  Not for several threads.
class SegmentFeed {
 public:
  // `reader` must outlive it.  The first segment begins at block `first`.
  SegmentFeed(const storage::Reader& reader, std::uint64_t first);

  // The next whole segment below block `end`; nullopt where the blocks up to there make none yet: it goes on from there when
  // it is asked again.  kCancelled once `stop` is asked for.
  Result<std::optional<BuiltSegment>> Next(std::uint64_t end, const std::stop_token& stop);

  // Of the records taken since the last segment's end.
  [[nodiscard]] std::size_t pending_bytes() const { return builder_.raw_bytes(); }
  // A segment of what was taken, before it is whole.  REQUIRES: pending_bytes() > 0.
  BuiltSegment Close();

 private:
  Status Take(std::uint64_t index, std::string_view bytes);
  Status TakeRecords(const evidence::BlockHeader& block);

  const storage::Reader& reader_;
  std::uint64_t next_;  // the first block that was not taken
  bool knows_formats_ = false;
  std::map<evidence::Hash, formats::Format> formats_;  // by stream, as the newest block taken says
  SegmentBuilder builder_;
  std::optional<BuiltSegment> finished_;
};

// The segment of the blocks [first, end), whatever their size.
Result<BuiltSegment> BuildSegment(const storage::Reader& reader, std::uint64_t first,
                                  std::uint64_t end, const std::stop_token& stop);

}  // namespace logvault::query
