// The sockets that a syslog listener binds, and whom they hear from.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>

#include "common/status.h"

namespace logvault::forwarder {

struct BoundSocket {
  int fd = -1;             // the caller's
  std::uint16_t port = 0;  // 0 for a path
};

// `type`: SOCK_DGRAM or SOCK_STREAM, which listens.  Port 0 is any.
Result<BoundSocket> BindAddress(const std::string& address, int type);

// A datagram socket at `path`, for everybody to write to (mode 0666), in place of one that nobody listens at any more.
// kFailedPrecondition where somebody does, or where something else than a socket stands there.
Result<BoundSocket> BindPath(const std::string& path);

// The address without its port, which says nothing about who the sender is.
std::string AddressOf(const sockaddr_storage& peer);

// How many datagrams the kernel has dropped at this socket because its buffer was full; only grows, and wraps.
std::uint32_t KernelDrops(int fd);

}  // namespace logvault::forwarder
