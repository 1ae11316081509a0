// Fields: what a record says, by name.  Each format has one pure parser; stored bytes stay raw.  The canonical
// names, and what each format gives for them: docs/formats.md.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/format.h"

namespace logvault::formats {

struct Field {
  std::string name;
  std::string value;
  bool operator==(const Field&) const = default;
};
using Fields = std::vector<Field>;  // in the order found; a name may repeat

inline constexpr std::size_t kFieldsMax = 4096;  // of one record; what comes behind is left out

// The fields of one record, given as text (RecordText).  A record that does not fit its format has fewer fields,
// never an error.  Pure.
Fields ParseFields(Format format, std::string_view text);

// Every field name a query may use, sorted, but for those that IsFieldName adds.
std::span<const std::string_view> KnownFieldNames();

// A known name, or one of those that records name themselves: `json.` and a path, `journal.` and a field, `sd.` with an RFC 5424 SD-ID
// and parameter, `audit.` and a key that is not known, `a10` and further arguments of a command.
bool IsFieldName(std::string_view name);

// The record as a person reads it: UTF-16LE as UTF-8, the byte order mark and the final LF or CRLF left away.
// Bytes that are not UTF-8 stay as they are.
std::string RecordText(std::string_view bytes, bool utf16le);

// `text` with each invalid UTF-8 sequence replaced by U+FFFD; `*changed` says whether there was one.
std::string ToValidUtf8(std::string_view text, bool* changed);

}  // namespace logvault::formats
