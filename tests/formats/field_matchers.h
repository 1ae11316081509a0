// Fields in tests: as "name=value" lines, in the order found.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "formats/fields.h"

namespace logvault::formats {

inline std::vector<std::string> FieldsOf(Format format, std::string_view text) {
  std::vector<std::string> lines;
  for (const Field& field : ParseFields(format, text)) {
    EXPECT_TRUE(IsFieldName(field.name)) << field.name << " cannot be asked for";
    lines.push_back(field.name + "=" + field.value);
  }
  return lines;
}

// The values of the field `name`.
inline std::vector<std::string> ValuesOf(Format format, std::string_view text,
                                         std::string_view name) {
  std::vector<std::string> values;
  for (const Field& field : ParseFields(format, text)) {
    if (field.name == name) values.push_back(field.value);
  }
  return values;
}

using Strings = std::vector<std::string>;

}  // namespace logvault::formats
