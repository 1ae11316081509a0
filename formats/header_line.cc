#include "formats/header_line.h"

#include "formats/scanner.h"

namespace logvault::formats {
namespace {

constexpr std::size_t kMonthBytesMax = 24;
constexpr std::size_t kLevelCharsMax = 16;

// Checks `text` against `shape`, where 0 stands for any digit and every other character for itself.
bool StartsWithShape(std::string_view text, std::string_view shape) {
  if (text.size() < shape.size()) return false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == '0' ? !IsDigit(text[i]) : text[i] != shape[i]) return false;
  }
  return true;
}

// Length of log4j 2's "16 Sep 15:44:36", or 0.  The month may have several words ("thg 5").
std::size_t Log4j2TimeLength(std::string_view line) {
  constexpr std::string_view kDay = "00 ";
  constexpr std::string_view kClock = " 00:00:00";
  if (!StartsWithShape(line, kDay)) return 0;
  for (std::size_t month = 1; month <= kMonthBytesMax; ++month) {
    const std::size_t clock = kDay.size() + month;
    if (clock >= line.size()) return 0;
    if (StartsWithShape(line.substr(clock), kClock)) return clock + kClock.size();
  }
  return 0;
}

std::string_view TakeLevel(Scanner& scanner) {
  std::size_t length = 0;
  while (length < scanner.rest().size() && IsAlpha(scanner.rest()[length])) ++length;
  return length <= kLevelCharsMax ? scanner.Take(length) : std::string_view();
}

}  // namespace

std::optional<GeoserverHeader> ParseGeoserverHeader(std::string_view text) {
  constexpr std::string_view kFullTime = "0000-00-00 00:00:00,000";
  constexpr std::string_view kIsoTime = "0000-00-00T00:00:00,000";
  constexpr std::string_view kAfterLogger = "] -";
  if (text.empty() || !IsDigit(text.front())) return std::nullopt;

  GeoserverHeader header;
  header.has_year = StartsWithShape(text, kFullTime) || StartsWithShape(text, kIsoTime);
  Scanner scanner(text.substr(0, kHeaderBytesMax));
  scanner = Scanner(scanner.Until('\n'));
  const std::string_view line = scanner.rest();
  header.time = scanner.Take(header.has_year ? kFullTime.size() : Log4j2TimeLength(line));
  if (header.time.empty() || !scanner.Blanks()) return std::nullopt;
  header.level = TakeLevel(scanner);
  if (header.level.empty() || !scanner.Blanks() || !scanner.Char('[')) return std::nullopt;
  const std::size_t logger_end = scanner.rest().find(kAfterLogger);
  if (logger_end == std::string_view::npos) return std::nullopt;
  header.logger = scanner.Take(logger_end);
  scanner.Literal(kAfterLogger);
  scanner.Char(' ');
  header.message = text.substr(line.size() - scanner.rest().size());
  return header;
}

std::optional<SqlserverHeader> ParseSqlserverHeader(std::string_view text) {
  constexpr std::string_view kTimeAndBlank = "0000-00-00 00:00:00.00 ";
  constexpr std::size_t kSourceColumns =
      12;  // padded with blanks; a longer source is followed by one
  if (!StartsWithShape(text, kTimeAndBlank)) return std::nullopt;

  SqlserverHeader header;
  header.time = text.substr(0, kTimeAndBlank.size() - 1);
  const std::string_view rest = text.substr(kTimeAndBlank.size());
  const std::size_t source_end = rest.find_first_of(" \t\r\n");
  header.source = rest.substr(0, source_end);
  if (header.source.empty()) return std::nullopt;
  const std::size_t message =
      header.source.size() < kSourceColumns ? kSourceColumns : header.source.size() + 1;
  std::size_t start = header.source.size();
  while (start < rest.size() && start < message && rest[start] == ' ') ++start;
  header.message = rest.substr(start);
  return header;
}

}  // namespace logvault::formats
