// The names of fields, as a list that a reader can see.
#pragma once

#include <string_view>

namespace logvault::formats {

// One of KnownFieldNames().  See IsFieldName for the open-ended ones.
bool IsListedFieldName(std::string_view name);

// An argument of a command line as auditd names it: "a0", "a12"; not "a0_len", which only counts.
bool IsArgumentName(std::string_view name);

}  // namespace logvault::formats
