#include "forwarder/syslog_listener.h"

#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "evidence/payload.h"

namespace logvault::forwarder {

namespace {

constexpr std::int64_t kRoundNanos = kNanosPerSecond;  // for deadlines and the kernel's counts
constexpr int kDatagramsATurn = 1000;
constexpr int kNoDescriptorWaitMillis = 10;
constexpr int kLastReceives = 256;  // of one connection, at the end
constexpr const char* kTooMany = "connections refused: too many are open";

}  // namespace

SyslogListener::SyslogListener(SyslogListenerOptions options, MessageQueue& queue,
                               const Clock& clock)
    : options_(std::move(options)),
      queue_(queue),
      clock_(clock),
      limits_(options_.sender_rate, clock),
      scratch_(kMaxDatagramBytes, '\0') {}

SyslogListener::~SyslogListener() {
  Stop();
  for (const Datagrams& socket : datagrams_) ::close(socket.fd);
  for (const Acceptor& acceptor : acceptors_) ::close(acceptor.fd);
}

Result<std::unique_ptr<SyslogListener>> SyslogListener::Open(SyslogListenerOptions options,
                                                             MessageQueue& queue,
                                                             const Clock& clock) {
  std::unique_ptr<SyslogListener> listener(new SyslogListener(std::move(options), queue, clock));
  LV_RETURN_IF_ERROR(listener->Bind());
  listener->thread_ = std::jthread([self = listener.get()] { self->Run(); });
  return listener;
}

Status SyslogListener::Bind() {
  if (!options_.udp.empty())
    LV_RETURN_IF_ERROR(BindDatagrams(BindAddress(options_.udp, SOCK_DGRAM), nullptr, &udp_port_));
  if (!options_.tcp.empty()) LV_RETURN_IF_ERROR(BindAcceptor(options_.tcp, false, &tcp_port_));
  if (!options_.tls.empty()) {
    Result<std::unique_ptr<pki::TlsServer>> tls = pki::TlsServer::Open(options_.files, clock_);
    if (!tls.ok()) return tls.status();
    tls_ = *std::move(tls);
    LV_RETURN_IF_ERROR(BindAcceptor(options_.tls, true, &tls_port_));
  }
  if (options_.unix_path.empty()) return Status::Ok();
  std::uint16_t no_port = 0;
  return BindDatagrams(BindPath(options_.unix_path),
                       std::make_shared<std::string>("unix:" + options_.unix_path), &no_port);
}

Status SyslogListener::BindDatagrams(Result<BoundSocket> bound,
                                     std::shared_ptr<const std::string> origin,
                                     std::uint16_t* port) {
  if (!bound.ok()) return bound.status();
  *port = bound->port;
  datagrams_.push_back({bound->fd, std::move(origin), 0});
  return Status::Ok();
}

Status SyslogListener::BindAcceptor(const std::string& address, bool tls, std::uint16_t* port) {
  Result<BoundSocket> bound = BindAddress(address, SOCK_STREAM);
  if (!bound.ok()) return bound.status();
  *port = bound->port;
  acceptors_.push_back({bound->fd, tls});
  return Status::Ok();
}

void SyslogListener::Stop() {
  if (!thread_.joinable()) return;
  stopping_ = true;
  stop_.Ring();
  thread_.join();
  if (!options_.unix_path.empty()) (void)::unlink(options_.unix_path.c_str());
}

void SyslogListener::Run() {
  while (!stopping_) {
    WaitAndTake();
    if (clock_.Monotonic() < next_count_) continue;
    next_count_ = clock_.Monotonic() + kRoundNanos;
    CountKernelDrops();
    CloseOverdue();
  }
  TakeTheRest();
}

// Whether connections are read: there is room, or they have waited long enough.
bool SyslogListener::MayRead() {
  if (queue_.has_room()) {
    full_since_ = -1;
    return true;
  }
  const std::int64_t now = clock_.Monotonic();
  if (full_since_ < 0) full_since_ = now;
  return now - full_since_ >= options_.sender_wait_nanos;
}

void SyslogListener::WaitAndTake() {
  const bool read = MayRead();
  std::vector<pollfd> waiting = {{stop_.fd(), POLLIN, 0}, {queue_.room().fd(), POLLIN, 0}};
  for (const Datagrams& socket : datagrams_) waiting.push_back({socket.fd, POLLIN, 0});
  for (const Acceptor& acceptor : acceptors_) waiting.push_back({acceptor.fd, POLLIN, 0});
  std::int64_t wait = read ? kRoundNanos : std::min(kRoundNanos, options_.sender_wait_nanos);
  WatchConnections(read, waiting, wait);
  constexpr std::int64_t kNanosPerMilli = 1'000'000;
  const auto millis = static_cast<int>((wait + kNanosPerMilli - 1) / kNanosPerMilli);
  if (::poll(waiting.data(), waiting.size(), millis) <= 0) return;
  if (waiting[1].revents != 0) queue_.room().Clear();
  auto next = waiting.begin() + 2;
  for (Datagrams& socket : datagrams_) {
    if ((next++)->revents != 0) TakeDatagrams(socket);
  }
  const auto acceptors = next;
  next += static_cast<std::ptrdiff_t>(acceptors_.size());
  for (auto connection = connections_.begin(); connection != connections_.end(); ++next) {
    auto at = connection++;
    const bool ready = next->revents != 0 && (MayRead() || (next->revents & POLLOUT) != 0);
    if (ready && !TakeFrom(*at)) connections_.erase(at);
  }
  CutUnfinished();
  for (std::size_t i = 0; i < acceptors_.size(); ++i) {
    if (acceptors[static_cast<std::ptrdiff_t>(i)].revents != 0) (void)Accept(acceptors_[i]);
  }
}

// `wait` becomes shorter where a connection has its turn again before.
void SyslogListener::WatchConnections(bool read, std::vector<pollfd>& waiting,
                                      std::int64_t& wait) const {
  const std::int64_t now = clock_.Monotonic();
  for (const SyslogConnection& connection : connections_) {
    const std::int64_t pause = connection.next_turn() > now ? connection.next_turn() - now : 0;
    if (pause > 0) wait = std::min(wait, pause);
    const int events = (read ? POLLIN : 0) | (connection.wants_to_send() ? POLLOUT : 0);
    // One that is not to be read must not wake us because it was closed.
    const bool watched = events != 0 && pause == 0;
    waiting.push_back({watched ? connection.fd() : -1, static_cast<short>(events), 0});
  }
}

void SyslogListener::TakeDatagrams(Datagrams& socket) {
  for (int taken = 0; taken < kDatagramsATurn; ++taken) {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    // MSG_TRUNC: `n` is how long it was.
    const ssize_t n = ::recvfrom(socket.fd, scratch_.data(), scratch_.size(), MSG_TRUNC,
                                 reinterpret_cast<sockaddr*>(&peer), &size);
    if (n < 0) return;
    if (n == 0) continue;
    const std::size_t taken_bytes = std::min(static_cast<std::size_t>(n), scratch_.size());
    Message message;
    message.origin =
        socket.origin != nullptr ? socket.origin : std::make_shared<std::string>(AddressOf(peer));
    // At a stop there is room for what the kernel holds, which may be more than a burst.
    if (!stopping_ && !limits_.Take(*message.origin, taken_bytes + kMessageOverheadBytes)) {
      notices_.CountOverRate(*message.origin, taken_bytes);
      continue;
    }
    message.bytes.assign(scratch_, 0, taken_bytes);
    message.read_time = clock_.Now();
    const std::size_t cut = static_cast<std::size_t>(n) - taken_bytes;
    if (cut > 0) message.flags = evidence::kRecordPartial;
    if (cut > 0) notices_.CountCut(cut);
    queue_.Push(std::move(message));
  }
}

void SyslogListener::CountKernelDrops() {
  for (Datagrams& socket : datagrams_) {
    const std::uint32_t dropped = KernelDrops(socket.fd);
    if (dropped != socket.dropped) notices_.CountKernelDrops(dropped - socket.dropped);
    socket.dropped = dropped;
  }
}

// False where nobody waits to be heard.
bool SyslogListener::Accept(const Acceptor& acceptor) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  const int fd = ::accept4(acceptor.fd, reinterpret_cast<sockaddr*>(&peer), &size,
                           SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) {
    // Without a descriptor to spare the connection stays where it is, and would be offered at once again.
    if (errno == EMFILE || errno == ENFILE) (void)::poll(nullptr, 0, kNoDescriptorWaitMillis);
    return false;
  }
  std::string address = AddressOf(peer);
  std::unique_ptr<pki::TlsSession> session;
  Status failed = MakeRoomFor(address) ? Status::Ok() : ResourceExhausted(kTooMany);
  if (failed.ok() && acceptor.tls) {
    Status stale;
    Result<std::unique_ptr<pki::TlsSession>> accepted = tls_->Accept(&stale);
    if (!stale.ok()) spdlog::warn("syslog over TLS goes on with what it had: {}", stale.message());
    failed = accepted.status();
    if (accepted.ok()) session = *std::move(accepted);
  }
  if (!failed.ok()) {
    notices_.CountClosed(failed.message(), address);
    ::close(fd);
    return true;
  }
  connections_.emplace_back(fd, std::move(address), std::move(session), ++accepted_,
                            clock_.Monotonic());
  return true;
}

