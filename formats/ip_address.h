// IP addresses as text.
#pragma once

#include <string>
#include <string_view>

namespace logvault::formats {

// A numeric IPv4 or IPv6 address, without port, zone or prefix length.
bool IsIpAddress(std::string_view text);

// The text of the 4 or 16 bytes of an address in network order; empty for another size.
std::string IpAddressText(std::string_view bytes);

}  // namespace logvault::formats
