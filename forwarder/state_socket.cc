#include "forwarder/state_socket.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace logvault::forwarder {

namespace {

constexpr const char* kName = "state.sock";
constexpr int kBacklog = 8;
constexpr int kAnswerTimeoutMs = 5'000;

// Through the folder's descriptor: a socket's path may have 107 bytes only, a folder's more.
sockaddr_un AddressIn(int folder_fd) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = "/proc/self/fd/" + std::to_string(folder_fd) + "/" + kName;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

int OpenFolder(const std::string& dir) {
  return ::open(dir.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
}

Status Failure(const std::string& dir) {
  return Unavailable(dir + "/" + kName + ": " + std::strerror(errno));
}

const sockaddr* Generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

std::string ReadAll(int fd) {
  std::string text;
  std::array<char, 4096> buffer;
  pollfd waiting{fd, POLLIN, 0};
  while (::poll(&waiting, 1, kAnswerTimeoutMs) > 0) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return text;
}

}  // namespace

Result<std::unique_ptr<StateSocket>> StateSocket::Open(const std::string& dir) {
  const int folder_fd = OpenFolder(dir);
  if (folder_fd < 0) return Failure(dir);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  std::unique_ptr<StateSocket> opened(new StateSocket(folder_fd, fd));
  (void)::unlinkat(folder_fd, kName, 0);
  const sockaddr_un address = AddressIn(folder_fd);
  const mode_t mask = ::umask(0177);
  const bool bound = ::bind(fd, Generic(address), sizeof address) == 0;
  const int error = errno;
  (void)::umask(mask);
  errno = error;
  if (!bound || ::listen(fd, kBacklog) != 0) return Failure(dir);
  return opened;
}

StateSocket::~StateSocket() {
  (void)::unlinkat(folder_fd_, kName, 0);
  if (fd_ >= 0) ::close(fd_);
  ::close(folder_fd_);
}

void StateSocket::Answer(const std::string& text) const {
  for (int i = 0; i < kBacklog; ++i) {
    const int peer = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (peer < 0) return;
    (void)::send(peer, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    ::close(peer);
  }
}

Result<std::string> AskState(const std::string& dir) {
  const int folder_fd = OpenFolder(dir);
  if (folder_fd < 0) return Failure(dir);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address = AddressIn(folder_fd);
  const bool connected = fd >= 0 && ::connect(fd, Generic(address), sizeof address) == 0;
  Result<std::string> answer = connected ? Result<std::string>(ReadAll(fd)) : Failure(dir);
  if (fd >= 0) ::close(fd);
  ::close(folder_fd);
  return answer;
}

}  // namespace logvault::forwarder
