// Table: what pipes give instead of records: rows of values under columns that the query's text names.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace logvault::query {

struct Value {
  enum class Kind { kNone, kText, kNumber, kList };
  Kind kind = Kind::kNone;
  std::string text;               // kText: any bytes; kNumber: a decimal number
  std::vector<std::string> list;  // kList

  static Value Text(std::string_view text) { return {Kind::kText, std::string(text), {}}; }
  template <typename N>
  static Value Number(N number) {
    return {Kind::kNumber, std::to_string(number), {}};
  }
  // Nothing, the one value, or a list.
  static Value Of(std::vector<std::string> values) {
    if (values.empty()) return {};
    if (values.size() == 1) return {Kind::kText, std::move(values[0]), {}};
    return {Kind::kList, {}, std::move(values)};
  }
  bool operator==(const Value&) const = default;
};

using TableRow = std::vector<Value>;

// Calls `visit(std::string_view)` with each of the value's texts.
template <typename Visit>
void ForEachText(const Value& value, const Visit& visit) {
  for (const std::string& text : value.list) visit(std::string_view(text));
  if (value.kind == Value::Kind::kText || value.kind == Value::Kind::kNumber)
    visit(std::string_view(value.text));
}

// Less than 0, 0 or more: numbers by their size, then other texts by their bytes, then what is not there.
int Compare(const Value& a, const Value& b);
// The same for two texts.
int CompareTexts(std::string_view a, std::string_view b);

}  // namespace logvault::query
