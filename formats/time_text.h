// The spellings of a time that logs use, read from the front of a text.
#pragma once

#include <optional>
#include <string_view>

#include "formats/scanner.h"
#include "formats/time_zone.h"

namespace logvault::formats {

// A time as written: what is missing stays unset.
struct WrittenTime {
  CivilTime civil;  // with `has_year` false, its year means nothing
  bool has_year = true;
  std::optional<int> offset;  // seconds east of UTC
};

// Each takes the spelling from the front of `scanner`, or takes nothing and answers nullopt.
// Whether such a date exists is not checked here.

// RFC 3339 and its looser relatives: "2024-06-19T00:11:06.123456+02:00", a blank for the T, a comma
// before the fraction, an offset without colon, or none.
std::optional<WrittenTime> TakeIsoTime(Scanner& scanner);
// RFC 3164 as rsyslog reads it: "Mar  6 01:02:03", "Oct 02 01:02:03", "Mar 7 2008 19:06:53:", "août
// 19 11:08:37".
std::optional<WrittenTime> TakeSyslogTime(Scanner& scanner);
// "16 Sep 15:44:36".
std::optional<WrittenTime> TakeLog4j2Time(Scanner& scanner);
// "29/Jul/2024:22:59:26 +0900"; a blank for the first colon; no offset.
std::optional<WrittenTime> TakeAccessTime(Scanner& scanner);
// The first "[29/Jul/2024:22:59:26 +0900]" of an access log's line.  A user's name before it may
// hold brackets too.
struct BracketedTime {
  std::size_t begin = 0;  // of the bracket
  std::size_t end = 0;    // past its fellow
  WrittenTime time;
};
std::optional<BracketedTime> FindBracketedTime(std::string_view line);
// "+09:00", "-0500", "9:00", "-5:30": seconds east of UTC.
std::optional<int> TakeOffset(Scanner& scanner);
// ".25" or ",25" as billionths, 250,000,000; further digits are dropped; 0 and nothing taken where
// there is none.
std::int32_t TakeBillionths(Scanner& scanner);

}  // namespace logvault::formats
