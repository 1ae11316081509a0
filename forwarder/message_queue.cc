#include "forwarder/message_queue.h"

#include "evidence/payload.h"

namespace logvault::forwarder {

namespace {

constexpr std::size_t kWidened = 6;

std::size_t CostOf(const Message& message) { return message.bytes.size() + kMessageOverheadBytes; }

}  // namespace

void MessageQueue::Push(Message message) {
  MutexLock lock(mutex_);
  if (cost_ >= limit_) {
    was_full_ = true;
    ++dropped_.messages;
    ++dropped_ever_;
    dropped_.bytes += message.bytes.size();
    return;
  }
  Add(std::move(message));
}

void MessageQueue::PushOver(Message message) {
  MutexLock lock(mutex_);
  Add(std::move(message));
}

void MessageQueue::Add(Message message) {
  cost_ += CostOf(message);
  bytes_ += message.bytes.size();
  if (messages_.empty()) news_.Ring();
  messages_.push_back(std::move(message));
}

bool MessageQueue::has_room() const {
  MutexLock lock(mutex_);
  return cost_ < limit_;
}

const Message* MessageQueue::Front() {
  MutexLock lock(mutex_);
  if (!messages_.empty()) return &messages_.front();
  news_.Clear();
  return nullptr;
}

void MessageQueue::Pop() {
  MutexLock lock(mutex_);
  was_full_ = was_full_ || cost_ >= limit_;
  cost_ -= CostOf(messages_.front());
  bytes_ -= messages_.front().bytes.size();
  messages_.pop_front();
  if (!was_full_ || cost_ > limit_ / 2) return;
  was_full_ = false;
  room_.Ring();
}

bool MessageQueue::MoveTo(OpenBatch& batch,
                          const std::function<UnixNanos(const Message&)>& event_time,
                          const std::function<void(const Message&)>& moved) {
  while (const Message* message = Front()) {
    evidence::RecordView record;
    record.read_time = message->read_time;
    record.event_time =
        (message->flags & evidence::kRecordContinues) != 0 ? kNoTime : event_time(*message);
    record.flags = message->flags;
    record.origin = *message->origin;
    record.bytes = message->bytes;
    if (!batch.Add(record)) return false;
    moved(*message);
    Pop();
  }
  return true;
}

std::uint64_t MessageQueue::bytes() const {
  MutexLock lock(mutex_);
  return bytes_;
}

Dropped MessageQueue::TakeDropped() {
  MutexLock lock(mutex_);
  return std::exchange(dropped_, {});
}

std::uint64_t MessageQueue::dropped() const {
  MutexLock lock(mutex_);
  return dropped_ever_;
}

void MessageQueue::Widen() {
  MutexLock lock(mutex_);
  limit_ = kWidened * kMaxQueuedBytes;
}

}  // namespace logvault::forwarder
