// stats: groups, and what is computed over each.
#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <set>
#include <unordered_map>

#include "query/stage.h"

namespace logvault::query {
namespace {

using Function = Aggregate::Function;

constexpr std::size_t kEntryBytes = 128;    // of a table of ours, beside the texts
constexpr std::size_t kValuesMax = 10'000;  // that values() lists

template <typename Number>
std::optional<Number> Parse(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Value RealNumber(double real) {
  char buffer[64];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, real);
  return {Value::Kind::kNumber, std::string(buffer, end), {}};
}

// One function over one group.
class Accumulator {
 public:
  explicit Accumulator(const Aggregate& aggregate) : function_(aggregate.function) {}

  // One tuple's values; `time` orders first and last.
  Status Add(const std::vector<std::string>& values, std::uint64_t records,
             std::optional<UnixNanos> time, PipeMemory& memory) {
    count_ += records;
    for (const std::string& value : values) LV_RETURN_IF_ERROR(AddValue(value, time, memory));
    return Status::Ok();
  }

  [[nodiscard]] Value Result() const {
    switch (function_) {
      case Function::kCount:
        return Value::Number(count_);
      case Function::kUniq:
        return Value::Number(distinct_.size());
      case Function::kValues:
        return Value::Of({distinct_.begin(), distinct_.end()});
      case Function::kSum:
        return numbers_ == 0 ? Value() : Sum();
      case Function::kAvg:
        return numbers_ == 0 ? Value()
                             : RealNumber(static_cast<double>((real_ + whole_) /
                                                              static_cast<long double>(numbers_)));
      case Function::kMin:
      case Function::kMax:
      case Function::kFirst:
      case Function::kLast:
        return best_ ? Value::Text(*best_) : Value();
    }
    return {};
  }

 private:
  Status AddValue(const std::string& value, std::optional<UnixNanos> time, PipeMemory& memory) {
    switch (function_) {
      case Function::kCount:
        return Status::Ok();
      case Function::kUniq:
      case Function::kValues:
        return AddDistinct(value, memory);
      case Function::kSum:
      case Function::kAvg:
        AddNumber(value);
        return Status::Ok();
      case Function::kMin:
        return Replace(value, best_ && CompareTexts(value, *best_) < 0, time, memory);
      case Function::kMax:
        return Replace(value, best_ && CompareTexts(value, *best_) > 0, time, memory);
      case Function::kFirst:
        return Replace(value, time && time < time_, time, memory);
      case Function::kLast:
        return Replace(value, !time || time >= time_, time, memory);
    }
    return Status::Ok();
  }

  Status AddDistinct(const std::string& value, PipeMemory& memory) {
    if (!distinct_.insert(value).second) return Status::Ok();
    if (function_ == Function::kValues && distinct_.size() > kValuesMax) {
      return InvalidArgument("values() lists " + std::to_string(kValuesMax) +
                             " values; uniq() counts more, and top lists them");
    }
    return memory.Take(value.size() + kEntryBytes, "stats");
  }

  void AddNumber(const std::string& value) {
    if (const auto whole = Parse<std::int64_t>(value)) {
      ++numbers_;
      whole_ += static_cast<long double>(*whole);
    } else if (const auto real = Parse<double>(value)) {
      ++numbers_;
      real_seen_ = true;
      real_ += static_cast<long double>(*real);
    }
  }

  [[nodiscard]] Value Sum() const {
    constexpr auto kExact = static_cast<long double>(std::numeric_limits<std::int64_t>::max());
    if (!real_seen_ && whole_ < kExact && whole_ > -kExact)
      return Value::Number(static_cast<std::int64_t>(whole_));
    return RealNumber(static_cast<double>(whole_ + real_));
  }

  Status Replace(const std::string& value, bool better, std::optional<UnixNanos> time,
                 PipeMemory& memory) {
    if (best_ && !better) return Status::Ok();
    if (best_) memory.Return(best_->size());
    best_ = value;
    time_ = time;
    return memory.Take(value.size(), "stats");
  }

