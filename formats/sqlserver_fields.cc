// SQL Server's ERRORLOG: who wrote the entry, the error it reports, and what login and
// configuration entries say.
#include "formats/field_parsers.h"
#include "formats/header_line.h"
#include "formats/ip_address.h"
#include "formats/scanner.h"

namespace logvault::formats {
namespace {

constexpr std::size_t kNone = std::string_view::npos;

// "Severity: 14" in the server's language: a word, a colon, a number.
bool TakeLabelled(Scanner& scanner, std::string_view* number) {
  constexpr std::size_t kLabelBytesMax = 24;
  Scanner ahead = scanner;
  const std::string_view label = ahead.Until(':');
  if (label.empty() || label.size() > kLabelBytesMax) return false;
  if (label.find_first_of("0123456789.,'\n") != kNone) return false;
  if (!ahead.Char(':') || !ahead.Blanks()) return false;
  *number = ahead.Take(ahead.rest().find_first_not_of("0123456789"));
  if (number->empty()) return false;
  scanner = ahead;
  return true;
}

// "Error: 18456, Severity: 14, State: 8."
bool AddError(std::string_view message, FieldList& fields) {
  Scanner scanner(message);
  std::string_view error;
  std::string_view severity;
  std::string_view state;
  if (!TakeLabelled(scanner, &error) || !scanner.Literal(", ") ||
      !TakeLabelled(scanner, &severity) || !scanner.Literal(", ") ||
      !TakeLabelled(scanner, &state)) {
    return false;
  }
  fields.Add("event_id", error);
  fields.Add("sql.error", error);
  fields.Add("sql.severity", severity);
  fields.Add("sql.state", state);
  return true;
}

// What a client typed may hold quotes of its own, so its end is the last place that can be one.
std::string_view UpToLast(std::string_view text, std::string_view end) {
  const std::size_t at = text.rfind(end);
  return at == kNone ? text.substr(0, text.find('\'')) : text.substr(0, at);
}

// "[CLIENT: 172.20.0.1]", which the server writes last.
void AddClient(std::string_view message, FieldList& fields) {
  constexpr std::string_view kClient = "[CLIENT: ";
  const std::size_t at = message.rfind(kClient);
  if (at == kNone) return;
  Scanner scanner(message.substr(at + kClient.size()));
  const std::string_view client = scanner.Until(']');
  const std::string_view address = client.substr(0, client.find('%'));  // without an IPv6 zone
  if (IsIpAddress(address)) return fields.Add("src.ip", address);
  if (!client.empty()) fields.Add("src.host", client);
}

// "Login failed for user 'sa'. Reason: ...", "Login succeeded for user 'D\u'. Connection made using
// ...".
void AddLogin(std::string_view message, FieldList& fields) {
  constexpr std::string_view kFailed = "18456";
  constexpr std::string_view kByWindows = "18453";
  constexpr std::string_view kBySqlServer = "18454";
  Scanner scanner(message);
  const bool failed = scanner.Literal("Login failed for user '");
  if (!failed && !scanner.Literal("Login succeeded for user '")) return;
  const bool windows = message.find("using Windows authentication") != kNone;
  fields.Add("event_id", failed ? kFailed : windows ? kByWindows : kBySqlServer);
  const std::string_view user = UpToLast(scanner.rest(), failed ? "'. Reason:" : "'. Connection");
  fields.Add("sql.user", user);
  fields.Add("user", user);
  AddClient(message, fields);
}

// "Configuration option 'xp_cmdshell' changed from 0 to 1."
void AddConfiguration(std::string_view message, FieldList& fields) {
  constexpr std::string_view kConfigurationChanged = "15457";
  Scanner scanner(message);
  if (!scanner.Literal("Configuration option '")) return;
  fields.Add("event_id", kConfigurationChanged);
  fields.Add("sql.option", scanner.Until('\''));
  if (!scanner.Literal("' changed from ")) return;
  fields.Add("sql.old", scanner.Until(' '));
  if (scanner.Literal(" to "))
    fields.Add("sql.new", scanner.Take(scanner.rest().find_first_of(". ")));
}

void AddNamed(std::string_view message, std::string_view before, std::string_view name,
              FieldList& fields) {
  const std::size_t at = message.find(before);
  if (at == kNone) return;
  Scanner scanner(message.substr(at + before.size()));
  const std::string_view value = scanner.Until('\'');
  if (!scanner.AtEnd()) fields.Add(name, value);
}

}  // namespace

void ParseSqlserverFields(std::string_view text, FieldList& fields) {
  const std::optional<SqlserverHeader> header = ParseSqlserverHeader(text);
  std::string_view message = header ? header->message : text;
  if (header) fields.Add("sql.process", header->source);
  while (message.ends_with('\r') || message.ends_with('\n')) message.remove_suffix(1);
  if (!message.empty()) fields.Add("msg", message);
  if (!header || AddError(message, fields)) return;
  AddLogin(message, fields);
  AddConfiguration(message, fields);
  AddNamed(message, "database '", "sql.database", fields);
  AddNamed(message, "extended stored procedure '", "sql.procedure", fields);
}

}  // namespace logvault::formats
