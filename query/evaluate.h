// Evaluation: whether a record is what an expression asks for.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/fields.h"
#include "query/expression.h"
#include "query/row.h"
#include "query/table.h"

namespace logvault::query {

// A record under evaluation: its text and fields are computed when first asked for, at most once.
class Subject {
 public:
  // `row`'s views must outlive the subject.
  explicit Subject(const Row& row) : row_(row) {}
  // Several records seen as one: `row` is the first of them.
  Subject(const Row& row, std::string text, formats::Fields fields)
      : row_(row), joined_(true), text_(std::move(text)), fields_(std::move(fields)) {}

  [[nodiscard]] const Row& row() const { return row_; }
  [[nodiscard]] bool joined() const { return joined_; }
  // What terms are searched in: the stored bytes, or UTF-16 as UTF-8.
  [[nodiscard]] std::string_view searched();
  // The record as a person reads it: formats::RecordText.
  [[nodiscard]] const std::string& text();
  [[nodiscard]] const formats::Fields& fields();

 private:
  const Row& row_;
  const bool joined_ = false;
  std::optional<std::string> text_;
  std::optional<formats::Fields> fields_;
};

// Whether the record is what `expression` asks for.
bool Matches(const Expression& expression, Subject& subject);

// Calls `visit` with each value that the record has under `name`; times in UTC.
void ForEachValue(Subject& subject, std::string_view name,
                  const std::function<void(std::string_view)>& visit);

// Whether a row of a table is.  A term is looked for in all its values.
bool Matches(const Expression& expression, const std::vector<std::string>& columns,
             const TableRow& row);

// What can be said of every record of one stream.
enum class Verdict { kNever, kAlways, kPerhaps };
Verdict VerdictFor(const Expression& expression, std::string_view host, std::string_view source);

// Whether the expression asks for `source` by a comparison of the field `source` other than `!=`.
bool NamesSource(const Expression& expression, std::string_view source);
// The values that `field=value` and `field in (...)` compare `field` with, wildcards left out.
std::vector<std::string> NamedValues(const Expression& expression, std::string_view field);

// Texts of which every matching record that is stored as bytes holds at least one, in any case.
// Empty where nothing can be said.
std::vector<Literal> RequiredLiterals(const Expression& expression);

}  // namespace logvault::query
