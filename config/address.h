// Network addresses as configurations and command lines write them: HOST:PORT, or [IPv6]:PORT.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/status.h"

namespace logvault::config {

struct Address {
  std::string host;        // a name or an IP address, without brackets
  std::uint16_t port = 0;  // 0: where listening, any free one
  bool operator==(const Address&) const = default;
};

// kInvalidArgument for anything else.
Result<Address> ParseAddress(std::string_view text);

}  // namespace logvault::config
