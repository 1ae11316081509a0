#include "forwarder/listening_socket.h"

#include <arpa/inet.h>
#include <linux/sock_diag.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "config/address.h"

namespace logvault::forwarder {

namespace {

// As much as a burst needs; the kernel may grant less.
constexpr int kReceiveBuffer = 4 * 1024 * 1024;
constexpr int kBacklog = 128;
constexpr mode_t kEveryProgramMayLog = 0666;

Status ErrnoStatus(const std::string& what) {
  return FailedPrecondition(what + ": " + std::strerror(errno));
}

std::uint16_t PortOf(int fd) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) != 0) return 0;
  if (bound.ss_family == AF_INET6) return ntohs(reinterpret_cast<sockaddr_in6*>(&bound)->sin6_port);
  return ntohs(reinterpret_cast<sockaddr_in*>(&bound)->sin_port);
}

void Prepare(int fd, int type) {
  const int on = 1;
  if (type == SOCK_STREAM) (void)::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (type == SOCK_DGRAM)
    (void)::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kReceiveBuffer, sizeof kReceiveBuffer);
}

Status BindAndListen(int fd, int type, const sockaddr* name, socklen_t size,
                     const std::string& what) {
  if (fd < 0) return ErrnoStatus(what);
  Prepare(fd, type);
  const bool done =
      ::bind(fd, name, size) == 0 && (type == SOCK_DGRAM || ::listen(fd, kBacklog) == 0);
  Status failed = done ? Status::Ok() : ErrnoStatus(what);
  if (!done) ::close(fd);
  return failed;
}

// A socket that refuses a connection belongs to nobody any more.
Status RemoveStale(const std::string& path, const sockaddr_un& name) {
  struct stat facts {};
  if (::lstat(path.c_str(), &facts) != 0) return Status::Ok();
  if (!S_ISSOCK(facts.st_mode)) return FailedPrecondition(path + ": is there, and is no socket");
  const int probe = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const bool stale = ::connect(probe, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0 &&
                     errno == ECONNREFUSED;
  ::close(probe);
  if (!stale) return FailedPrecondition(path + ": another process listens there");
  if (::unlink(path.c_str()) != 0) return ErrnoStatus(path);
  return Status::Ok();
}

}  // namespace

Result<BoundSocket> BindAddress(const std::string& address, int type) {
  Result<config::Address> parsed = config::ParseAddress(address);
  if (!parsed.ok()) return parsed.status();
  addrinfo hints{};
  hints.ai_socktype = type;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int failure =
      ::getaddrinfo(parsed->host.c_str(), std::to_string(parsed->port).c_str(), &hints, &found);
  if (failure != 0) return InvalidArgument(address + ": " + ::gai_strerror(failure));
  const int fd = ::socket(found->ai_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  Status bound = BindAndListen(fd, type, found->ai_addr, found->ai_addrlen, address);
  ::freeaddrinfo(found);
  if (!bound.ok()) return bound;
  return BoundSocket{fd, PortOf(fd)};
}

Result<BoundSocket> BindPath(const std::string& path) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (path.size() >= sizeof name.sun_path)
    return InvalidArgument(path + ": longer than a socket's name may be");
  std::memcpy(name.sun_path, path.c_str(), path.size() + 1);
  LV_RETURN_IF_ERROR(RemoveStale(path, name));
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  LV_RETURN_IF_ERROR(
      BindAndListen(fd, SOCK_DGRAM, reinterpret_cast<const sockaddr*>(&name), sizeof name, path));
  (void)::chmod(path.c_str(), kEveryProgramMayLog);
  return BoundSocket{fd, 0};
}

std::string AddressOf(const sockaddr_storage& peer) {
  char text[INET6_ADDRSTRLEN] = "";
  if (peer.ss_family == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(&peer)->sin_addr, text, sizeof text);
  } else if (peer.ss_family == AF_INET6) {
    const in6_addr& address = reinterpret_cast<const sockaddr_in6*>(&peer)->sin6_addr;
    constexpr std::size_t kMappedPrefix = 12;
    if (IN6_IS_ADDR_V4MAPPED(&address) != 0) {
      ::inet_ntop(AF_INET, &address.s6_addr[kMappedPrefix], text, sizeof text);
    } else {
      ::inet_ntop(AF_INET6, &address, text, sizeof text);
    }
  }
  return text;
}

std::uint32_t KernelDrops(int fd) {
  std::uint32_t info[SK_MEMINFO_VARS] = {};
  socklen_t size = sizeof info;
  if (::getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &size) != 0) return 0;
  return info[SK_MEMINFO_DROPS];
}

}  // namespace logvault::forwarder
