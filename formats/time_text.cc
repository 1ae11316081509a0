#include "formats/time_text.h"

#include "formats/month_name.h"

namespace logvault::formats {
namespace {

constexpr std::size_t kMonthBytesMax = 24;

bool TakeClock(Scanner& scanner, CivilTime& time) {
  return scanner.Number(2, 2, &time.hour) && scanner.Char(':') &&
         scanner.Number(2, 2, &time.minute) && scanner.Char(':') &&
         scanner.Number(2, 2, &time.second);
}

// A month's name up to the next blank.
bool TakeMonth(Scanner& scanner, CivilTime& time) {
  const std::string_view name = scanner.rest().substr(0, kMonthBytesMax);
  const std::size_t end = name.find(' ');
  if (end == std::string_view::npos) return false;
  time.month = MonthByName(name.substr(0, end));
  scanner.Take(end);
  return time.month != 0;
}

bool EndsWord(const Scanner& scanner) { return !IsAlnum(scanner.Peek()); }

}  // namespace

std::int32_t TakeBillionths(Scanner& scanner) {
  Scanner ahead = scanner;
  if (!ahead.Char('.') && !ahead.Char(',')) return 0;
  if (!IsDigit(ahead.Peek())) return 0;
  std::int32_t unit = 1'000'000'000;
  std::int32_t value = 0;
  for (; IsDigit(ahead.Peek()); ahead.Take(1)) {
    unit /= 10;
    value += unit * (ahead.Peek() - '0');
  }
  scanner = ahead;
  return value;
}

std::optional<int> TakeOffset(Scanner& scanner) {
  Scanner ahead = scanner;
  const bool west = ahead.Char('-');
  if (!west) ahead.Char('+');
  int hours = 0;
  int minutes = 0;
  if (!ahead.Number(1, 2, &hours) || hours > 23) return std::nullopt;
  Scanner with_minutes = ahead;
  with_minutes.Char(':');
  if (with_minutes.Number(2, 2, &minutes)) {
    if (minutes > 59) return std::nullopt;
    ahead = with_minutes;
  }
  scanner = ahead;
  const int seconds = (hours * 60 + minutes) * 60;
  return west ? -seconds : seconds;
}

std::optional<WrittenTime> TakeIsoTime(Scanner& scanner) {
  Scanner ahead = scanner;
  WrittenTime written;
  CivilTime& time = written.civil;
  if (!ahead.Number(4, 4, &time.year) || !ahead.Char('-') || !ahead.Number(2, 2, &time.month) ||
      !ahead.Char('-') || !ahead.Number(2, 2, &time.day)) {
    return std::nullopt;
  }
  if (!ahead.Char('T') && !ahead.Char('t') && !ahead.Char(' ')) return std::nullopt;
  if (!TakeClock(ahead, time)) return std::nullopt;
  time.nanos = TakeBillionths(ahead);
  if (ahead.Char('Z') || ahead.Char('z')) {
    written.offset = 0;
  } else if (ahead.Peek() == '+' || ahead.Peek() == '-') {
    written.offset = TakeOffset(ahead);
    if (!written.offset) return std::nullopt;
  }
  if (!EndsWord(ahead)) return std::nullopt;
  scanner = ahead;
  return written;
}

std::optional<WrittenTime> TakeSyslogTime(Scanner& scanner) {
  Scanner ahead = scanner;
  WrittenTime written;
  CivilTime& time = written.civil;
  if (!TakeMonth(ahead, time) || !ahead.Blanks() || !ahead.Number(1, 2, &time.day) ||
      !ahead.Blanks()) {
    return std::nullopt;
  }
  Scanner with_year = ahead;
  written.has_year = with_year.Number(4, 4, &time.year) && with_year.Char(' ');
  if (written.has_year) ahead = with_year;
  if (!TakeClock(ahead, time)) return std::nullopt;
  time.nanos = TakeBillionths(ahead);
  ahead.Char(':');
  if (!ahead.AtEnd() && ahead.Peek() != ' ') return std::nullopt;
  scanner = ahead;
  return written;
}

std::optional<WrittenTime> TakeLog4j2Time(Scanner& scanner) {
  constexpr std::size_t kClockBytes = 8;
  Scanner ahead = scanner;
  WrittenTime written;
  written.has_year = false;
  if (!ahead.Number(2, 2, &written.civil.day) || !ahead.Char(' ')) return std::nullopt;
  // The month may have blanks of its own, so its end is the clock's start.
  const std::string_view rest = ahead.rest().substr(0, kMonthBytesMax + 1 + kClockBytes);
  const std::size_t colon = rest.find(':');
  if (colon == std::string_view::npos || colon < 4 || rest[colon - 3] != ' ') return std::nullopt;
  written.civil.month = MonthByName(ahead.Take(colon - 3));
  if (written.civil.month == 0 || !ahead.Char(' ') || !TakeClock(ahead, written.civil)) {
    return std::nullopt;
  }
  scanner = ahead;
  return written;
}

std::optional<WrittenTime> TakeAccessTime(Scanner& scanner) {
  Scanner ahead = scanner;
  WrittenTime written;
  CivilTime& time = written.civil;
  if (!ahead.Number(1, 2, &time.day) || !ahead.Char('/')) return std::nullopt;
  const std::string_view month = ahead.rest().substr(0, kMonthBytesMax);
  time.month = MonthByName(month.substr(0, month.find('/')));
  if (time.month == 0) return std::nullopt;
  ahead.Until('/');
  if (!ahead.Char('/') || !ahead.Number(4, 4, &time.year)) return std::nullopt;
  if (!ahead.Char(':') && !ahead.Char(' ')) return std::nullopt;
  if (!TakeClock(ahead, time)) return std::nullopt;
  time.nanos = TakeBillionths(ahead);
  if (ahead.Char(' ')) {
    if (ahead.Peek() != '+' && ahead.Peek() != '-') return std::nullopt;
    written.offset = TakeOffset(ahead);
    if (!written.offset) return std::nullopt;
  }
  scanner = ahead;
  return written;
}

std::optional<BracketedTime> FindBracketedTime(std::string_view line) {
  for (std::size_t at = line.find('['); at != std::string_view::npos; at = line.find('[', at + 1)) {
    Scanner scanner(line.substr(at + 1));
    const std::optional<WrittenTime> written = TakeAccessTime(scanner);
    if (written && scanner.Char(']')) {
      return BracketedTime{at, line.size() - scanner.rest().size(), *written};
    }
  }
  return std::nullopt;
}

}  // namespace logvault::formats
