#include "formats/socket_address.h"

#include <cstdint>

#include "formats/ip_address.h"

namespace logvault::formats {
namespace {

constexpr int kLocal = 1;
constexpr int kInet = 2;
constexpr int kInet6 = 10;
constexpr int kNetlink = 16;

int Byte(std::string_view bytes, std::size_t at) { return static_cast<std::uint8_t>(bytes[at]); }

// The family is in the byte order of the machine that logged: every family in use is below 256, so
// the other byte is 0.
int Family(std::string_view bytes) {
  if (bytes.size() < 2) return 0;
  return Byte(bytes, 1) == 0 ? Byte(bytes, 0) : Byte(bytes, 0) == 0 ? Byte(bytes, 1) : 0;
}

std::string LocalPath(std::string_view bytes) {
  const bool abstract = bytes.starts_with('\0');
  if (abstract) bytes.remove_prefix(1);
  const std::string path(bytes.substr(0, bytes.find('\0')));
  return abstract && !path.empty() ? "@" + path : path;
}

}  // namespace

SocketAddress DecodeSocketAddress(std::string_view bytes) {
  constexpr std::size_t kInetBytes = 8;
  constexpr std::size_t kInet6Bytes = 24;
  const int family = Family(bytes);
  if (family == kLocal) return {.family = "local", .ip = {}, .path = LocalPath(bytes.substr(2))};
  if (family == kNetlink) return {.family = "netlink", .ip = {}, .path = {}};
  const bool inet = family == kInet && bytes.size() >= kInetBytes;
  const bool inet6 = family == kInet6 && bytes.size() >= kInet6Bytes;
  if (!inet && !inet6) return {};
  return {.family = inet ? "inet" : "inet6",
          .ip = IpAddressText(inet ? bytes.substr(4, 4) : bytes.substr(8, 16)),
          .port = Byte(bytes, 2) << 8 | Byte(bytes, 3),
          .path = {}};
}

}  // namespace logvault::formats
