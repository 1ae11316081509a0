#include "storage/committer.h"

#include <future>
#include <utility>

namespace logvault::storage {
namespace {

// What an entry costs in the queue beyond its bytes.
constexpr std::size_t kEntryOverhead = 512;

std::size_t SizeOf(const std::vector<Entry>& entries) {
  std::size_t bytes = 0;
  for (const Entry& entry : entries) {
    bytes += kEntryOverhead + entry.body.size() + entry.payload.size();
    for (const evidence::PositionEntry& position : entry.position) {
      bytes += position.key.size() + position.value.size();
    }
  }
  return bytes;
}

// Whether it may be otherwise for one caller's entries than for the group's: what they are, or which reserve of the
// disk they may use.
bool DependsOnTheEntries(const Status& status) {
  return status.code() == StatusCode::kInvalidArgument ||
         status.code() == StatusCode::kFailedPrecondition ||
         status.code() == StatusCode::kResourceExhausted || status.code() == StatusCode::kAborted ||
         status.code() == StatusCode::kPermissionDenied ||
         status.code() == StatusCode::kUnauthenticated ||
         status.code() == StatusCode::kAlreadyExists || status.code() == StatusCode::kNotFound;
}

}  // namespace

Committer::Committer(Vault& vault, std::size_t queue_bytes)
    : vault_(vault),
      queue_bytes_max_(queue_bytes),
      thread_([this](const std::stop_token& stop) { Run(stop); }) {}

Committer::~Committer() {
  thread_.request_stop();
  thread_.join();
}

Status Committer::Submit(std::vector<Entry> entries, Done done) {
  const std::size_t bytes = SizeOf(entries);
  const std::size_t queue_bytes_max =
      queue_bytes_max_ + (AreOwnWords(entries) ? kOwnQueueBytes : 0);
  {
    MutexLock lock(mutex_);
    // Whatever its size, a request is taken by an empty queue: else it could never be.
    if (queued_bytes_ > 0 && queued_bytes_ + bytes > queue_bytes_max) {
      return ResourceExhausted("the commit queue holds " + std::to_string(queued_bytes_) +
                               " bytes and is full");
    }
    queued_bytes_ += bytes;
    queue_.push_back({std::move(entries), bytes, std::move(done)});
  }
  work_queued_.notify_one();
  return Status::Ok();
}

Result<Commit> Committer::SubmitAndWait(std::vector<Entry> entries) {
  std::promise<Result<Commit>> promise;
  std::future<Result<Commit>> answer = promise.get_future();
  LV_RETURN_IF_ERROR(Submit(
      std::move(entries), [&promise](const Result<Commit>& commit) { promise.set_value(commit); }));
  return answer.get();
}

std::size_t Committer::queued_bytes() const {
  MutexLock lock(mutex_);
  return queued_bytes_;
}

void Committer::Run(const std::stop_token& stop) {
  for (;;) {
    std::vector<Work> group = TakeGroup(stop);
    if (group.empty()) return;
    std::size_t bytes = 0;
    for (const Work& work : group) bytes += work.bytes;
    CommitGroup(std::move(group));
    MutexLock lock(mutex_);
    queued_bytes_ -= bytes;
  }
}

// Waits for work; empty once a stop was asked for and nothing is left.
std::vector<Committer::Work> Committer::TakeGroup(const std::stop_token& stop) {
  std::vector<Work> group;
  std::size_t bytes = 0;
  MutexLock lock(mutex_);
  work_queued_.wait(mutex_, stop, [this]() LV_REQUIRES(mutex_) { return !queue_.empty(); });
  while (!queue_.empty() && (group.empty() || bytes + queue_.front().bytes <= kMaxGroupBytes)) {
    bytes += queue_.front().bytes;
    group.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  return group;
}

void Committer::CommitGroup(std::vector<Work> group) {
  std::vector<Entry> entries;
  std::vector<std::size_t> counts;
  for (Work& work : group) {
    counts.push_back(work.entries.size());
    for (Entry& entry : work.entries) entries.push_back(std::move(entry));
  }
  Result<Commit> commit = vault_.Append(entries);
  if (!commit.ok() && group.size() > 1 && DependsOnTheEntries(commit.status())) {
    // One caller's entries cannot become blocks now; the others must not suffer for it.
    std::span<const Entry> rest = entries;
    for (std::size_t i = 0; i < group.size(); ++i) {
      group[i].done(vault_.Append(rest.first(counts[i])));
      rest = rest.subspan(counts[i]);
    }
    return;
  }
  std::size_t next = 0;
  for (std::size_t i = 0; i < group.size(); ++i) {
    if (!commit.ok()) {
      group[i].done(commit.status());
      continue;
    }
    Commit part;
    part.head = commit->head;
    for (const std::size_t end = next + counts[i]; next < end; ++next) {
      part.entries.push_back(std::move(commit->entries[next]));
    }
    group[i].done(part);
  }
}

}  // namespace logvault::storage
