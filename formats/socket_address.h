// The raw bytes of a struct sockaddr, as auditd logs them.
#pragma once

#include <string>
#include <string_view>

namespace logvault::formats {

struct SocketAddress {
  std::string_view family;  // "inet", "inet6", "local", "netlink", or empty
  std::string ip;           // inet and inet6
  int port = 0;             // inet and inet6
  std::string path;         // local; an abstract name begins with `@`
};
SocketAddress DecodeSocketAddress(std::string_view bytes);

}  // namespace logvault::formats
