#include "forwarder/syslog_connection.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "evidence/payload.h"

namespace logvault::forwarder {

namespace {

constexpr std::size_t kReceiveBytes = 64 * 1024;

}  // namespace

SyslogConnection::SyslogConnection(int fd, std::string address,
                                   std::unique_ptr<pki::TlsSession> tls, std::uint64_t number,
                                   std::int64_t now)
    : fd_(fd),
      address_(std::move(address)),
      tls_(std::move(tls)),
      number_(number),
      opened_(now),
      last_received_(now),
      origin_(std::make_shared<std::string>(address_)) {}

SyslogConnection::~SyslogConnection() { ::close(fd_); }

SyslogConnection::Outcome SyslogConnection::Receive(MessageQueue& queue, WhenFull when_full,
                                                    const Clock& clock, Status* why) {
  char bytes[kReceiveBytes];
  Send();
  const ssize_t n = ::recv(fd_, bytes, sizeof bytes, 0);
  if (n < 0) {
    const bool later = errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
    return later ? Outcome::kNothingThere : Outcome::kOver;
  }
  if (n == 0) return Outcome::kOver;
  last_received_ = clock.Monotonic();
  std::string_view text(bytes, static_cast<std::size_t>(n));
  if (tls_ != nullptr) *why = Decrypt(text, &text);
  framing_.Add(text);
  QueueComplete(queue, when_full, clock);
  return why->ok() && !(tls_ != nullptr && tls_->closed()) ? Outcome::kOpen : Outcome::kOver;
}

// `*text` is valid until the next call.
Status SyslogConnection::Decrypt(std::string_view bytes, std::string_view* text) {
  text_.clear();
  Status fed = tls_->Feed(bytes, &text_);
  output_ += tls_->TakeOutput();
  Send();
  *text = text_;
  if (!named_ && tls_->established()) {
    named_ = true;
    const std::string name = tls_->peer_name();
    if (!name.empty()) origin_ = std::make_shared<std::string>(address_ + " " + name);
  }
  return fed;
}

// A peer that takes nothing stays in its handshake, which has a deadline.
void SyslogConnection::Send() {
  if (output_.empty()) return;
  const ssize_t n = ::send(fd_, output_.data(), output_.size(), MSG_NOSIGNAL);
  if (n > 0) output_.erase(0, static_cast<std::size_t>(n));
}

void SyslogConnection::QueueComplete(MessageQueue& queue, WhenFull when_full, const Clock& clock) {
  while (const std::optional<SyslogPiece> piece = framing_.Next())
    Queue(*piece, queue, when_full, clock);
}

void SyslogConnection::QueueUnfinished(MessageQueue& queue, const Clock& clock) {
  if (const std::optional<SyslogPiece> piece = framing_.Unfinished())
    Queue(*piece, queue, WhenFull::kDrop, clock);
}

void SyslogConnection::QueueRest(MessageQueue& queue, const Clock& clock) {
  while (const std::optional<SyslogPiece> piece = framing_.Rest())
    Queue(*piece, queue, WhenFull::kDrop, clock);
}

void SyslogConnection::Queue(const SyslogPiece& piece, MessageQueue& queue, WhenFull when_full,
                             const Clock& clock) {
  cost_ += piece.bytes.size() + kMessageOverheadBytes;
  Message message;
  message.bytes = piece.bytes;
  message.origin = origin_;
  message.read_time = clock.Now();
  message.connection = number_;
  if (piece.continues) message.flags |= evidence::kRecordContinues;
  if (piece.partial) message.flags |= evidence::kRecordPartial;
  if (when_full == WhenFull::kKeep) return queue.PushOver(std::move(message));
  queue.Push(std::move(message));
}

}  // namespace logvault::forwarder
