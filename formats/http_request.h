// A web server's request line and target, as fields.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "formats/field_list.h"
#include "formats/scanner.h"

namespace logvault::formats {

// Adds http.method, http.uri, http.path, http.query and http.version of "GET /a?b HTTP/1.1".
void AddRequestLine(std::string_view request, FieldList& fields);

// `%41` becomes "A"; a `%` without two hexadecimal digits stays; so does `+`.
std::string PercentDecoded(std::string_view text);

// Takes a string in double quotes in which a backslash escapes the next character; what is between
// the quotes, still escaped.
std::optional<std::string_view> TakeQuoted(Scanner& scanner);

// What the client sent, from what Tomcat, Jetty, Apache or nginx wrote: \" \\ \n \r \t \b \f \v
// \xHH \uHHHH.
std::string Unescaped(std::string_view text);

}  // namespace logvault::formats