  const Function function_;
  std::uint64_t count_ = 0;
  std::uint64_t numbers_ = 0;
  long double whole_ = 0;
  long double real_ = 0;
  bool real_seen_ = false;
  std::optional<std::string> best_;
  std::optional<UnixNanos> time_;
  std::set<std::string> distinct_;
};

class StatsStage final : public Stage {
 public:
  StatsStage(const Pipe& pipe, Stage& next, PipeMemory& memory)
      : next_(next), memory_(memory), pipe_(pipe) {
    for (const GroupKey& key : pipe.keys) keys_.emplace_back(pipe, key.field);
    for (const Aggregate& aggregate : pipe.aggregates) fields_.emplace_back(pipe, aggregate.field);
  }

  Status Take(const Tuple& tuple) override {
    std::vector<std::vector<std::string>> values;
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      values.emplace_back();
      if (!pipe_.aggregates[i].field.empty()) {
        fields_[i].ForEach(
            tuple, [&values](std::string_view value) { values.back().emplace_back(value); });
      }
    }
    return ForEachCombination(keys_, tuple, [&](TableRow row) {
      Bucket(tuple, row);
      return Add(std::move(row), values, tuple);
    });
  }

  Status Finish() override {
    // Without keys there is one group, of no records too.
    if (keys_.empty() && groups_.empty()) groups_.emplace("", Group{{}, NewAccumulators()});
    std::vector<const Group*> sorted;
    for (const auto& [key, group] : groups_) sorted.push_back(&group);
    std::sort(sorted.begin(), sorted.end(),
              [](const Group* a, const Group* b) { return Before(a->keys, b->keys); });
    for (const Group* group : sorted) {
      if (next_.Full()) break;
      TableRow row = group->keys;
      for (const Accumulator& accumulator : group->accumulators)
        row.push_back(accumulator.Result());
      LV_RETURN_IF_ERROR(next_.Take({nullptr, &row}));
    }
    return next_.Finish();
  }
  [[nodiscard]] bool Full() const override { return false; }

 private:
  struct Group {
    TableRow keys;
    std::vector<Accumulator> accumulators;
  };

  static bool Before(const TableRow& a, const TableRow& b) {
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (const int order = Compare(a[i], b[i]); order != 0) return order < 0;
    }
    return false;
  }

  [[nodiscard]] std::vector<Accumulator> NewAccumulators() const {
    return {pipe_.aggregates.begin(), pipe_.aggregates.end()};
  }

  // Puts the bucket's beginning in the place of the time.
  void Bucket(const Tuple& tuple, TableRow& row) const {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const GroupKey& key = pipe_.keys[i];
      if (key.bucket == 0) continue;
      const Row& record = tuple.subject->row();
      const UnixNanos time = key.field == "time"        ? record.time()
                             : key.field == "read_time" ? record.read_time
                                                        : record.commit_time;
      row[i] = Value::Text(ShortUtc(BucketOf(time, key.bucket)));
    }
  }

  Status Add(TableRow keys, const std::vector<std::vector<std::string>>& values,
             const Tuple& tuple) {
    std::string key = KeyOf(keys);
    auto group = groups_.find(key);
    if (group == groups_.end()) {
      LV_RETURN_IF_ERROR(
          memory_.Take(key.size() + SizeOf(keys) + kEntryBytes * (1 + fields_.size()), "stats"));
      group = groups_.emplace(std::move(key), Group{std::move(keys), NewAccumulators()}).first;
    }
    std::optional<UnixNanos> time;
    if (tuple.subject != nullptr) time = tuple.subject->row().time();
    for (std::size_t i = 0; i < values.size(); ++i) {
      const bool counts = pipe_.aggregates[i].field.empty() || !values[i].empty();
      LV_RETURN_IF_ERROR(
          group->second.accumulators[i].Add(values[i], counts ? tuple.weight : 0, time, memory_));
    }
    return Status::Ok();
  }

  Stage& next_;
  PipeMemory& memory_;
  const Pipe& pipe_;
  std::vector<FieldReader> keys_;
  std::vector<FieldReader> fields_;  // one for each aggregate; of count() unused
  std::unordered_map<std::string, Group> groups_;
};

}  // namespace

std::unique_ptr<Stage> MakeStats(const Pipe& pipe, Stage& next, PipeMemory& memory) {
  return std::make_unique<StatsStage>(pipe, next, memory);
}

}  // namespace logvault::query
