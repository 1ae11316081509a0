// SyslogConnection: one sender's TCP or TLS connection, from bytes to messages.  What it costs is bounded: one unfinished
// piece of a message, and one receive.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "common/clock.h"
#include "common/status.h"
#include "forwarder/message_queue.h"
#include "forwarder/syslog_framing.h"
#include "pki/tls_server.h"

namespace logvault::forwarder {

inline constexpr std::int64_t kTlsHandshakeMaxNanos = 10 * kNanosPerSecond;

class SyslogConnection {
 public:
  // Owns `fd`.  `tls` is null for plain TCP.  `number` tells it from every other one of its source.
  SyslogConnection(int fd, std::string address, std::unique_ptr<pki::TlsSession> tls,
                   std::uint64_t number, std::int64_t now);
  ~SyslogConnection();
  SyslogConnection(const SyslogConnection&) = delete;
  SyslogConnection& operator=(const SyslogConnection&) = delete;

  enum class Outcome { kOpen, kNothingThere, kOver };
  // What finds the queue full: it overfills it, by one receive at most, or is dropped.
  enum class WhenFull { kKeep, kDrop };
  // Receives once and queues what is complete.  kOver with a reason in `*why` where it is closed for cause.
  Outcome Receive(MessageQueue& queue, WhenFull when_full, const Clock& clock, Status* why);
  // What it ended within, flagged PARTIAL.
  void QueueRest(MessageQueue& queue, const Clock& clock);
  // What is there of an unfinished message becomes a piece of it.
  void QueueUnfinished(MessageQueue& queue, const Clock& clock);

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] const std::string& address() const { return address_; }
  [[nodiscard]] std::size_t buffered() const { return framing_.buffered(); }
  [[nodiscard]] std::int64_t last_received() const { return last_received_; }  // Clock::Monotonic
  // What its messages cost the queue, since the last call.
  std::size_t TakeCost() { return std::exchange(cost_, 0); }
  // Its address has sent all that it may until then (Clock::Monotonic).
  void set_next_turn(std::int64_t next_turn) { next_turn_ = next_turn; }
  [[nodiscard]] std::int64_t next_turn() const { return next_turn_; }
  [[nodiscard]] bool wants_to_send() const { return !output_.empty(); }
  [[nodiscard]] bool handshake_overdue(std::int64_t now) const {
    return tls_ != nullptr && !tls_->established() && now - opened_ > kTlsHandshakeMaxNanos;
  }

 private:
  Status Decrypt(std::string_view bytes, std::string_view* text);
  void Send();
  void QueueComplete(MessageQueue& queue, WhenFull when_full, const Clock& clock);
  void Queue(const SyslogPiece& piece, MessageQueue& queue, WhenFull when_full, const Clock& clock);

  const int fd_;
  const std::string address_;
  const std::unique_ptr<pki::TlsSession> tls_;
  const std::uint64_t number_;
  const std::int64_t opened_;
  std::int64_t last_received_;
  std::int64_t next_turn_ = INT64_MIN;
  std::size_t cost_ = 0;
  std::shared_ptr<const std::string> origin_;
  bool named_ = false;  // the origin says whom the certificate names
  SyslogFraming framing_;
  std::string text_;    // decrypted
  std::string output_;  // for the peer: handshake messages
};

}  // namespace logvault::forwarder
