// Syslog: RFC 5424 by its grammar, everything else by the rules that rsyslog's RFC 3164 parser
// follows.
#include <array>

#include "formats/field_parsers.h"
#include "formats/syslog_header.h"
#include "formats/syslog_names.h"

namespace logvault::formats {
namespace {

void AddPriority(const SyslogHeader& header, FieldList& fields) {
  if (!header.priority) return;
  const auto priority = static_cast<std::size_t>(*header.priority);
  fields.Add("pri", std::to_string(priority));
  fields.Add("facility", kFacilities[priority / 8]);
  fields.Add("severity", kSeverities[priority % 8]);
}

// What follows the header, without the NUL or line end that some senders leave behind.
void AddMessage(std::string_view message, FieldList& fields) {
  while (message.ends_with('\0') || message.ends_with('\n')) message.remove_suffix(1);
  if (!message.empty()) fields.Add("msg", message);
}

// A word of printable ASCII, 1 to `max` characters, and the blank before it.
std::optional<std::string_view> TakeWord(Scanner& scanner, std::size_t max) {
  Scanner ahead = scanner;
  if (!ahead.Char(' ')) return std::nullopt;
  const std::string_view word = ahead.Until(' ');
  if (word.empty() || word.size() > max) return std::nullopt;
  for (const char c : word) {
    if (c < '!' || c > '~') return std::nullopt;
  }
  scanner = ahead;
  return word;
}

// SD-ID and PARAM-NAME: no blank, `=`, `]` or `"`.
std::string_view TakeName(Scanner& scanner) {
  constexpr std::size_t kNameCharsMax = 32;
  const std::string_view name = scanner.Take(scanner.rest().find_first_of(" =]\""));
  return name.size() <= kNameCharsMax ? name : std::string_view();
}

// `"value"`, in which \" \\ and \] stand for the second character.
std::optional<std::string> TakeValue(Scanner& scanner) {
  if (!scanner.Char('"')) return std::nullopt;
  std::string value;
  while (!scanner.AtEnd()) {
    char c = scanner.Take(1).front();
    if (c == '"') return value;
    if (c == ']') return std::nullopt;
    const char next = scanner.Peek();
    if (c == '\\' && (next == '"' || next == '\\' || next == ']')) c = scanner.Take(1).front();
    value.push_back(c);
  }
  return std::nullopt;
}

// `[id name="value" ...]`, as fields `sd.id.name`.
bool TakeElement(Scanner& scanner, FieldList& fields) {
  if (!scanner.Char('[')) return false;
  const std::string_view id = TakeName(scanner);
  if (id.empty()) return false;
  const std::string prefix = "sd." + std::string(id);
  if (scanner.Peek() == ']') fields.Add(prefix, "");
  while (scanner.Char(' ')) {
    const std::string_view name = TakeName(scanner);
    if (name.empty() || !scanner.Char('=')) return false;
    std::optional<std::string> value = TakeValue(scanner);
    if (!value) return false;
    fields.Add(prefix + "." + std::string(name), *std::move(value));
  }
  return scanner.Char(']');
}

bool TakeStructuredData(Scanner& scanner, FieldList& fields) {
  Scanner ahead = scanner;
  if (!ahead.Char(' ')) return false;
  if (!ahead.Char('-')) {
    FieldList found;
    do {
      if (!TakeElement(ahead, found)) return false;
    } while (ahead.Peek() == '[');
    for (const Field& field : found.fields()) fields.Add(field.name, field.value);
  }
  scanner = ahead;
  return true;
}

// What breaks the grammar is part of the message.
void AddRfc5424(std::string_view rest, FieldList& fields) {
  struct Part {
    std::string_view name;
    std::size_t max;
  };
  constexpr std::array<Part, 4> kParts = {
      Part{"syslog.host", 255}, {"app", 48}, {"pid", 128}, {"msgid", 32}};
  Scanner scanner(rest);
  bool fits = true;
  for (const Part& part : kParts) {
    const std::optional<std::string_view> word = TakeWord(scanner, part.max);
    fits = word.has_value();
    if (!fits) break;
    fields.AddUnless("-", part.name, *word);
  }
  if (fits) TakeStructuredData(scanner, fields);
  scanner.Char(' ');
  AddMessage(scanner.rest(), fields);
}

bool IsHostChar(char c) { return IsAlnum(c) || c == '.' || c == '_' || c == '-' || c == ':'; }

// A word that could be a host's name or address and that a blank follows.  A colon at its end makes
// it a tag.
std::string_view TakeHost(Scanner& scanner) {
  const std::string_view text = scanner.rest();
  std::size_t length = 0;
  while (length < text.size() && IsHostChar(text[length])) ++length;
  if (length == 0 || length == text.size() || text[length] != ' ' || !IsAlnum(text[length - 1])) {
    return {};
  }
  scanner.Take(length);
  scanner.Char(' ');
  return text.substr(0, length);
}

// "tag: ", "tag[pid]: ", "tag " - to the first colon or blank.
void AddTag(Scanner& scanner, FieldList& fields) {
  const std::string_view tag = scanner.Take(scanner.rest().find_first_of(": "));
  const std::size_t bracket = tag.find('[');
  if (!tag.substr(0, bracket).empty()) fields.Add("app", tag.substr(0, bracket));
  if (bracket != std::string_view::npos && tag.ends_with(']')) {
    fields.Add("pid", tag.substr(bracket + 1, tag.size() - bracket - 2));
  }
  scanner.Char(':');
}

void AddRfc3164(const SyslogHeader& header, FieldList& fields) {
  Scanner scanner(header.rest);
  if (header.time) scanner.Char(' ');
  // A line that goes on from the one before, and a message that is JSON, have neither host nor tag.
  const bool bare = !header.time && !IsAlnum(scanner.Peek()) && scanner.Peek() != '%';
  if (!bare) {
    if (const std::string_view host = TakeHost(scanner); !host.empty()) {
      fields.Add("syslog.host", host);
    }
    AddTag(scanner, fields);
    scanner.Char(' ');
  }
  AddMessage(scanner.rest(), fields);
}

}  // namespace

void ParseSyslogFields(std::string_view text, FieldList& fields) {
  const SyslogHeader header = ParseSyslogHeader(text);
  AddPriority(header, fields);
  if (header.rfc5424) return AddRfc5424(header.rest, fields);
  AddRfc3164(header, fields);
}

}  // namespace logvault::formats
