// top, rare and first-seen: each value once, with how often it occurs and where it did first.
#include <algorithm>
#include <tuple>
#include <unordered_map>

#include "formats/time_zone.h"
#include "query/stage.h"

namespace logvault::query {
namespace {

constexpr std::size_t kEntryBytes = 192;

class RankingStage final : public Stage {
 public:
  RankingStage(const Pipe& pipe, Stage& next, PipeMemory& memory)
      : next_(next), memory_(memory), pipe_(pipe) {
    for (const std::string& name : pipe.names) fields_.emplace_back(pipe, name);
  }

  Status Take(const Tuple& tuple) override {
    return ForEachCombination(fields_, tuple, [&](TableRow row) {
      // What has none of the names says nothing about them.
      const bool none = std::all_of(row.begin(), row.end(),
                                    [](const Value& v) { return v.kind == Value::Kind::kNone; });
      return none ? Status::Ok() : Add(std::move(row), tuple);
    });
  }

  Status Finish() override {
    std::vector<const Entry*> sorted;
    for (const auto& [key, entry] : entries_) sorted.push_back(&entry);
    std::sort(sorted.begin(), sorted.end(),
              [this](const Entry* a, const Entry* b) { return Before(*a, *b); });
    if (pipe_.count > 0 && sorted.size() > pipe_.count) sorted.resize(pipe_.count);
    for (const Entry* entry : sorted) {
      if (next_.Full()) break;
      const TableRow row = RowOf(*entry);
      LV_RETURN_IF_ERROR(next_.Take({nullptr, &row}));
    }
    return next_.Finish();
  }
  [[nodiscard]] bool Full() const override { return false; }

 private:
  struct Entry {
    TableRow values;
    std::uint64_t count = 0;
    // Of the first record by time.
    UnixNanos time = 0;
    std::uint64_t block = 0, seq = 0;
    std::string host, source;
  };

  Status Add(TableRow values, const Tuple& tuple) {
    std::string key = KeyOf(values);
    auto found = entries_.find(key);
    if (found == entries_.end()) {
      LV_RETURN_IF_ERROR(memory_.Take(key.size() + SizeOf(values) + kEntryBytes, Name()));
      Entry entry;
      entry.values = std::move(values);
      found = entries_.emplace(std::move(key), std::move(entry)).first;
    }
    Entry& entry = found->second;
    ++entry.count;
    if (pipe_.kind == Pipe::Kind::kFirstSeen) KeepFirst(entry, tuple.subject->row());
    return Status::Ok();
  }

  static void KeepFirst(Entry& entry, const Row& row) {
    const UnixNanos time = row.time();
    if (entry.count > 1 &&
        std::tie(entry.time, entry.block, entry.seq) <= std::tie(time, row.block, row.seq))
      return;
    entry.time = time;
    entry.block = row.block;
    entry.seq = row.seq;
    entry.host = row.host;
    entry.source = row.source;
  }

  [[nodiscard]] bool Before(const Entry& a, const Entry& b) const {
    if (pipe_.kind == Pipe::Kind::kTop && a.count != b.count) return a.count > b.count;
    if (pipe_.kind == Pipe::Kind::kRare && a.count != b.count) return a.count < b.count;
    if (pipe_.kind == Pipe::Kind::kFirstSeen && a.time != b.time) return a.time < b.time;
    for (std::size_t i = 0; i < a.values.size(); ++i) {
      if (const int order = Compare(a.values[i], b.values[i]); order != 0) return order < 0;
    }
    return false;
  }

  [[nodiscard]] TableRow RowOf(const Entry& entry) const {
    TableRow row = entry.values;
    row.push_back(Value::Number(entry.count));
    if (pipe_.kind != Pipe::Kind::kFirstSeen) return row;
    row.insert(row.begin(), Value::Text(formats::FormatUtc(entry.time)));
    row.push_back(Value::Text(entry.host));
    row.push_back(Value::Text(entry.source));
    row.push_back(Value::Number(entry.seq));
    return row;
  }

  [[nodiscard]] std::string_view Name() const {
    return pipe_.kind == Pipe::Kind::kTop    ? "top"
           : pipe_.kind == Pipe::Kind::kRare ? "rare"
                                             : "first-seen";
  }

  Stage& next_;
  PipeMemory& memory_;
  const Pipe& pipe_;
  std::vector<FieldReader> fields_;
  std::unordered_map<std::string, Entry> entries_;
};

}  // namespace

std::unique_ptr<Stage> MakeRanking(const Pipe& pipe, Stage& next, PipeMemory& memory) {
  return std::make_unique<RankingStage>(pipe, next, memory);
}

}  // namespace logvault::query
