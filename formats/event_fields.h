// The fields of an event that a log writes as several records: an audit event, or SQL Server's error and its sentence.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "formats/fields.h"

namespace logvault::formats {

// What the records of one audit event (RecordText of each, in order) say together: each field with each of its different
// values once.  Arguments of a command that go on from one EXECVE record to the next are put together, and with them `cmd`.
// Pure.
Fields ParseAuditEvent(std::span<const std::string> records);

// The same for records of any format, of which each stands for itself.
Fields JoinFields(Format format, std::span<const std::string> records);

// The value of `name`, the first of several; empty where there is none.
std::string_view ValueOf(const Fields& fields, std::string_view name);

}  // namespace logvault::formats
