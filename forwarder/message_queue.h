// MessageQueue: what a receiver's thread took from sockets, until the intake takes it over.  Bounded: what comes while it
// is full is dropped and counted, so that no sender need wait for the vault.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "common/clock.h"
#include "common/mutex.h"
#include "forwarder/doorbell.h"
#include "forwarder/open_batch.h"

namespace logvault::forwarder {

inline constexpr std::size_t kMaxQueuedBytes = 4 * 1024 * 1024;
// What a message costs besides its bytes, so that empty ones are bounded too.
inline constexpr std::size_t kMessageOverheadBytes = 128;

struct Message {
  std::string bytes;
  std::shared_ptr<const std::string> origin;
  UnixNanos read_time = 0;
  std::uint32_t flags = 0;       // evidence::kRecord...
  std::uint64_t connection = 0;  // counts the receiver's connections, where it is one's
};

struct Dropped {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
};

// Push from any thread; everything else from the reader's one thread, but for what says otherwise.
class MessageQueue {
 public:
  void Push(Message message) LV_EXCLUDES(mutex_);
  // Although it may be full: for a sender that was asked to send while there was room.
  void PushOver(Message message) LV_EXCLUDES(mutex_);
  // Any thread.
  [[nodiscard]] bool has_room() const LV_EXCLUDES(mutex_);
  // Rings once a full queue is half empty again.  Any thread.
  Doorbell& room() { return room_; }

  // Moves messages into `batch` until it is full (false) or nothing is left.  `event_time` may look at each before, and once
  // more where the batch had no room for it; `moved` at each that is in the batch.
  bool MoveTo(
      OpenBatch& batch, const std::function<UnixNanos(const Message&)>& event_time,
      const std::function<void(const Message&)>& moved = [](const Message&) {}) LV_EXCLUDES(mutex_);
  // Readable once something came, until MoveTo found nothing left, or Hush.
  [[nodiscard]] int fd() const { return news_.fd(); }
  void Hush() { news_.Clear(); }
  [[nodiscard]] std::uint64_t bytes() const LV_EXCLUDES(mutex_);
  // Since the last call.
  Dropped TakeDropped() LV_EXCLUDES(mutex_);
  // Messages, since the start.
  [[nodiscard]] std::uint64_t dropped() const LV_EXCLUDES(mutex_);
  // Nothing is asked any more but what lies in the kernel's buffers, which may be some times a queue.
  void Widen() LV_EXCLUDES(mutex_);

 private:
  void Add(Message message) LV_REQUIRES(mutex_);
  const Message* Front() LV_EXCLUDES(mutex_);
  void Pop() LV_EXCLUDES(mutex_);

  Doorbell news_;
  Doorbell room_;
  mutable Mutex mutex_;
  std::deque<Message> messages_ LV_GUARDED_BY(mutex_);  // the front stays where it is until Pop
  std::size_t cost_ LV_GUARDED_BY(mutex_) = 0;
  std::size_t bytes_ LV_GUARDED_BY(mutex_) = 0;
  std::size_t limit_ LV_GUARDED_BY(mutex_) = kMaxQueuedBytes;
  bool was_full_ LV_GUARDED_BY(mutex_) = false;
  Dropped dropped_ LV_GUARDED_BY(mutex_);
  std::uint64_t dropped_ever_ LV_GUARDED_BY(mutex_) = 0;
};

}  // namespace logvault::forwarder
