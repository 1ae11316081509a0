// Access logs: common and combined, of Tomcat, Jetty, Apache and nginx, with a virtual host in
// front or without.
#include <vector>

#include "formats/field_parsers.h"
#include "formats/http_request.h"
#include "formats/ip_address.h"
#include "formats/time_text.h"

namespace logvault::formats {
namespace {

constexpr std::size_t kWordsMax = 8;

std::vector<std::string_view> Words(std::string_view text) {
  std::vector<std::string_view> words;
  Scanner scanner(text);
  while (words.size() < kWordsMax) {
    scanner.Blanks();
    if (scanner.AtEnd()) break;
    words.push_back(scanner.Until(' '));
  }
  return words;
}

// "host ident user", perhaps after a virtual host.
void AddClient(std::string_view before_time, FieldList& fields) {
  const std::vector<std::string_view> words = Words(before_time);
  if (words.empty()) return;
  const std::size_t client = words.size() > 3 ? words.size() - 3 : 0;
  if (client > 0) fields.Add("http.host", words.front());
  fields.AddUnless("-", IsIpAddress(words[client]) ? "src.ip" : "src.host", words[client]);
  if (client + 2 < words.size()) fields.AddUnless("-", "user", words[client + 2]);
}

void AddNumber(std::string_view name, Scanner& scanner, FieldList& fields) {
  scanner.Blanks();
  const std::string_view word = scanner.Until(' ');
  if (!word.empty() && word.find_first_not_of("0123456789") == std::string_view::npos) {
    fields.Add(name, word);
  }
}

void AddQuoted(std::string_view name, Scanner& scanner, FieldList& fields) {
  scanner.Blanks();
  if (const std::optional<std::string_view> quoted = TakeQuoted(scanner)) {
    fields.AddUnless("-", name, Unescaped(*quoted));
  }
}

}  // namespace

void ParseAccessFields(std::string_view text, FieldList& fields) {
  const std::string_view line = text.substr(0, text.find('\n'));
  const std::optional<BracketedTime> time = FindBracketedTime(line);
  Scanner scanner(time ? line.substr(time->end) : line);
  const std::string_view before_request = scanner.Until('"');
  AddClient(time ? line.substr(0, time->begin) : before_request, fields);
  const std::optional<std::string_view> request = TakeQuoted(scanner);
  if (!request) return;
  AddRequestLine(Unescaped(*request), fields);
  AddNumber("http.status", scanner, fields);
  AddNumber("http.bytes", scanner, fields);
  AddQuoted("http.referer", scanner, fields);
  AddQuoted("http.ua", scanner, fields);
}

}  // namespace logvault::formats
