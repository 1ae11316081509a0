// AuditClient: takes audit events live from the socket of auditd's af_unix plugin.
//
// The plugin listens; we connect, and get every record as a line, the EOE records too, which auditd writes to no file.
// A thread of its own reads at once whatever comes: auditd never waits for us.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "common/clock.h"
#include "common/mutex.h"
#include "common/status.h"
#include "forwarder/doorbell.h"
#include "forwarder/message_queue.h"

namespace logvault::forwarder {

// auditd's records have at most some 9 KiB, twice as much with what it looked up.  A longer line comes in pieces.
inline constexpr std::size_t kMaxAuditLineBytes = 256 * 1024;
// The plugin may be started after us, or anew.
inline constexpr std::int64_t kAuditReconnectMaxNanos = 5 * kNanosPerSecond;

class AuditClient {
 public:
  // Connects for ever to the socket at `path`.  `queue` and `clock` must outlive the client.
  AuditClient(std::string path, MessageQueue& queue, const Clock& clock);
  // What the kernel still holds is taken first.
  ~AuditClient();

  // OK while connected; else why not.
  [[nodiscard]] Status state() const LV_EXCLUDES(mutex_);
  // Takes what the kernel still holds, and ends.
  void Stop();

 private:
  void Run();
  int Connect();
  void ReadUntilClosed(int fd);
  bool ReadOnce(int fd);
  void QueueLines();
  void QueueRest();
  void Queue(std::string_view bytes, bool ends, std::uint32_t flags);
  void SetState(Status state) LV_EXCLUDES(mutex_);
  bool WaitToReconnect();

  const std::string path_;
  MessageQueue& queue_;
  const Clock& clock_;
  const std::shared_ptr<const std::string> origin_;
  Doorbell stop_;
  std::atomic<bool> stopping_{false};
  std::int64_t wait_nanos_ = 0;
  std::uint64_t connection_ = 0;
  std::string buffer_;
  bool in_line_ = false;  // the front of the buffer goes on with a line that was cut
  mutable Mutex mutex_;
  Status state_ LV_GUARDED_BY(mutex_);
  std::jthread thread_;  // last: it uses everything above
};

}  // namespace logvault::forwarder
