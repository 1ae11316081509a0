// Tokens: what the index keeps of a text.  A token is a maximal run of letters, digits, `_`, `.` and bytes from 0x80 up, ASCII
// letters folded: words, and whole addresses, domains, hashes, file and class names.  A literal that stands in a text
// says of the text's tokens what its fragments say.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace logvault::query {

// A longer one is not kept; its block is always visited.  auditd writes a command line as up to 256 hex digits.
inline constexpr std::size_t kMaxTokenBytes = 512;

// What a byte is to a token, by its value; 0: no part of one.
inline constexpr std::uint8_t kDigitByte = 1, kDotByte = 2, kLetterByte = 4, kHighByte = 8;
inline constexpr std::array<std::uint8_t, 256> kTokenBytes = [] {
  std::array<std::uint8_t, 256> bytes{};
  for (std::size_t c = 0; c < bytes.size(); ++c) {
    if (c >= '0' && c <= '9') bytes[c] = kDigitByte;
    if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_') bytes[c] = kLetterByte;
    if (c == '.') bytes[c] = kDotByte;
    if (c >= 0x80) bytes[c] = kHighByte;
  }
  return bytes;
}();
constexpr std::uint8_t TokenByte(char c) { return kTokenBytes[static_cast<std::uint8_t>(c)]; }
constexpr bool IsTokenByte(char c) { return TokenByte(c) != 0; }

// Calls `visit(begin, size)` for each token of `text`, from left to right.
template <typename Visit>
void ForEachToken(std::string_view text, const Visit& visit) {
  std::size_t at = 0;
  while (true) {
    while (at < text.size() && !IsTokenByte(text[at])) ++at;
    if (at == text.size()) return;
    const std::size_t begin = at;
    while (at < text.size() && IsTokenByte(text[at])) ++at;
    visit(begin, at - begin);
  }
}

// Digits, at most one dot among them, perhaps a final `z` or `Z`: counters, sizes, process numbers, fractions of a second.
// They are as many as the records, so the index leaves them out.  Every part of such a text is such a text.
bool IsNoise(std::string_view token);

// A part of a literal that lies inside one token of each text that holds the literal.
struct Fragment {
  std::string text;         // folded
  bool open_left = false;   // the token may begin before it
  bool open_right = false;  // the token may go on after it
  bool operator==(const Fragment&) const = default;
};

// Whether a token is one in which the fragment lies as it must.
bool Fits(const Fragment& fragment, std::string_view token);

// The fragments of a literal that may stand anywhere in a text.  Those are left out that an unkept token may hold: texts
// with the literal may lack a kept token for them.  Nothing is left: the literal rules nothing out.
std::vector<Fragment> FragmentsOf(std::string_view literal);

}  // namespace logvault::query
