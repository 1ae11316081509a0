// Hexadecimal digits as logs write them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace logvault::formats {

// 0..15, or -1.
constexpr int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// The bytes of an even number of upper-case digits, as the kernel's audit code writes them; nullopt
// for anything else, the empty text included.
inline std::optional<std::string> FromUpperHex(std::string_view digits) {
  if (digits.empty() || digits.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  bytes.reserve(digits.size() / 2);
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    const int high = HexDigit(digits[i]);
    const int low = HexDigit(digits[i + 1]);
    if (high < 0 || low < 0 || digits[i] >= 'a' || digits[i + 1] >= 'a') return std::nullopt;
    bytes.push_back(static_cast<char>(high << 4 | low));
  }
  return bytes;
}

}  // namespace logvault::formats
