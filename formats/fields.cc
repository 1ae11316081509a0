#include "formats/fields.h"

#include "formats/field_list.h"
#include "formats/field_parsers.h"

namespace logvault::formats {

Fields ParseFields(Format format, std::string_view text) {
  constexpr std::string_view kUtf8Mark = "\xEF\xBB\xBF";
  if (text.starts_with(kUtf8Mark)) text.remove_prefix(kUtf8Mark.size());
  FieldList fields;
  switch (format) {
    case Format::kSyslog:
      ParseSyslogFields(text, fields);
      break;
    case Format::kAuditd:
      ParseAuditFields(text, fields);
      break;
    case Format::kGeoserver:
      ParseGeoserverFields(text, fields);
      break;
    case Format::kAccess:
      ParseAccessFields(text, fields);
      break;
    case Format::kSqlserver:
      ParseSqlserverFields(text, fields);
      break;
    case Format::kJson:
      ParseJsonFields(text, fields);
      break;
    case Format::kJournal:
      ParseJournalFields(text, fields);
      break;
    case Format::kPlain:
      break;  // a plain line says nothing by name
  }           // No default: the compiler names any format added and not handled.
  return fields.Take();
}

}  // namespace logvault::formats
