// sort: everything is held until the last has come, or only as many as a limit behind it needs.
#include <algorithm>

#include "query/held_tuple.h"

namespace logvault::query {
namespace {

class SortStage final : public Stage {
 public:
  SortStage(const Pipe& pipe, std::uint64_t keep, Stage& next, PipeMemory& memory)
      : next_(next), memory_(memory), keys_(pipe.sort_keys), keep_(keep) {
    for (const SortKey& key : pipe.sort_keys) fields_.emplace_back(pipe, key.column);
  }

  Status Take(const Tuple& tuple) override {
    TableRow keys;
    for (const FieldReader& field : fields_) keys.push_back(field.Read(tuple));
    const std::uint64_t arrival = arrived_++;
    if (HasEnough() && !Before(keys, arrival, entries_.front().keys, entries_.front().arrival))
      return Status::Ok();
    HeldTuple held(tuple);
    const std::size_t bytes = held.bytes() + SizeOf(keys);
    LV_RETURN_IF_ERROR(memory_.Take(bytes, "sort"));
    if (HasEnough()) DropLast();
    entries_.push_back({std::move(keys), arrival, bytes, std::move(held)});
    if (keep_ > 0) std::push_heap(entries_.begin(), entries_.end(), order_);
    return Status::Ok();
  }

  Status Finish() override {
    std::sort(entries_.begin(), entries_.end(), order_);
    for (const Entry& entry : entries_) {
      if (next_.Full()) break;
      LV_RETURN_IF_ERROR(next_.Take(entry.tuple.tuple()));
    }
    return next_.Finish();
  }
  [[nodiscard]] bool Full() const override { return false; }

 private:
  struct Entry {
    TableRow keys;
    std::uint64_t arrival;
    std::size_t bytes;
    HeldTuple tuple;
  };

  [[nodiscard]] bool Before(const TableRow& a, std::uint64_t a_arrival, const TableRow& b,
                            std::uint64_t b_arrival) const {
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      const bool none_a = a[i].kind == Value::Kind::kNone, none_b = b[i].kind == Value::Kind::kNone;
      // What has no value stands last in either direction.
      if (none_a != none_b) return none_b;
      const int order = Compare(a[i], b[i]);
      if (order != 0) return keys_[i].descending ? order > 0 : order < 0;
    }
    return a_arrival < b_arrival;
  }

  // One more than the limit stays, so that it is known that there are more.
  [[nodiscard]] bool HasEnough() const { return keep_ > 0 && entries_.size() > keep_; }

  void DropLast() {
    std::pop_heap(entries_.begin(), entries_.end(), order_);
    memory_.Return(entries_.back().bytes);
    entries_.pop_back();
  }

  Stage& next_;
  PipeMemory& memory_;
  const std::vector<SortKey> keys_;
  const std::uint64_t keep_;
  std::vector<FieldReader> fields_;
  const std::function<bool(const Entry&, const Entry&)> order_ = [this](const Entry& a,
                                                                        const Entry& b) {
    return Before(a.keys, a.arrival, b.keys, b.arrival);
  };
  std::vector<Entry> entries_;  // with a limit a heap, the last on top
  std::uint64_t arrived_ = 0;
};

}  // namespace

std::unique_ptr<Stage> MakeSort(const Pipe& pipe, std::uint64_t keep, Stage& next,
                                PipeMemory& memory) {
  return std::make_unique<SortStage>(pipe, keep, next, memory);
}

}  // namespace logvault::query
