// SyslogSource: the stream of a network listener: UDP, TCP, TLS and a Unix datagram socket.
//
// A record is a datagram as received, or a TCP message without its octet count; its origin is the sender's address, and
// whom its certificate names.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/clock.h"
#include "formats/event_time.h"
#include "forwarder/message_queue.h"
#include "forwarder/source.h"
#include "forwarder/syslog_listener.h"

namespace logvault::forwarder {

// What senders lost, and whom was not listened to, is said so often at most, with the numbers since: while somebody floods
// there is more at every look.
inline constexpr std::int64_t kNoticePauseNanos = 5 * kNanosPerSecond;

class SyslogSource final : public Source {
 public:
  // `clock` must outlive the source.
  static Result<std::unique_ptr<SyslogSource>> Open(std::string name, SyslogListenerOptions options,
                                                    formats::TimeZone zone, const Clock& clock);

  Outcome Read(OpenBatch& batch) override;
  void Watch() override { queue_.Hush(); }
  void Finish() override;
  std::vector<evidence::PositionEntry> TakePosition() override { return {}; }
  bool Resume(const std::vector<evidence::PositionEntry>&, bool) override { return false; }
  OwnRecords TakeOwnRecords() override;
  [[nodiscard]] SourceState state() const override;
  [[nodiscard]] bool reads_again() const override { return false; }
  [[nodiscard]] int poll_fd() const override { return queue_.fd(); }

  [[nodiscard]] const SyslogListener& listener() const { return *listener_; }

 private:
  SyslogSource(std::string name, formats::TimeZone zone, const Clock& clock)
      : name_(std::move(name)), clock_(clock) {
    times_.zone = std::move(zone);
  }

  const std::string name_;
  const Clock& clock_;
  formats::TimeContext times_;
  MessageQueue queue_;
  std::int64_t next_notices_ = INT64_MIN;     // Clock::Monotonic
  std::unique_ptr<SyslogListener> listener_;  // last: its thread uses the queue
};

}  // namespace logvault::forwarder
