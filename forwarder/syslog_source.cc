#include "forwarder/syslog_source.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "config/address.h"

namespace logvault::forwarder {

namespace {

constexpr std::size_t kReceiveBytes = 64 * 1024;
// As much as a burst needs while the intake seals; the kernel may grant less.
constexpr int kReceiveBuffer = 4 * 1024 * 1024;
constexpr int kMaxEvents = 64;
constexpr int kBacklog = 128;

Status ErrnoStatus(const std::string& what) {
  return FailedPrecondition(what + ": " + std::strerror(errno));
}

// Without the port: it says nothing about who the sender is.
std::string NameOf(const sockaddr_storage& peer) {
  char text[INET6_ADDRSTRLEN] = "";
  if (peer.ss_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&peer);
    ::inet_ntop(AF_INET, &v4->sin_addr, text, sizeof text);
  } else if (peer.ss_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&peer);
    bool mapped = IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr) != 0;
    if (mapped) {
      ::inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], text, sizeof text);
    } else {
      ::inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof text);
    }
  }
  return text;
}

std::uint16_t BoundPort(int fd) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) != 0) return 0;
  if (bound.ss_family == AF_INET6) return ntohs(reinterpret_cast<sockaddr_in6*>(&bound)->sin6_port);
  return ntohs(reinterpret_cast<sockaddr_in*>(&bound)->sin_port);
}

}  // namespace

SyslogSource::SyslogSource(std::string name, formats::TimeZone zone, const Clock& clock)
    : name_(std::move(name)), clock_(clock), scratch_(kReceiveBytes, '\0') {
  times_.zone = std::move(zone);
}

SyslogSource::~SyslogSource() {
  for (const auto& [fd, socket] : sockets_) ::close(fd);
  if (epoll_fd_ >= 0) ::close(epoll_fd_);
}

Result<std::unique_ptr<SyslogSource>> SyslogSource::Open(const config::SourceConfig& config,
                                                         formats::TimeZone zone,
                                                         const Clock& clock) {
  if (!config.tls.empty()) return InvalidArgument("tls is not supported by this version");
  std::unique_ptr<SyslogSource> source(new SyslogSource(config.name, std::move(zone), clock));
  source->epoll_fd_ = ::epoll_create1(EPOLL_CLOEXEC);
  if (source->epoll_fd_ < 0) return ErrnoStatus("epoll");
  if (!config.udp.empty())
    LV_RETURN_IF_ERROR(source->Bind(config.udp, SOCK_DGRAM, &source->udp_port_));
  if (!config.tcp.empty())
    LV_RETURN_IF_ERROR(source->Bind(config.tcp, SOCK_STREAM, &source->tcp_port_));
  if (!config.unix_path.empty()) LV_RETURN_IF_ERROR(source->BindUnix(config.unix_path));
  return source;
}

Status SyslogSource::Bind(const std::string& address, int type, std::uint16_t* port) {
  Result<config::Address> parsed = config::ParseAddress(address);
  if (!parsed.ok()) return parsed.status();
  addrinfo hints{};
  hints.ai_socktype = type;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  int failure =
      ::getaddrinfo(parsed->host.c_str(), std::to_string(parsed->port).c_str(), &hints, &found);
  if (failure != 0) return InvalidArgument(address + ": " + ::gai_strerror(failure));
  int fd = ::socket(found->ai_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  int on = 1;
  if (type == SOCK_STREAM) (void)::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  bool bound = fd >= 0 && ::bind(fd, found->ai_addr, found->ai_addrlen) == 0 &&
               (type == SOCK_DGRAM || ::listen(fd, kBacklog) == 0);
  Status failed = bound ? Status::Ok() : ErrnoStatus(address);
  ::freeaddrinfo(found);
  if (!failed.ok()) {
    ::close(fd);
    return failed;
  }
  *port = BoundPort(fd);
  Socket socket;
  socket.kind = type == SOCK_DGRAM ? Kind::kDatagram : Kind::kListener;
  return Watch(fd, std::move(socket));
}

Status SyslogSource::BindUnix(const std::string& path) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (path.size() >= sizeof name.sun_path)
    return InvalidArgument(path + ": longer than a socket's name may be");
  std::memcpy(name.sun_path, path.c_str(), path.size() + 1);
  struct stat old {};
  if (::lstat(path.c_str(), &old) == 0 && S_ISSOCK(old.st_mode)) (void)::unlink(path.c_str());
  int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0 || ::bind(fd, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0) {
    Status failed = ErrnoStatus(path);
    ::close(fd);
    return failed;
  }
  (void)::chmod(path.c_str(), 0666);  // Every program may log.
  Socket socket;
  socket.origin = "unix:" + path;
  return Watch(fd, std::move(socket));
}

Status SyslogSource::Watch(int fd, Socket socket) {
  int on = 1;
  if (socket.kind == Kind::kDatagram) {
    (void)::setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on);
    (void)::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kReceiveBuffer, sizeof kReceiveBuffer);
  }
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  if (::epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) != 0) {
    Status failed = ErrnoStatus("epoll");
    ::close(fd);
    return failed;
  }
  sockets_.emplace(fd, std::move(socket));
  return Status::Ok();
}

