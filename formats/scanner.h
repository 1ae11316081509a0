// Scanner: reads text from its front, one small step at a time.  A step that does not fit takes
// nothing and says false, so that a parser is a chain of &&.
#pragma once

#include <cstdint>
#include <string_view>

namespace logvault::formats {

constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }
constexpr bool IsAlpha(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }
constexpr bool IsAlnum(char c) { return IsDigit(c) || IsAlpha(c); }
constexpr char AsciiLower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool AtEnd() const { return rest_.empty(); }
  [[nodiscard]] std::string_view rest() const { return rest_; }
  // The next character, or NUL at the end.
  [[nodiscard]] char Peek() const { return rest_.empty() ? '\0' : rest_.front(); }

  bool Char(char c) { return Peek() == c && !rest_.empty() && Skip(1); }
  bool Literal(std::string_view literal) {
    return rest_.starts_with(literal) && Skip(literal.size());
  }
  // A decimal number of `min` to `max` digits, at most 18; more digits than `max` are left.
  bool Number(int min, int max, std::int64_t* value) {
    std::int64_t number = 0;
    int digits = 0;
    while (digits < max && static_cast<std::size_t>(digits) < rest_.size() &&
           IsDigit(rest_[static_cast<std::size_t>(digits)])) {
      number = number * 10 + (rest_[static_cast<std::size_t>(digits)] - '0');
      ++digits;
    }
    if (digits < min) return false;
    *value = number;
    return Skip(static_cast<std::size_t>(digits));
  }
  bool Number(int min, int max, int* value) {
    std::int64_t wide = 0;
    if (!Number(min, max, &wide)) return false;
    *value = static_cast<int>(wide);
    return true;
  }
  // Everything up to `stop`, which stays; to the end where there is none.
  std::string_view Until(char stop) { return Take(rest_.find(stop)); }
  std::string_view Take(std::size_t count) {
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(taken.size());
    return taken;
  }
  bool Blanks() {
    const std::size_t blanks = rest_.find_first_not_of(' ');
    return blanks != 0 && !rest_.empty() && Skip(blanks);
  }

 private:
  bool Skip(std::size_t count) {
    rest_.remove_prefix(count < rest_.size() ? count : rest_.size());
    return true;
  }

  std::string_view rest_;
};

}  // namespace logvault::formats
