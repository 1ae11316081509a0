#include "formats/event_time.h"

#include "formats/header_line.h"
#include "formats/journal_entry.h"
#include "formats/json_members.h"
#include "formats/scanner.h"
#include "formats/syslog_header.h"
#include "formats/time_text.h"

namespace logvault::formats {
namespace {

constexpr UnixNanos kNanosPerDay = 24 * 3600 * kNanosPerSecond;
constexpr std::string_view kUtf8Mark = "\xEF\xBB\xBF";

UnixNanos AtOffset(const CivilTime& civil, int offset) {
  return IsValid(civil) ? AsUtc(civil) - offset * kNanosPerSecond : kNoTime;
}

UnixNanos InZone(const CivilTime& civil, const TimeZone& zone) {
  return IsValid(civil) ? zone.ToInstant(civil) : kNoTime;
}

// What a time without a year is not later than.
UnixNanos LatestFor(const TimeContext& context) {
  return context.not_after <= INT64_MAX - kNanosPerDay ? context.not_after + kNanosPerDay
                                                       : INT64_MAX;
}

// The latest year that puts the time at most 24 h after `not_after`.  A 29 February may have to go
// back eight years.
UnixNanos InLatestYear(CivilTime civil, const TimeContext& context) {
  constexpr int kYearsBack = 8;
  const UnixNanos latest = LatestFor(context);
  const int last_year = context.zone.ToCivil(latest).year;
  for (civil.year = last_year; civil.year >= last_year - kYearsBack; --civil.year) {
    const UnixNanos instant = InZone(civil, context.zone);
    if (instant != kNoTime && instant <= latest) return instant;
  }
  return kNoTime;
}

UnixNanos WithoutOffset(const CivilTime& civil, bool has_year, const TimeContext& context) {
  return has_year ? InZone(civil, context.zone) : InLatestYear(civil, context);
}

// What WithoutOffset() says of every time of the hour follows from its first and last nanosecond, unless the clock changes between
// them.  kNoTime there, and where the year is missing and the newest is not that of the whole hour.
UnixNanos BeginOfHour(CivilTime hour, bool has_year, const TimeContext& context) {
  const UnixNanos latest = has_year ? INT64_MAX : LatestFor(context);
  if (!has_year) hour.year = context.zone.ToCivil(latest).year;
  CivilTime last = hour;
  last.minute = last.second = 59;
  last.nanos = kNanosPerSecond - 1;
  const UnixNanos begin = InZone(hour, context.zone);
  const UnixNanos end = InZone(last, context.zone);
  const bool follows = begin != kNoTime && end != kNoTime && end <= latest &&
                       end - begin == 3600 * kNanosPerSecond - 1;
  return follows ? begin : kNoTime;
}

// WithoutOffset(), from what the context remembers.
UnixNanos Local(const CivilTime& civil, bool has_year, TimeContext& context) {
  CivilTime hour = civil;
  hour.minute = hour.second = hour.nanos = 0;
  const UnixNanos not_after = has_year ? 0 : context.not_after;
  KnownHour& known = context.hour;
  if (known.civil != hour || known.has_year != has_year || known.not_after != not_after) {
    known = {hour, has_year, not_after, std::nullopt};
    return WithoutOffset(civil, has_year, context);
  }
  if (!known.begin) known.begin = BeginOfHour(hour, has_year, context);
  constexpr int kMost = 59;  // a leap second may be another hour's
  if (*known.begin == kNoTime || civil.minute > kMost || civil.second > kMost)
    return WithoutOffset(civil, has_year, context);
  return *known.begin + (civil.minute * 60 + civil.second) * kNanosPerSecond + civil.nanos;
}

UnixNanos Resolve(const std::optional<WrittenTime>& written, TimeContext& context) {
  if (!written) return kNoTime;
  if (written->has_year && written->offset) return AtOffset(written->civil, *written->offset);
  return Local(written->civil, written->has_year, context);
}

// `msg=audit(1364481363.243:24287):` - seconds and milliseconds of UTC.
UnixNanos AuditTime(std::string_view text) {
  constexpr std::string_view kStamp = "audit(";
  constexpr std::int64_t kSecondsMax = 9'000'000'000;  // what UnixNanos holds, and some
  constexpr std::int64_t kNanosPerMilli = 1'000'000;
  const std::size_t stamp = text.find(kStamp);
  if (stamp == std::string_view::npos) return kNoTime;
  Scanner scanner(text.substr(stamp + kStamp.size()));
  std::int64_t seconds = 0;
  std::int64_t millis = 0;
  if (!scanner.Number(1, 10, &seconds) || !scanner.Char('.') || !scanner.Number(3, 3, &millis) ||
      !scanner.Char(':') || seconds > kSecondsMax) {
    return kNoTime;
  }
  return seconds * kNanosPerSecond + millis * kNanosPerMilli;
}

UnixNanos GeoserverTime(std::string_view text, TimeContext& context) {
  const std::optional<GeoserverHeader> header = ParseGeoserverHeader(text);
  if (!header) return kNoTime;
  Scanner scanner(header->time);
  return Resolve(header->has_year ? TakeIsoTime(scanner) : TakeLog4j2Time(scanner), context);
}

UnixNanos AccessTime(std::string_view text, TimeContext& context) {
  const std::string_view line = text.substr(0, text.find('\n'));
  if (const std::optional<BracketedTime> found = FindBracketedTime(line)) {
    return Resolve(found->time, context);
  }
  Scanner scanner(line);
  return Resolve(TakeIsoTime(scanner), context);
}

// "UTC adjustment: 9:00", which only the server itself says.
std::optional<int> BannerOffset(const SqlserverHeader& header) {
  Scanner scanner(header.message);
  if (header.source != "Server" || !scanner.Literal("UTC adjustment: ")) return std::nullopt;
  return TakeOffset(scanner);
}

UnixNanos SqlserverTime(std::string_view text, TimeContext& context) {
  const std::optional<SqlserverHeader> header = ParseSqlserverHeader(text);
  if (!header) return kNoTime;
  if (const std::optional<int> stated = BannerOffset(*header)) context.banner_offset = stated;
  Scanner scanner(header->time);
  const std::optional<WrittenTime> written = TakeIsoTime(scanner);
  if (!written) return kNoTime;
  return context.banner_offset ? AtOffset(written->civil, *context.banner_offset)
                               : Local(written->civil, true, context);
}

// Seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by size: seconds and
// milliseconds begin to look alike only in the year 5138.
UnixNanos EpochTime(std::string_view text) {
  constexpr std::int64_t kSecondsEnd = 100'000'000'000;
  Scanner scanner(text);
  std::int64_t value = 0;
  if (!scanner.Number(1, 18, &value)) {
    return kNoTime;
  }
  std::int64_t digit = 0;
  if (scanner.Number(1, 1, &digit)) value = value <= INT64_MAX / 10 - 1 ? value * 10 + digit : -1;
  const std::int64_t billionths = TakeBillionths(scanner);
  const std::int64_t unit = value < kSecondsEnd               ? kNanosPerSecond
                            : value < kSecondsEnd * 1000      ? 1'000'000
                            : value < kSecondsEnd * 1'000'000 ? 1000
                                                              : 1;
  if (!scanner.AtEnd() || value < 0 || value > INT64_MAX / unit - 1) return kNoTime;
  return value * unit + billionths * unit / kNanosPerSecond;
}

UnixNanos JsonTime(std::string_view text, TimeContext& context) {
  for (const std::string& value : JsonTimeTexts(text)) {
    Scanner scanner(value);
    const std::optional<WrittenTime> written = TakeIsoTime(scanner);
    const UnixNanos instant =
        written && scanner.AtEnd() ? Resolve(written, context) : EpochTime(value);
    if (instant != kNoTime) return instant;
  }
  return kNoTime;
}

// When journald received the entry, in microseconds; what the sender says (_SOURCE_REALTIME_TIMESTAMP) is a field.
UnixNanos JournalTime(std::string_view text) {
  constexpr std::int64_t kMicrosMax = INT64_MAX / 1000 - 1;
  constexpr std::size_t kDigitsMax = 17;
  const std::optional<std::string_view> stamp = FindJournalField(text, "__REALTIME_TIMESTAMP");
  if (!stamp) return kNoTime;
  Scanner scanner(*stamp);
  std::int64_t micros = 0;
  if (!scanner.Number(1, kDigitsMax, &micros) || !scanner.AtEnd()) return kNoTime;
  return micros <= kMicrosMax ? micros * 1000 : kNoTime;
}

}  // namespace

UnixNanos EventTime(Format format, std::string_view text, TimeContext& context) {
  if (text.starts_with(kUtf8Mark)) text.remove_prefix(kUtf8Mark.size());
  switch (format) {
    case Format::kSyslog:
      return Resolve(ParseSyslogHeader(text).time, context);
    case Format::kAuditd:
      return AuditTime(text);
    case Format::kGeoserver:
      return GeoserverTime(text, context);
    case Format::kAccess:
      return AccessTime(text, context);
    case Format::kSqlserver:
      return SqlserverTime(text, context);
    case Format::kJson:
      return JsonTime(text, context);
    case Format::kJournal:
      return JournalTime(text);
    case Format::kPlain:
      return kNoTime;
  }  // No default: the compiler names any format added and not handled.
  return kNoTime;
}

}  // namespace logvault::formats
