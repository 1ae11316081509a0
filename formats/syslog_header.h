// The front of a syslog record, in a file or as sent: priority, version and time.  Event time and
// fields both read it here.
#pragma once

#include <optional>
#include <string_view>

#include "formats/time_text.h"

namespace logvault::formats {

struct SyslogHeader {
  std::optional<int> priority;  // 0..191; a number above has no meaning and is skipped
  bool has_priority = false;    // "<...>" stood there, with whatever number
  bool rfc5424 = false;         // a version stood behind the priority
  std::optional<WrittenTime> time;
  std::string_view rest;  // behind the time
};
SyslogHeader ParseSyslogHeader(std::string_view text);

}  // namespace logvault::formats
