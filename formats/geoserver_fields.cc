// GeoServer: level, logger, message, the exceptions it names, and the request that the logging
// filter writes down.
#include "formats/field_parsers.h"
#include "formats/header_line.h"
#include "formats/http_request.h"
#include "formats/ip_address.h"

namespace logvault::formats {
namespace {

constexpr std::string_view kCause = "Caused by: ";

bool IsClassChar(char c) { return IsAlnum(c) || c == '_' || c == '$' || c == '.'; }

// "java.lang.ClassCastException" of "java.lang.ClassCastException: message"; empty if the line
// names none.
std::string_view ExceptionClass(std::string_view line) {
  constexpr std::size_t kClassCharsMax = 256;
  if (line.starts_with(kCause)) line.remove_prefix(kCause.size());
  std::size_t length = 0;
  while (length < line.size() && length < kClassCharsMax && IsClassChar(line[length])) ++length;
  const std::string_view name = line.substr(0, length);
  const bool ends = length == line.size() || line[length] == ':' || line[length] == '\r';
  const bool thrown =
      name.ends_with("Exception") || name.ends_with("Error") || name.ends_with("Throwable");
  return ends && thrown && name.find('.') != std::string_view::npos ? name : std::string_view();
}

void AddExceptions(std::string_view message, FieldList& fields) {
  for (Scanner lines(message); !lines.AtEnd(); lines.Char('\n')) {
    const std::string_view name = ExceptionClass(lines.Until('\n'));
    if (!name.empty()) fields.Add("exception", name);
  }
}

// A string in double quotes, in which the filter escapes nothing.
std::string_view TakePlainQuoted(Scanner& scanner) {
  scanner.Blanks();
  if (!scanner.Char('"')) return {};
  const std::string_view text = scanner.Until('"');
  scanner.Char('"');
  return text;
}

// `HOST "GET /geoserver/wms?..." "user agent" "referer"`: a client's bytes, any of which may be
// forged.
void AddFilteredRequest(std::string_view message, FieldList& fields) {
  Scanner scanner(message.substr(0, message.find('\n')));
  const std::string_view host = scanner.Until(' ');
  const std::string_view request = TakePlainQuoted(scanner);
  if (host.empty() || request.empty()) return;
  fields.Add(IsIpAddress(host) ? "src.ip" : "src.host", host);
  AddRequestLine(request, fields);
  fields.AddUnless("-", "http.ua", TakePlainQuoted(scanner));
  fields.AddUnless("-", "http.referer", TakePlainQuoted(scanner));
}

}  // namespace

void ParseGeoserverFields(std::string_view text, FieldList& fields) {
  const std::optional<GeoserverHeader> header = ParseGeoserverHeader(text);
  std::string_view message = header ? header->message : text;
  if (header) {
    fields.Add("level", header->level);
    fields.Add("logger", header->logger);
  }
  while (message.starts_with('\r') || message.starts_with('\n')) message.remove_prefix(1);
  if (!message.empty()) fields.Add("msg", message);
  AddExceptions(message, fields);
  if (header && header->logger.ends_with("filters")) AddFilteredRequest(message, fields);
}

}  // namespace logvault::formats
