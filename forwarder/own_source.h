// The forwarder's own stream `logvault`: JSON lines about what it does, and about what it could not do.
#pragma once

#include <deque>
#include <string>
#include <utility>

#include "common/clock.h"
#include "forwarder/source.h"

namespace logvault::forwarder {

inline constexpr std::size_t kMaxOwnRecordsWaiting = 10'000;

class OwnSource final : public Source {
 public:
  // `clock` must outlive the source.
  explicit OwnSource(const Clock& clock) : clock_(clock) {}

  // `json` is one object, without a line end.  `owed_id` is its row among the spool's owed records, or 0.
  void Say(std::string json, std::int64_t owed_id = 0) {
    if (json.find(R"("type":"gap")") != std::string::npos) ++gaps_;
    if (waiting_.size() >= kMaxOwnRecordsWaiting && owed_id == 0) {
      ++unsaid_;
      return;
    }
    json.push_back('\n');
    waiting_.push_back({std::move(json), clock_.Now(), owed_id});
  }

  Outcome Read(OpenBatch& batch) override {
    if (unsaid_ > 0 && waiting_.size() < kMaxOwnRecordsWaiting) {
      std::string count = std::to_string(std::exchange(unsaid_, 0));
      Say(R"({"type":"warning","reason":"own records left out","records":)" + count + "}");
    }
    for (; !waiting_.empty(); waiting_.pop_front()) {
      const Waiting& next = waiting_.front();
      evidence::RecordView record;
      record.event_time = record.read_time = next.time;
      record.bytes = next.line;
      if (!batch.Add(record)) return Outcome::kFull;
      if (next.owed_id != 0) settled_.push_back(next.owed_id);
    }
    return Outcome::kIdle;
  }
  [[nodiscard]] std::uint64_t gaps() const { return gaps_; }
  // The owed records moved into the batch since the last call.
  std::vector<std::int64_t> TakeSettled() { return std::exchange(settled_, {}); }

  void Watch() override {}
  std::vector<evidence::PositionEntry> TakePosition() override { return {}; }
  bool Resume(const std::vector<evidence::PositionEntry>&, bool) override { return false; }
  OwnRecords TakeOwnRecords() override { return {}; }
  [[nodiscard]] SourceState state() const override { return {}; }
  [[nodiscard]] bool reads_again() const override { return false; }

 private:
  struct Waiting {
    std::string line;
    UnixNanos time = 0;
    std::int64_t owed_id = 0;
  };

  const Clock& clock_;
  std::deque<Waiting> waiting_;
  std::vector<std::int64_t> settled_;
  std::uint64_t unsaid_ = 0;
  std::uint64_t gaps_ = 0;
};

}  // namespace logvault::forwarder
