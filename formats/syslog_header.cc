#include "formats/syslog_header.h"

namespace logvault::formats {
namespace {

constexpr int kPriorityMax = 191;
constexpr std::size_t kPriorityDigitsMax = 40;  // real daemons were seen to send 31

void TakePriority(Scanner& scanner, SyslogHeader& header) {
  Scanner ahead = scanner;
  if (!ahead.Char('<')) return;
  const std::size_t digits = ahead.rest().find_first_not_of("0123456789");
  if (digits == 0 || digits == std::string_view::npos || digits > kPriorityDigitsMax) return;
  Scanner number(ahead.Take(digits));
  if (!ahead.Char('>')) return;
  scanner = ahead;
  header.has_priority = true;
  int priority = 0;
  if (number.Number(1, 3, &priority) && number.AtEnd() && priority <= kPriorityMax) {
    header.priority = priority;
  }
}

// "1 2003-10-11T22:14:15.003Z" or "1 -".  Without one of these a number is text, not a version.
bool TakeVersionAndTime(Scanner& scanner, SyslogHeader& header) {
  Scanner ahead = scanner;
  int version = 0;
  if (!header.has_priority || !ahead.Number(1, 3, &version) || version == 0 || !ahead.Char(' ')) {
    return false;
  }
  header.time = TakeIsoTime(ahead);
  if (!header.time && !ahead.Char('-')) return false;
  if (!ahead.AtEnd() && ahead.Peek() != ' ') {
    header.time.reset();
    return false;
  }
  header.rfc5424 = true;
  scanner = ahead;
  return true;
}

}  // namespace

SyslogHeader ParseSyslogHeader(std::string_view text) {
  SyslogHeader header;
  Scanner scanner(text);
  TakePriority(scanner, header);
  if (!TakeVersionAndTime(scanner, header)) {
    header.time = IsDigit(scanner.Peek()) ? TakeIsoTime(scanner) : TakeSyslogTime(scanner);
  }
  header.rest = scanner.rest();
  return header;
}

}  // namespace logvault::formats
