#include "config/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace logvault::config {
namespace {

bool IsIpv6(const std::string& host) {
  in6_addr parsed;
  return inet_pton(AF_INET6, host.c_str(), &parsed) == 1;
}

// Letters, digits, '-', '_' and dots that end or join labels: what resolvers accept.
bool IsHostName(std::string_view host) {
  if (host.empty() || host.size() > 253 || host.front() == '.' || host.front() == '-') return false;
  return host.find("..") == std::string_view::npos &&
         std::all_of(host.begin(), host.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  c == '-' || c == '_' || c == '.';
         });
}

// Digits and dots only are meant as an IPv4 address, and must be one.
bool IsBadIpv4(const std::string& host) {
  if (host.find_first_not_of("0123456789.") != std::string::npos) return false;
  in_addr parsed;
  return inet_pton(AF_INET, host.c_str(), &parsed) != 1;
}

}  // namespace

Result<Address> ParseAddress(std::string_view text) {
  const Status wrong =
      InvalidArgument("'" + std::string(text) + "' is not an address: HOST:PORT or [IPV6]:PORT");
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return wrong;

  Address address;
  const std::string_view port = text.substr(colon + 1);
  auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc() || end != port.data() + port.size()) return wrong;

  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    address.host = host.substr(1, host.size() - 2);
    if (!IsIpv6(address.host)) return wrong;
    return address;
  }
  address.host = host;
  if (!IsHostName(host) || IsBadIpv4(address.host)) return wrong;
  return address;
}

}  // namespace logvault::config
