// IP addresses and networks as log text writes them, and where whole ones stand in a text.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace logvault::query {

// An IPv4 or IPv6 network; an address is the network of its full length.
struct Network {
  bool v6 = false;
  int prefix_length = 32;                // bits: up to 32, or up to 128
  std::array<std::uint8_t, 16> bytes{};  // IPv4 uses the first four
  bool operator==(const Network&) const = default;

  // "10.1.2.3" or "fe80::1"; an IPv6 zone ("%eth0") is left away.  An IPv4-mapped IPv6 address is
  // the IPv4 one.
  static std::optional<Network> ParseAddress(std::string_view text);
  // An address, or "10.0.0.0/8".  Bits past the prefix length are ignored.
  static std::optional<Network> Parse(std::string_view text);

  // REQUIRES: `address` is one address, not a wider network.
  [[nodiscard]] bool Contains(const Network& address) const;
  [[nodiscard]] bool IsAddress() const { return prefix_length == (v6 ? 128 : 32); }
};

// Whether `text` holds a whole address inside `network`: 10.1.1.1 is not found in "110.1.1.12",
// "10.1.1.1.5" or "10.1.1.1.example.com".
bool HoldsAddressIn(std::string_view text, const Network& network);

// Calls `visit` with each address of which HoldsAddressIn finds a network: the IPv4 ones that stand in `word`, a maximal run of
// letters, digits, `_`, `.` and bytes from 0x80 up, and the IPv6 ones of a whole text.
using VisitAddress = std::function<void(const Network& address)>;
void ForEachV4Address(std::string_view word, const VisitAddress& visit);
void ForEachV6Address(std::string_view text, const VisitAddress& visit);

// As people write it: "10.1.2.3", "fe80::1".
std::string AddressText(const Network& address);

// "10.1.2.3"; an IPv6 address as 32 hex digits behind a colon, which is no text's spelling of it.
std::string AddressToken(const Network& address);

// Whether `hash` (lower-case hex digits) stands in `text`, in any case, with no letter or digit
// beside it.
bool HoldsHash(std::string_view text, std::string_view hash);
// 32, 40 or 64 hex digits: MD5, SHA-1, SHA-256.
bool LooksLikeHash(std::string_view text);

}  // namespace logvault::query
