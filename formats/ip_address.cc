#include "formats/ip_address.h"

#include <arpa/inet.h>

#include <array>

namespace logvault::formats {

bool IsIpAddress(std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (text.empty() || text.size() >= terminated.size()) return false;
  text.copy(terminated.data(), text.size());
  std::array<unsigned char, sizeof(in6_addr)> address{};
  return inet_pton(AF_INET, terminated.data(), address.data()) == 1 ||
         inet_pton(AF_INET6, terminated.data(), address.data()) == 1;
}

std::string IpAddressText(std::string_view bytes) {
  if (bytes.size() != sizeof(in_addr) && bytes.size() != sizeof(in6_addr)) return {};
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = bytes.size() == sizeof(in_addr) ? AF_INET : AF_INET6;
  if (inet_ntop(family, bytes.data(), text.data(), text.size()) == nullptr) return {};
  return text.data();
}

}  // namespace logvault::formats
