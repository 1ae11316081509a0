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

void AddPeer(std::string_view word, FieldList& fields) {
  fields.AddUnless("-", IsIpAddress(word) ? "src.ip" : "src.host", word);
}

// "203.0.113.7, 10.0.0.1": a client and the proxies it came by.  What is left is from the last one on.
std::string_view TakeProxied(std::string_view text, FieldList& fields) {
  for (std::size_t comma = text.find(", "); comma != std::string_view::npos;
       comma = text.find(", ")) {
    if (!IsIpAddress(text.substr(0, comma))) break;
    AddPeer(text.substr(0, comma), fields);
    text.remove_prefix(comma + 2);
  }
  return text;
}

// Which word is the client's.  Users may have blanks in their names, so where there are more words than "host ident user" the
// ident, which nearly always is "-", tells a virtual host in front from those.
std::size_t ClientAt(const std::vector<std::string_view>& words) {
  if (words.size() <= 3) return 0;
  if (words[1] == "-" && IsIpAddress(words[0])) return 0;
  return words[2] == "-" ? 1 : words.size() - 3;
}

// "host ident user", perhaps after a virtual host.
void AddClient(std::string_view before_time, FieldList& fields) {
  before_time = TakeProxied(before_time, fields);
  while (before_time.ends_with(' ')) before_time.remove_suffix(1);
  const std::vector<std::string_view> words = Words(before_time);
  if (words.empty()) return;
  const std::size_t client = ClientAt(words);
  if (client > 0) fields.Add("http.host", words.front());
  AddPeer(words[client], fields);
  if (client + 2 >= words.size()) return;
  const auto user_at = static_cast<std::size_t>(words[client + 2].data() - before_time.data());
  fields.AddUnless("-", "user", before_time.substr(user_at));
}

void AddNumber(std::string_view name, Scanner& scanner, FieldList& fields) {
  scanner.Blanks();
  const std::string_view word = scanner.Until(' ');
  if (!word.empty() && word.find_first_not_of("0123456789") == std::string_view::npos) {
    fields.Add(name, word);
  }
}

// " 200 " or " 200" at the end.
bool BeginsWithStatus(Scanner scanner) {
  int status = 0;
  return scanner.Blanks() && scanner.Number(3, 3, &status) &&
         (scanner.AtEnd() || scanner.Peek() == ' ');
}

// Up to the quote that a status follows, where there is one: not every server escapes those of its clients.
std::optional<std::string_view> TakeRequest(Scanner& scanner) {
  const std::string_view text = scanner.rest();
  Scanner ahead = scanner;
  while (TakeQuoted(ahead)) {
    const std::size_t end = text.size() - ahead.rest().size();
    if (BeginsWithStatus(ahead)) return scanner.Take(end).substr(1, end - 2);
    ahead = Scanner(text.substr(end - 1));  // its closing quote may have been the client's
  }
  return TakeQuoted(scanner);
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
  const std::optional<std::string_view> request = TakeRequest(scanner);
  if (!request) return;
  AddRequestLine(Unescaped(*request), fields);
  AddNumber("http.status", scanner, fields);
  AddNumber("http.bytes", scanner, fields);
  AddQuoted("http.referer", scanner, fields);
  AddQuoted("http.ua", scanner, fields);
}

}  // namespace logvault::formats
