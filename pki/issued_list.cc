#include "pki/issued_list.h"

#include <time.h>  // NOLINT(modernize-deprecated-headers): strptime is POSIX's.

#include "pki/openssl.h"

namespace logvault::pki {
namespace {

constexpr std::string_view kHeader = "# serial role name not_after revoked_at\n";

std::optional<UnixNanos> ParseDate(const std::string& text) {
  std::tm civil{};
  const char* end = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &civil);
  if (end == nullptr || *end != '\0') return std::nullopt;
  const UnixNanos time = timegm(&civil) * kNanosPerSecond;
  if (FormatDate(time) != text) return std::nullopt;
  return time;
}

bool IsSerial(std::string_view text) {
  return !text.empty() && text.size() <= 40 &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::vector<std::string> Words(std::string_view line) {
  std::vector<std::string> words;
  while (!line.empty()) {
    const std::size_t end = std::min(line.find(' '), line.size());
    words.emplace_back(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return words;
}

std::optional<IssuedCertificate> ParseLine(std::string_view line) {
  const std::vector<std::string> words = Words(line);
  if (words.size() != 5) return std::nullopt;
  Result<Role> role = ParseRole(words[1]);
  const std::optional<UnixNanos> not_after = ParseDate(words[3]);
  if (!IsSerial(words[0]) || !role.ok() || !IsValidName(words[2]) || !not_after)
    return std::nullopt;

  IssuedCertificate certificate{words[0], *role, words[2], *not_after, std::nullopt};
  if (words[4] == "-") return certificate;
  certificate.revoked_at = ParseDate(words[4]);
  if (!certificate.revoked_at) return std::nullopt;
  return certificate;
}

}  // namespace

Result<IssuedList> IssuedList::Parse(std::string_view text) {
  IssuedList list;
  for (int line_number = 1; !text.empty(); ++line_number) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return InvalidArgument("the last line is not whole");
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line.empty() || line.front() == '#') continue;
    std::optional<IssuedCertificate> certificate = ParseLine(line);
    if (!certificate) {
      return InvalidArgument("line " + std::to_string(line_number) +
                             " is not SERIAL ROLE NAME NOT_AFTER REVOKED_AT");
    }
    list.certificates.push_back(*std::move(certificate));
  }
  return list;
}

std::string IssuedList::ToString() const {
  std::string text(kHeader);
  for (const IssuedCertificate& certificate : certificates) {
    text += certificate.serial_hex + " " + std::string(pki::ToString(certificate.role)) + " " +
            certificate.name + " " + FormatDate(certificate.not_after) + " " +
            (certificate.revoked_at ? FormatDate(*certificate.revoked_at) : "-") + "\n";
  }
  return text;
}

}  // namespace logvault::pki
