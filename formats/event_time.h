// The time a record states of itself.  Each format's rule, and how a missing year or zone is filled in:
// docs/formats.md.
#pragma once

#include <optional>
#include <string_view>

#include "common/clock.h"
#include "formats/format.h"
#include "formats/time_zone.h"

namespace logvault::formats {

// The hour of the newest time without an offset: the next is nearly always of the same.
struct KnownHour {
  CivilTime civil;  // its beginning
  bool has_year = true;
  UnixNanos not_after = 0;  // 0 where has_year: it makes no difference then
  // Nothing before the hour was asked for twice; kNoTime where its times do not simply follow on its beginning.
  std::optional<UnixNanos> begin;
};

// What the text leaves unsaid.
struct TimeContext {
  TimeZone zone = TimeZone::Utc();  // the source's; not to be changed once EventTime was called
  UnixNanos not_after =
      0;  // min(read time, file's mtime): a missing year is the latest that puts the
          // time at most 24 h after this
  // ERRORLOG: seconds east of UTC, once its banner stated them.  Kept with the file's position.
  std::optional<int> banner_offset;
  KnownHour hour;  // EventTime's own
};

// kNoTime where the record states none.  `text` is the record as UTF-8 or bytes (see RecordText).  Updates
// `context.banner_offset` at an ERRORLOG banner.  Pure otherwise.
UnixNanos EventTime(Format format, std::string_view text, TimeContext& context);

}  // namespace logvault::formats