void SyslogSource::Watch() { Receive(); }

Source::Outcome SyslogSource::Read(OpenBatch& batch) {
  Receive();
  for (; !queue_.empty(); queue_.pop_front()) {
    const Message& message = queue_.front();
    evidence::RecordView record;
    record.read_time = times_.not_after = message.read_time;
    bool goes_on = (message.flags & evidence::kRecordContinues) != 0;
    record.event_time =
        goes_on ? kNoTime : formats::EventTime(formats::Format::kSyslog, message.bytes, times_);
    record.flags = message.flags;
    record.origin = message.origin;
    record.bytes = message.bytes;
    if (!batch.Add(record)) return Outcome::kFull;
    queued_bytes_ -= message.bytes.size();
  }
  return Outcome::kIdle;
}

void SyslogSource::Receive() {
  epoll_event events[kMaxEvents];
  while (!full()) {
    int n = ::epoll_wait(epoll_fd_, events, kMaxEvents, 0);
    if (n <= 0) return;
    for (int i = 0; i < n && !full(); ++i) {
      int fd = events[i].data.fd;
      Socket& socket = sockets_.at(fd);
      switch (socket.kind) {
        case Kind::kDatagram:
          ReceiveDatagrams(fd, socket);
          break;
        case Kind::kListener:
          Accept(fd);
          break;
        case Kind::kConnection:
          if (!ReceiveStream(fd, socket)) Close(fd);
          break;
      }
    }
  }
}

void SyslogSource::ReceiveDatagrams(int fd, Socket& socket) {
  while (!full()) {
    sockaddr_storage peer{};
    iovec part{scratch_.data(), scratch_.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(std::uint32_t))];
    msghdr message{};
    message.msg_name = &peer;
    message.msg_namelen = sizeof peer;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    ssize_t n = ::recvmsg(fd, &message, 0);
    if (n < 0) return;
    for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
      if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SO_RXQ_OVFL) continue;
      std::uint32_t dropped = 0;
      std::memcpy(&dropped, CMSG_DATA(c), sizeof dropped);
      CountDrops(socket, dropped);
    }
    if (n == 0) continue;
    Queue(std::string_view(scratch_).substr(0, static_cast<std::size_t>(n)),
          socket.origin.empty() ? NameOf(peer) : socket.origin, 0);
  }
}

// The kernel's count only grows, and wraps.
void SyslogSource::CountDrops(Socket& socket, std::uint32_t now) {
  dropped_ += now - socket.dropped;
  socket.dropped = now;
}

void SyslogSource::Accept(int fd) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  int connection =
      ::accept4(fd, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (connection < 0) return;
  if (connections_ >= kMaxSyslogConnections) {
    ::close(connection);
    ++refused_connections_;
    return;
  }
  Socket socket;
  socket.kind = Kind::kConnection;
  socket.origin = NameOf(peer);
  if (Watch(connection, std::move(socket)).ok()) ++connections_;
}

// False once the connection has ended.
bool SyslogSource::ReceiveStream(int fd, Socket& socket) {
  while (!full()) {
    ssize_t n = ::recv(fd, scratch_.data(), scratch_.size(), 0);
    if (n < 0) return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
    if (n == 0) return false;
    socket.framing.Add(std::string_view(scratch_).substr(0, static_cast<std::size_t>(n)));
    while (std::optional<SyslogPiece> piece = socket.framing.Next()) {
      Queue(piece->bytes, socket.origin, piece->continues ? evidence::kRecordContinues : 0);
    }
  }
  return true;
}

void SyslogSource::Close(int fd) {
  auto found = sockets_.find(fd);
  while (std::optional<SyslogPiece> piece = found->second.framing.Rest()) {
    Queue(piece->bytes, found->second.origin,
          evidence::kRecordPartial | (piece->continues ? evidence::kRecordContinues : 0));
  }
  ::close(fd);
  sockets_.erase(found);
  --connections_;
}

void SyslogSource::Queue(std::string_view bytes, const std::string& origin, std::uint32_t flags) {
  queue_.push_back({std::string(bytes), origin, clock_.Now(), flags});
  queued_bytes_ += bytes.size();
}

OwnRecords SyslogSource::TakeOwnRecords() {
  OwnRecords records;
  if (dropped_ > 0) {
    nlohmann::json gap = {
        {"type", "gap"},
        {"source", name_},
        {"records", dropped_},
        {"exact", true},
        {"reason", "datagrams dropped by the kernel: the receive buffer was full"}};
    records.push_back(gap.dump());
    dropped_ = 0;
  }
  if (refused_connections_ > 0) {
    nlohmann::json warning = {{"type", "warning"},
                              {"source", name_},
                              {"connections", refused_connections_},
                              {"reason", "connections refused: too many are open"}};
    records.push_back(warning.dump());
    refused_connections_ = 0;
  }
  return records;
}

SourceState SyslogSource::state() const {
  SourceState state;
  state.lag_bytes = queued_bytes_;
  return state;
}

}  // namespace logvault::forwarder
