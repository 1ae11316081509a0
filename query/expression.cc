// The names a query may use, and an expression shown as it was understood.
#include "query/expression.h"

#include <algorithm>
#include <array>
#include <vector>

#include "formats/fields.h"
#include "query/pattern_set.h"
#include "query/pipeline.h"

namespace logvault::query {
namespace {

// What the vault knows of every record, whatever its format.
constexpr std::array<std::string_view, 11> kRecordFields = {
    "host",  "source", "seq",     "time", "read_time", "commit_time",
    "block", "origin", "message", "ip",   "hash"};

// Levenshtein's distance, letters in either case alike.
std::size_t Distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      std::size_t replace = diagonal + (FoldAscii(a[i - 1]) == FoldAscii(b[j - 1]) ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replace, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

// The nearest of several names.
class Nearest {
 public:
  // Near: one edit of a short name, two of a longer one (letters exchanged are two), more of a long one.
  explicit Nearest(std::string_view name)
      : name_(name),
        least_((name.size() < 3 ? 1 : std::max<std::size_t>(2, name.size() / 3)) + 1) {}

  void Consider(std::string_view known) {
    if (name_.size() > kNameBytesMax) return;
    std::size_t distance = Distance(name_, known);
    // "ip" means "src.ip", "uri" means "http.uri".
    if (known.ends_with(name_) && known.size() > name_.size() &&
        known[known.size() - name_.size() - 1] == '.')
      distance = 1;
    if (distance >= least_) return;
    least_ = distance;
    found_ = known;
  }
  // Empty where none is near.
  [[nodiscard]] std::string_view found() const { return found_; }

 private:
  static constexpr std::size_t kNameBytesMax = 64;

  const std::string_view name_;
  std::size_t least_;
  std::string_view found_;
};

std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

std::string Show(const Pattern& pattern) {
  return pattern.quoted ? Quoted(pattern.text) : pattern.text;
}

std::string Show(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kNot:
      return "not " + Show(node.children[0]);
    case Node::Kind::kTerm:
      return Show(node.patterns[0]);
    case Node::Kind::kField:
      if (node.subquery) return node.field + " in {" + node.subquery->text() + "}";
      if (node.op != Op::kIn)
        return node.field + std::string(ToString(node.op)) + Show(node.patterns[0]);
      break;
    case Node::Kind::kAnd:
    case Node::Kind::kOr:
      break;
  }
  const bool list = node.kind == Node::Kind::kField;
  const std::string_view between = list ? ", " : node.kind == Node::Kind::kAnd ? " and " : " or ";
  std::string shown = list ? node.field + " in (" : "(";
  const std::size_t count = list ? node.patterns.size() : node.children.size();
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) shown += between;
    shown += list ? Show(node.patterns[i]) : Show(node.children[i]);
  }
  return shown + ")";
}

}  // namespace

std::string_view ToString(Op op) {
  switch (op) {
    case Op::kEquals:
      return "=";
    case Op::kContains:
      return ":";
    case Op::kNotEquals:
      return "!=";
    case Op::kMatches:
      return "~";
    case Op::kLess:
      return "<";
    case Op::kLessOrEqual:
      return "<=";
    case Op::kGreater:
      return ">";
    case Op::kGreaterOrEqual:
      return ">=";
    case Op::kIn:
      return "in";
  }
  return {};
}

bool Node::SetMembers() {
  members = PatternSet::Of(patterns);
  return members != nullptr;
}

std::string Expression::ToString() const { return root_ ? Show(*root_) : "*"; }

bool IsFieldName(std::string_view name) {
  return std::find(kRecordFields.begin(), kRecordFields.end(), name) != kRecordFields.end() ||
         formats::IsFieldName(name);
}

std::string_view NearestFieldName(std::string_view name) {
  Nearest nearest(name);
  for (std::string_view known : kRecordFields) nearest.Consider(known);
  for (std::string_view known : formats::KnownFieldNames()) nearest.Consider(known);
  return nearest.found();
}

std::string_view NearestName(std::string_view name, const std::vector<std::string>& names) {
  Nearest nearest(name);
  for (const std::string& known : names) nearest.Consider(known);
  return nearest.found();
}

}  // namespace logvault::query
