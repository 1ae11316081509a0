// The parser of each format's fields; ParseFields chooses among them.  Pure; each takes a whole
// record's text and adds what it finds.
#pragma once

#include <string_view>

#include "formats/field_list.h"

namespace logvault::formats {

void ParseSyslogFields(std::string_view text, FieldList& fields);
void ParseAuditFields(std::string_view text, FieldList& fields);
void ParseGeoserverFields(std::string_view text, FieldList& fields);
void ParseAccessFields(std::string_view text, FieldList& fields);
void ParseSqlserverFields(std::string_view text, FieldList& fields);
void ParseJsonFields(std::string_view text, FieldList& fields);
void ParseJournalFields(std::string_view text, FieldList& fields);

}  // namespace logvault::formats
