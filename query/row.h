// Row: a record as a search hands it over, with everything the vault knows of it.
#pragma once

#include <cstdint>
#include <string_view>

#include "common/clock.h"
#include "formats/format.h"

namespace logvault::query {

// A record that matched.  Views are valid during the call that hands it over.
struct Row {
  std::string_view host;
  std::string_view source;
  formats::Format format = formats::Format::kPlain;
  std::uint64_t seq = 0;
  UnixNanos event_time = kNoTime;
  UnixNanos read_time = 0;
  UnixNanos commit_time = 0;
  std::uint64_t block = 0;
  std::uint32_t flags = 0;  // evidence::kRecord...
  std::string_view origin;
  std::string_view bytes;
  bool outside_window =
      false;  // committed inside a window by event time that its event time is outside of

  bool context = false;  // did not match: it stands beside a record that did (query/context.h)

  // The time a record is ordered and shown by: its own, or that of its reading where it states
  // none.
  [[nodiscard]] UnixNanos time() const { return event_time == kNoTime ? read_time : event_time; }
};

}  // namespace logvault::query
