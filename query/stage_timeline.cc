// timeline: records counted by lengths of time, empty ones too, each with what is known of its coverage.
#include <limits>
#include <map>
#include <optional>

#include "formats/time_zone.h"
#include "query/coverage.h"
#include "query/output.h"
#include "query/stage.h"

namespace logvault::query {
namespace {

constexpr std::size_t kEntryBytes = 160;
constexpr std::uint64_t kHoleMax = 10'000;  // lengths of time without a record that are shown
constexpr std::uint64_t kTimelineRowsMax = 100'000;
constexpr UnixNanos kNever = std::numeric_limits<UnixNanos>::max();

UnixNanos TimeOf(const Row& row, TimeField by) {
  switch (by) {
    case TimeField::kEvent:
      return row.time();
    case TimeField::kRead:
      return row.read_time;
    case TimeField::kCommit:
      return row.commit_time;
  }
  return row.time();
}

// "2024-07-11T08:00:00+09:00".  REQUIRES: a whole second.
std::string ShortInZone(UnixNanos time, const formats::TimeZone& zone) {
  constexpr std::string_view kNoFraction = ".000";
  std::string text = FormatInZone(time, zone);
  return text.erase(text.find(kNoFraction), kNoFraction.size());
}

// The lengths that time is cut into: since 1970 in UTC, or by the calendar and clock of a zone.
class Lengths {
 public:
  Lengths(UnixNanos length, const formats::TimeZone& zone)
      : length_(length), zone_(zone), utc_(zone.name() == formats::TimeZone::Utc().name()) {}

  // When the one begins that `time` lies in.
  [[nodiscard]] UnixNanos BeginOf(UnixNanos time) const {
    if (utc_ || !InCalendar(time)) return BucketOf(time, length_);
    const UnixNanos local = formats::AsUtc(zone_.ToCivil(time));
    const UnixNanos local_begin = BucketOf(local, length_);
    const UnixNanos begin = time - (local - local_begin);
    // Where the clock was changed in between, it begins when its first moment was shown.
    if (OffsetAt(begin) == local - time) return begin;
    return zone_.ToInstant(formats::TimeZone::Utc().ToCivil(local_begin));
  }

  // When the one behind it begins; a day has 23 to 25 hours.
  [[nodiscard]] UnixNanos BeginBehind(UnixNanos begin) const {
    if (begin > kNever - length_ - kNanosPerDay) return kNever;
    UnixNanos behind = BeginOf(begin + length_);
    for (UnixNanos more = kClockChange; behind <= begin; more += kClockChange)
      behind = BeginOf(begin + length_ + more);
    return behind;
  }

  [[nodiscard]] std::string Show(UnixNanos begin) const {
    return utc_ || !InCalendar(begin) ? ShortUtc(begin) : ShortInZone(begin, zone_);
  }
  [[nodiscard]] UnixNanos length() const { return length_; }

 private:
  static constexpr UnixNanos kNanosPerDay = 86'400 * kNanosPerSecond;
  static constexpr UnixNanos kClockChange = 1800 * kNanosPerSecond;  // the least that there is

  // Years that a civil time can be of, and some to spare.
  static bool InCalendar(UnixNanos time) {
    constexpr UnixNanos kFar = 280ll * 365 * kNanosPerDay;
    return time > -kFar && time < kFar;
  }
  [[nodiscard]] UnixNanos OffsetAt(UnixNanos time) const {
    return formats::AsUtc(zone_.ToCivil(time)) - time;
  }

  const UnixNanos length_;
  const formats::TimeZone& zone_;
  const bool utc_;
};

class TimelineStage final : public Stage {
 public:
  TimelineStage(const Pipe& pipe, const Request& request, const Coverage& coverage, Stage& next,
                PipeMemory& memory)
      : next_(next),
        memory_(memory),
        scope_(request.scope),
        coverage_(coverage),
        lengths_(pipe.keys[0].bucket, pipe.zone) {
    if (pipe.keys.size() > 1) split_.emplace_back(pipe, pipe.keys[1].field);
  }

