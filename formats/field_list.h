// FieldList: a record's fields while they are being found.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "formats/fields.h"

namespace logvault::formats {

class FieldList {
 public:
  // Past kFieldsMax fields nothing is added.
  void Add(std::string_view name, std::string value) {
    if (!full()) fields_.push_back({std::string(name), std::move(value)});
  }
  void Add(std::string_view name, std::string_view value) { Add(name, std::string(value)); }
  void Add(std::string_view name, const char* value) { Add(name, std::string(value)); }
  // Unless `value` says by `nil` ("-", "?") that there is none.
  void AddUnless(std::string_view nil, std::string_view name, std::string_view value) {
    if (!value.empty() && value != nil) Add(name, value);
  }
  [[nodiscard]] bool full() const { return fields_.size() >= kFieldsMax; }
  [[nodiscard]] const Fields& fields() const { return fields_; }
  Fields Take() { return std::move(fields_); }

 private:
  Fields fields_;
};

}  // namespace logvault::formats
