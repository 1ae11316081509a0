#include "server/retention_keeper.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace logvault::server {
namespace {

using evidence::BlockKind;

constexpr UnixNanos kLongestPause = 86400 * kNanosPerSecond;
constexpr UnixNanos kShortestPause = kNanosPerSecond;
constexpr std::uint64_t kLooksAKeep = 10;

UnixNanos PauseFor(const evidence::Governance& governance) {
  UnixNanos pause = kLongestPause;
  for (const evidence::RetentionRule& rule : governance.rules()) {
    const std::uint64_t part = rule.keep_ns / kLooksAKeep;
    if (part < static_cast<std::uint64_t>(pause)) pause = static_cast<UnixNanos>(part);
  }
  return std::max(pause, kShortestPause);
}

}  // namespace

RetentionKeeper::RetentionKeeper(const storage::Vault& vault, storage::Committer& committer,
                                 Counters& counters, const Clock& clock)
    : vault_(vault),
      committer_(committer),
      counters_(counters),
      clock_(clock),
      thread_([this](const std::stop_token& stop) { Run(stop); }) {}

RetentionKeeper::~RetentionKeeper() {
  stopping_ = true;
  thread_.request_stop();
  thread_.join();
}

void RetentionKeeper::Tick() {
  {
    MutexLock lock(mutex_);
    tick_ = true;
  }
  ticked_.notify_one();
}

void RetentionKeeper::Run(const std::stop_token& stop) {
  for (;;) {
    {
      MutexLock lock(mutex_);
      if (!ticked_.wait(mutex_, stop, [this]() LV_REQUIRES(mutex_) { return tick_; })) return;
      tick_ = false;
    }
    if (!Due()) continue;
    const Status done = DeleteAllExpired();
    if (!done.ok() && !stopping_) {
      spdlog::error("what the retention policy deletes is tried again later: {}", done.ToString());
    }
    next_ = clock_.Monotonic() + PauseFor(*vault_.governance());
  }
}

bool RetentionKeeper::Due() {
  const evidence::Hash newest = vault_.governance()->newest_directive();
  const bool changed = newest != std::exchange(seen_directive_, newest);
  return !next_ || changed || clock_.Monotonic() >= *next_;
}

Status RetentionKeeper::DeleteAllExpired() {
  const std::shared_ptr<const evidence::Governance> governed = vault_.governance();
  for (const auto& [retention, body] : governed->unfinished()) {
    LV_RETURN_IF_ERROR(Finish(retention));
  }
  Result<std::vector<evidence::RetentionBody>> expired = vault_.FindExpired();
  if (!expired.ok()) return expired.status();
  for (const evidence::RetentionBody& body : *expired) {
    std::uint64_t retention = 0;
    LV_RETURN_IF_ERROR(Append(BlockKind::kRetention, body.Serialize(), &retention));
    LV_RETURN_IF_ERROR(Finish(retention));
  }
  return Status::Ok();
}

Status RetentionKeeper::Finish(std::uint64_t retention) {
  Result<evidence::RetentionDoneBody> done = vault_.DeleteExpired(retention, stopping_);
  if (!done.ok()) return done.status();
  counters_.deleted_payloads += done->payloads;
  spdlog::info("deleted {} payloads, {} bytes, by RETENTION block {}", done->payloads, done->bytes,
               retention);
  std::uint64_t index = 0;
  return Append(BlockKind::kRetentionDone, done->Serialize(), &index);
}

Status RetentionKeeper::Append(BlockKind kind, std::string body, std::uint64_t* index) {
  storage::Entry entry;
  entry.kind = kind;
  entry.body = std::move(body);
  Result<storage::Commit> commit = committer_.SubmitAndWait({std::move(entry)});
  if (!commit.ok()) return commit.status();
  *index = commit->entries.front().index;
  return Status::Ok();
}

}  // namespace logvault::server