// Where there are too many, the one that was silent longest goes, if it was for long.
bool SyslogListener::MakeRoomFor(const std::string& address) {
  auto silent = connections_.end();
  std::size_t of_address = 0;
  for (auto at = connections_.begin(); at != connections_.end(); ++at) {
    if (at->address() == address) ++of_address;
    const bool older =
        silent == connections_.end() || at->last_received() < silent->last_received();
    if (older) silent = at;
  }
  if (of_address >= kMaxConnectionsOfOneAddress) return false;
  if (connections_.size() < kMaxSyslogConnections) return true;
  if (clock_.Monotonic() - silent->last_received() < kIdleNanos) return false;
  silent->QueueRest(queue_, clock_);
  notices_.CountClosed("idle connections closed to make room for others", silent->address());
  connections_.erase(silent);
  return true;
}

// False once the connection is over.
bool SyslogListener::TakeFrom(SyslogConnection& connection) {
  const std::int64_t next_turn = limits_.NextTurn(connection.address());
  if (next_turn > clock_.Monotonic()) {
    connection.set_next_turn(next_turn);
    return true;
  }
  const bool open = Receive(connection);
  (void)limits_.Take(connection.address(), connection.TakeCost());
  return open;
}

bool SyslogListener::Receive(SyslogConnection& connection) {
  using WhenFull = SyslogConnection::WhenFull;
  const WhenFull when_full = queue_.has_room() ? WhenFull::kKeep : WhenFull::kDrop;
  Status why;
  if (connection.Receive(queue_, when_full, clock_, &why) != SyslogConnection::Outcome::kOver)
    return true;
  connection.QueueRest(queue_, clock_);
  if (!why.ok()) {
    if (notices_.CountClosed(why.message(), connection.address()))
      spdlog::warn("syslog from {} refused: {}", connection.address(), why.message());
  }
  return false;
}