  Status Take(const Tuple& tuple) override {
    const UnixNanos bucket = lengths_.BeginOf(TimeOf(tuple.subject->row(), scope_.by));
    return ForEachCombination(split_, tuple, [&](const TableRow& row) {
      const Value value = row.empty() ? Value() : row[0];
      Counts& counts = buckets_[bucket];
      const auto [found, is_new] = counts.try_emplace(value, 0);
      ++found->second;
      return is_new ? memory_.Take(SizeOf(row) + kEntryBytes, "timeline") : Status::Ok();
    });
  }

  Status Finish() override {
    // The window's ends are shown, with records or without.
    if (scope_.since) buckets_[lengths_.BeginOf(*scope_.since)];
    if (scope_.until) buckets_[lengths_.BeginOf(*scope_.until - 1)];
    UnixNanos next = buckets_.empty() ? 0 : buckets_.begin()->first;
    for (const auto& [bucket, counts] : buckets_) {
      LV_RETURN_IF_ERROR(FillUpTo(bucket, next));
      LV_RETURN_IF_ERROR(HandOver(bucket, counts));
      next = lengths_.BeginBehind(bucket);
    }
    return next_.Finish();
  }
  [[nodiscard]] bool Full() const override { return false; }

 private:
  struct Less {
    bool operator()(const Value& a, const Value& b) const { return Compare(a, b) < 0; }
  };

  using Counts = std::map<Value, std::uint64_t, Less>;

  // The lengths without records before `bucket`.  A clock that was centuries off does not fill the answer with them: a longer
  // hole stays one.
  Status FillUpTo(UnixNanos bucket, UnixNanos next) {
    const std::uint64_t hole =
        (static_cast<std::uint64_t>(bucket) - static_cast<std::uint64_t>(next)) /
        static_cast<std::uint64_t>(lengths_.length());
    if (next > bucket || hole > kHoleMax) return Status::Ok();
    for (; next < bucket && !next_.Full(); next = lengths_.BeginBehind(next))
      LV_RETURN_IF_ERROR(HandOver(next, {}));
    return Status::Ok();
  }

  Status HandOver(UnixNanos bucket, const Counts& counts) {
    const Value time = Value::Text(lengths_.Show(bucket));
    const Value coverage = Value::Text(coverage_.Of(bucket, lengths_.BeginBehind(bucket)));
    if (counts.empty()) return HandOver(time, Value(), 0, coverage);
    for (const auto& [value, count] : counts)
      LV_RETURN_IF_ERROR(HandOver(time, value, count, coverage));
    return Status::Ok();
  }

  Status HandOver(const Value& time, const Value& value, std::uint64_t count,
                  const Value& coverage) {
    if (++rows_ > kTimelineRowsMax) {
      return InvalidArgument("the timeline would have more than " +
                             std::to_string(kTimelineRowsMax) +
                             " rows; take longer lengths of time, or a narrower window");
    }
    TableRow row = {time};
    if (!split_.empty()) row.push_back(value);
    row.push_back(Value::Number(count));
    row.push_back(coverage);
    return next_.Take({nullptr, &row});
  }

  Stage& next_;
  PipeMemory& memory_;
  const Scope& scope_;
  const Coverage& coverage_;
  const Lengths lengths_;
  std::vector<FieldReader> split_;  // at most one
  std::map<UnixNanos, Counts> buckets_;
  std::uint64_t rows_ = 0;
};

}  // namespace

std::unique_ptr<Stage> MakeTimeline(const Pipe& pipe, const Request& request,
                                    const Coverage& coverage, Stage& next, PipeMemory& memory) {
  return std::make_unique<TimelineStage>(pipe, request, coverage, next, memory);
}

}  // namespace logvault::query
