#include "query/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <string>

#include "query/literal.h"

namespace logvault::query {
namespace {

constexpr std::size_t kLongestAddress = 64;  // characters; longer runs are no addresses

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsHex(char c) { return IsDigit(c) || (FoldAscii(c) >= 'a' && FoldAscii(c) <= 'f'); }
bool IsWordChar(char c) {
  return IsDigit(c) || (FoldAscii(c) >= 'a' && FoldAscii(c) <= 'z') || c == '_';
}

std::optional<Network> ParseV4(std::string_view text) {
  Network network;
  std::size_t at = 0;
  for (int octet = 0; octet < 4; ++octet) {
    if (octet > 0 && (at >= text.size() || text[at++] != '.')) return std::nullopt;
    std::size_t digits = 0;
    int value = 0;
    while (at < text.size() && IsDigit(text[at]) && digits < 3) {
      value = value * 10 + (text[at++] - '0');
      ++digits;
    }
    if (digits == 0 || value > 255 || (digits > 1 && text[at - digits] == '0')) return std::nullopt;
    network.bytes[static_cast<std::size_t>(octet)] = static_cast<std::uint8_t>(value);
  }
  if (at != text.size()) return std::nullopt;
  return network;
}

std::optional<Network> ParseV6(std::string_view text) {
  text = text.substr(0, text.find('%'));
  if (text.size() > kLongestAddress || std::count(text.begin(), text.end(), ':') < 2)
    return std::nullopt;
  Network network;
  network.v6 = true;
  network.prefix_length = 128;
  if (inet_pton(AF_INET6, std::string(text).c_str(), network.bytes.data()) != 1)
    return std::nullopt;
  static constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0,    0,
                                                           0, 0, 0, 0, 0xff, 0xff};
  if (!std::equal(kMapped.begin(), kMapped.end(), network.bytes.begin())) return network;
  Network v4;
  std::copy_n(network.bytes.begin() + 12, 4, v4.bytes.begin());
  return v4;
}

// Calls `visit` with each maximal run of bytes for which `belongs` holds, until it returns true.
template <typename Belongs, typename Visit>
bool AnyRun(std::string_view text, Belongs belongs, Visit visit) {
  for (std::size_t at = 0; at < text.size();) {
    if (!belongs(text[at])) {
      ++at;
      continue;
    }
    std::size_t end = at;
    while (end < text.size() && belongs(text[end])) ++end;
    if (visit(at, end)) return true;
    at = end;
  }
  return false;
}

// A run of digits and dots that is one IPv4 address, dots at its ends left away: "10.1.1.1." ends a
// sentence.
bool RunIsV4In(std::string_view text, std::size_t begin, std::size_t end, const Network& network) {
  // A letter or an underscore beside the run makes it part of a name or a number.
  if (begin > 0 && IsWordChar(text[begin - 1])) return false;
  if (end < text.size() && IsWordChar(text[end])) return false;
  while (begin < end && text[begin] == '.') ++begin;
  while (begin < end && text[end - 1] == '.') --end;
  std::optional<Network> address = ParseV4(text.substr(begin, end - begin));
  return address && network.Contains(*address);
}

bool RunIsV6In(std::string_view text, std::size_t begin, std::size_t end, const Network& network) {
  if (begin > 0 && IsWordChar(text[begin - 1])) return false;
  if (end < text.size() && IsWordChar(text[end])) return false;
  std::string_view run = text.substr(begin, end - begin);
  while (!run.empty() && run.back() == '.') run.remove_suffix(1);
  // One colon at an end is punctuation ("from fe80::1: closed"); two are part of the address.
  if (run.ends_with(':') && !run.ends_with("::")) run.remove_suffix(1);
  if (run.starts_with(':') && !run.starts_with("::")) run.remove_prefix(1);
  std::optional<Network> address = ParseV6(run);
  return address && network.Contains(*address);
}

}  // namespace

std::optional<Network> Network::ParseAddress(std::string_view text) {
  if (text.find(':') == std::string_view::npos) return ParseV4(text);
  return ParseV6(text);
}

std::optional<Network> Network::Parse(std::string_view text) {
  std::size_t slash = text.find('/');
  std::optional<Network> network = ParseAddress(text.substr(0, slash));
  if (!network || slash == std::string_view::npos) return network;
  std::string_view digits = text.substr(slash + 1);
  int length = -1;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  if (length < 0 || length > network->prefix_length || digits.front() == '-') return std::nullopt;
  network->prefix_length = length;
  return network;
}

bool Network::Contains(const Network& address) const {
  if (v6 != address.v6) return false;
  const auto whole = static_cast<std::size_t>(prefix_length / 8);
  if (!std::equal(bytes.begin(), bytes.begin() + whole, address.bytes.begin())) return false;
  const int rest = prefix_length % 8;
  return rest == 0 || ((bytes[whole] ^ address.bytes[whole]) >> (8 - rest)) == 0;
}

bool HoldsAddressIn(std::string_view text, const Network& network) {
  if (!network.v6) {
    return AnyRun(
        text, [](char c) { return IsDigit(c) || c == '.'; },
        [&](std::size_t begin, std::size_t end) { return RunIsV4In(text, begin, end, network); });
  }
  return AnyRun(
      text, [](char c) { return IsHex(c) || c == ':' || c == '.'; },
      [&](std::size_t begin, std::size_t end) { return RunIsV6In(text, begin, end, network); });
}

bool HoldsHash(std::string_view text, std::string_view hash) {
  const Literal literal(hash);
  for (std::size_t at = literal.Find(text); at != std::string_view::npos;
       at = literal.Find(text, at + 1)) {
    const std::size_t end = at + hash.size();
    if ((at == 0 || !IsWordChar(text[at - 1])) && (end == text.size() || !IsWordChar(text[end])))
      return true;
  }
  return false;
}

bool LooksLikeHash(std::string_view text) {
  return (text.size() == 32 || text.size() == 40 || text.size() == 64) &&
         std::all_of(text.begin(), text.end(), IsHex);
}

}  // namespace logvault::query
