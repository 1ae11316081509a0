// Decimal numbers as C2SP's formats write them: ASCII digits, no sign, no leading zero.
#pragma once

#include <charconv>
#include <cstdint>
#include <string_view>

namespace logvault::evidence {

inline bool ParseDecimal(std::string_view text, std::uint64_t& value) {
  if (text.empty() || (text.size() > 1 && text[0] == '0')) return false;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace logvault::evidence