void SyslogListener::CutUnfinished() {
  std::size_t total = 0;
  for (SyslogConnection& connection : connections_) {
    total += connection.buffered();
    if (total <= kMaxUnfinishedBytes) continue;
    total -= connection.buffered();
    connection.QueueUnfinished(queue_, clock_);
  }
}

void SyslogListener::CloseOverdue() {
  std::erase_if(connections_, [this](const SyslogConnection& connection) {
    if (!connection.handshake_overdue(clock_.Monotonic())) return false;
    notices_.CountClosed("TLS handshake not finished in 10 s", connection.address());
    return true;
  });
}

// What the kernel holds when the end comes, in bounds: a sender may be faster than we.
void SyslogListener::TakeTheRest() {
  for (Datagrams& socket : datagrams_) TakeDatagrams(socket);
  CountKernelDrops();
  for (const Acceptor& acceptor : acceptors_) {
    for (std::size_t i = 0; i < kMaxSyslogConnections && Accept(acceptor); ++i) {
    }
  }
  for (SyslogConnection& connection : connections_) {
    Status why;
    for (int i = 0;
         i < kLastReceives && connection.Receive(queue_, SyslogConnection::WhenFull::kDrop, clock_,
                                                 &why) == SyslogConnection::Outcome::kOpen;
         ++i) {
    }
    connection.QueueRest(queue_, clock_);
  }
  connections_.clear();
}

}  // namespace logvault::forwarder
