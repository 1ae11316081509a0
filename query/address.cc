#include "query/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <string>

#include "common/bytes.h"
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

bool IsV4Char(char c) { return IsDigit(c) || c == '.'; }
bool IsV6Char(char c) { return IsHex(c) || c == ':' || c == '.'; }

// A letter or an underscore beside a run makes it part of a name or a number.
bool StandsAlone(std::string_view text, std::size_t begin, std::size_t end) {
  return (begin == 0 || !IsWordChar(text[begin - 1])) &&
         (end == text.size() || !IsWordChar(text[end]));
}

// A run of digits and dots that is one IPv4 address, dots at its ends left away: "10.1.1.1." ends a
// sentence.
std::optional<Network> V4OfRun(std::string_view text, std::size_t begin, std::size_t end) {
  if (!StandsAlone(text, begin, end)) return std::nullopt;
  while (begin < end && text[begin] == '.') ++begin;
  while (begin < end && text[end - 1] == '.') --end;
  return ParseV4(text.substr(begin, end - begin));
}

// Mail servers write "[IPv6:2001:db8::1]" (RFC 5321, 4.1.3): the end of the tag, "6:", looks like the run's beginning.
std::size_t BehindMailTag(std::string_view text, std::size_t begin) {
  constexpr std::string_view kTag = "ipv6:", kInRun = "6:";
  constexpr std::size_t kBefore = kTag.size() - kInRun.size();
  if (begin < kBefore || !StandsAlone(text, begin - kBefore, begin + 1)) return begin;
  const std::string_view tag = text.substr(begin - kBefore, kTag.size());
  const auto same = [](char a, char b) { return (a | 0x20) == (b | 0x20); };
  const bool is_tag =
      tag.ends_with(kInRun) && std::equal(tag.begin(), tag.begin() + kBefore, kTag.begin(), same);
  return is_tag ? begin + kInRun.size() : begin;
}

std::optional<Network> V6OfRun(std::string_view text, std::size_t begin, std::size_t end) {
  begin = BehindMailTag(text, begin);
  if (!StandsAlone(text, begin, end)) return std::nullopt;
  std::string_view run = text.substr(begin, end - begin);
  while (!run.empty() && run.back() == '.') run.remove_suffix(1);
  // One colon at an end is punctuation ("from fe80::1: closed"); two are part of the address.
  if (run.ends_with(':') && !run.ends_with("::")) run.remove_suffix(1);
  if (run.starts_with(':') && !run.starts_with("::")) run.remove_prefix(1);
  return ParseV6(run);
}

// What every IPv6 address has: six colons (and an IPv4 address behind them), seven, or two side by side.
bool HasColonsOfV6(std::string_view run) {
  return run.find("::") != std::string_view::npos || std::count(run.begin(), run.end(), ':') >= 6;
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
  return AnyRun(text, network.v6 ? IsV6Char : IsV4Char, [&](std::size_t begin, std::size_t end) {
    const std::optional<Network> address =
        network.v6 ? V6OfRun(text, begin, end) : V4OfRun(text, begin, end);
    return address && network.Contains(*address);
  });
}

void ForEachV4Address(std::string_view word, const VisitAddress& visit) {
  AnyRun(word, IsV4Char, [&](std::size_t begin, std::size_t end) {
    if (const std::optional<Network> address = V4OfRun(word, begin, end)) visit(*address);
    return false;
  });
}

void ForEachV6Address(std::string_view text, const VisitAddress& visit) {
  for (std::size_t at = text.find(':'); at != std::string_view::npos; at = text.find(':', at)) {
    std::size_t begin = at, end = at;
    while (begin > 0 && IsV6Char(text[begin - 1])) --begin;
    while (end < text.size() && IsV6Char(text[end])) ++end;
    at = end;
    if (!HasColonsOfV6(text.substr(begin, end - begin))) continue;
    const std::optional<Network> address = V6OfRun(text, begin, end);
    if (address && address->v6) visit(*address);
  }
}

std::string AddressText(const Network& address) {
  char text[INET6_ADDRSTRLEN] = {};
  inet_ntop(address.v6 ? AF_INET6 : AF_INET, address.bytes.data(), text, sizeof text);
  return text;
}

std::string AddressToken(const Network& address) {
  if (address.v6) {
    return ":" + ToHex({reinterpret_cast<const char*>(address.bytes.data()), address.bytes.size()});
  }
  std::string quad = std::to_string(address.bytes[0]);
  for (std::size_t i = 1; i < 4; ++i) quad += "." + std::to_string(address.bytes[i]);
  return quad;
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
