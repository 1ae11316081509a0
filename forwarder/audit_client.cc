#include "forwarder/audit_client.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "evidence/payload.h"

namespace logvault::forwarder {

namespace {

constexpr std::int64_t kFirstWaitNanos = kNanosPerSecond / 10;
constexpr std::size_t kReceiveBytes = 64 * 1024;
constexpr int kLastReads = 256;
constexpr int kReceiveBuffer = 4 * 1024 * 1024;

}  // namespace

AuditClient::AuditClient(std::string path, MessageQueue& queue, const Clock& clock)
    : path_(std::move(path)),
      queue_(queue),
      clock_(clock),
      origin_(std::make_shared<std::string>("unix:" + path_)),
      state_(Unavailable("not connected yet")),
      thread_([this] { Run(); }) {}

AuditClient::~AuditClient() { Stop(); }

void AuditClient::Stop() {
  if (!thread_.joinable()) return;
  stopping_ = true;
  stop_.Ring();
  thread_.join();
}

Status AuditClient::state() const {
  MutexLock lock(mutex_);
  return state_;
}

void AuditClient::SetState(Status state) {
  MutexLock lock(mutex_);
  state_ = std::move(state);
}

void AuditClient::Run() {
  do {
    const int fd = Connect();
    if (fd < 0) continue;
    ++connection_;
    wait_nanos_ = 0;
    SetState(Status::Ok());
    ReadUntilClosed(fd);
    ::close(fd);
    QueueRest();
    SetState(Unavailable(path_ + ": closed by auditd"));
  } while (WaitToReconnect());
}

// A connected socket, or -1 and the reason in the state.
int AuditClient::Connect() {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  path_.copy(name.sun_path, sizeof name.sun_path - 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd >= 0)
    (void)::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kReceiveBuffer, sizeof kReceiveBuffer);
  if (fd >= 0 && ::connect(fd, reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0)
    return fd;
  const std::string message = path_ + ": " + std::strerror(errno);
  SetState(errno == EACCES ? PermissionDenied(message) : NotFound(message));
  if (fd >= 0) ::close(fd);
  return -1;
}

// False when it is time to stop.
bool AuditClient::WaitToReconnect() {
  wait_nanos_ = std::clamp(2 * wait_nanos_, kFirstWaitNanos, kAuditReconnectMaxNanos);
  pollfd waiting{stop_.fd(), POLLIN, 0};
  if (!stopping_) (void)::poll(&waiting, 1, static_cast<int>(wait_nanos_ / 1'000'000));
  return !stopping_;
}

void AuditClient::ReadUntilClosed(int fd) {
  while (!stopping_) {
    pollfd waiting[] = {{fd, POLLIN, 0}, {stop_.fd(), POLLIN, 0}};
    (void)::poll(waiting, std::size(waiting), -1);
    if (!ReadOnce(fd)) return;
  }
  // What the kernel holds, in bounds: auditd may be faster than we.
  for (int reads = 0; reads < kLastReads && ReadOnce(fd); ++reads) {
  }
}

// False once the other end has closed it, or nothing is there.
bool AuditClient::ReadOnce(int fd) {
  const std::size_t before = buffer_.size();
  buffer_.resize(before + kReceiveBytes);
  const ssize_t n = ::recv(fd, buffer_.data() + before, kReceiveBytes, 0);
  const bool nothing_there = n < 0 && (errno == EAGAIN || errno == EINTR);
  buffer_.resize(before + static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
  QueueLines();
  if (nothing_there) return !stopping_;
  return n > 0;
}

void AuditClient::QueueLines() {
  std::size_t begin = 0;
  while (begin < buffer_.size()) {
    const std::string_view rest = std::string_view(buffer_).substr(begin);
    const std::size_t line = rest.substr(0, kMaxAuditLineBytes).find('\n');
    const bool ends = line != std::string_view::npos;
    if (!ends && rest.size() < kMaxAuditLineBytes) break;
    const std::size_t size = ends ? line + 1 : kMaxAuditLineBytes;
    Queue(rest.substr(0, size), ends, 0);
    begin += size;
  }
  buffer_.erase(0, begin);
}

// What the connection ended within.
void AuditClient::QueueRest() {
  if (!buffer_.empty()) Queue(buffer_, true, evidence::kRecordPartial);
  buffer_.clear();
  in_line_ = false;
}

void AuditClient::Queue(std::string_view bytes, bool ends, std::uint32_t flags) {
  Message message;
  message.bytes = bytes;
  message.origin = origin_;
  message.read_time = clock_.Now();
  message.flags = flags | (in_line_ ? evidence::kRecordContinues : 0);
  message.connection = connection_;
  in_line_ = !ends;
  queue_.Push(std::move(message));
}

}  // namespace logvault::forwarder
