// timeline: records counted by lengths of time, empty ones too, each with what is known of its coverage.
#include <limits>
#include <map>
#include <optional>

#include "formats/time_zone.h"
#include "query/coverage.h"
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

class TimelineStage final : public Stage {
 public:
  TimelineStage(const Pipe& pipe, const Request& request, const Coverage& coverage, Stage& next,
                PipeMemory& memory)
      : next_(next),
        memory_(memory),
        scope_(request.scope),
        coverage_(coverage),
        length_(pipe.keys[0].bucket) {
    if (pipe.keys.size() > 1) split_.emplace_back(pipe, pipe.keys[1].field);
  }

  Status Take(const Tuple& tuple) override {
    const UnixNanos bucket = BucketOf(TimeOf(tuple.subject->row(), scope_.by), length_);
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
    if (scope_.since) buckets_[BucketOf(*scope_.since, length_)];
    if (scope_.until) buckets_[BucketOf(*scope_.until - 1, length_)];
    UnixNanos next = buckets_.empty() ? 0 : buckets_.begin()->first;
    for (const auto& [bucket, counts] : buckets_) {
      LV_RETURN_IF_ERROR(FillUpTo(bucket, next));
      LV_RETURN_IF_ERROR(HandOver(bucket, counts));
      next = bucket > kNever - length_ ? bucket : bucket + length_;
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
        static_cast<std::uint64_t>(length_);
    if (hole > kHoleMax) return Status::Ok();
    for (; next < bucket && !next_.Full(); next += length_) LV_RETURN_IF_ERROR(HandOver(next, {}));
    return Status::Ok();
  }

  Status HandOver(UnixNanos bucket, const Counts& counts) {
    const Value time = Value::Text(ShortUtc(bucket));
    const UnixNanos end = bucket > kNever - length_ ? kNever : bucket + length_;
    const Value coverage = Value::Text(coverage_.Of(bucket, end));
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
  const UnixNanos length_;
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
