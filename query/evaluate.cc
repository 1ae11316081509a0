#include "query/evaluate.h"

#include <re2/re2.h>

#include <algorithm>
#include <charconv>

#include "evidence/payload.h"
#include "formats/time_zone.h"
#include "query/entities.h"
#include "query/pattern_set.h"
#include "query/time_argument.h"

namespace logvault::query {
namespace {

// -1, 0, 1 as `a` is less than, equal to or greater than `b`; nullopt unless both are numbers.
std::optional<int> CompareNumbers(std::string_view a, std::string_view b) {
  auto sign = [](auto x, auto y) { return x < y ? -1 : x > y ? 1 : 0; };
  auto parse = [](std::string_view text, auto& value) {
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size();
  };
  std::int64_t i = 0, j = 0;
  if (parse(a, i) && parse(b, j)) return sign(i, j);
  double x = 0, y = 0;
  if (parse(a, x) && parse(b, y)) return sign(x, y);
  return std::nullopt;
}

bool Holds(Op op, int comparison) {
  switch (op) {
    case Op::kLess:
      return comparison < 0;
    case Op::kLessOrEqual:
      return comparison <= 0;
    case Op::kGreater:
      return comparison > 0;
    case Op::kGreaterOrEqual:
      return comparison >= 0;
    case Op::kEquals:
    case Op::kIn:
    case Op::kContains:
    case Op::kNotEquals:
    case Op::kMatches:
      return comparison == 0;
  }
  return false;
}

// A regular expression of RE2 does not go on behind bytes that are no UTF-8: they are seen as U+FFFD, as they are shown.
bool RegexFits(const re2::RE2& regex, std::string_view value) {
  bool changed = false;
  std::string shown;
  const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
  if (!std::all_of(value.begin(), value.end(), is_ascii)) {
    shown = formats::ToValidUtf8(value, &changed);
    if (changed) value = shown;
  }
  return re2::RE2::PartialMatch(re2::StringPiece(value.data(), value.size()), regex);
}

// Whether one value of a field satisfies the comparison; `!=` is asked here as `=`.
bool ValueFits(const Node& node, std::string_view value) {
  switch (node.op) {
    case Op::kIn:
      return node.members != nullptr && node.members->AnyEquals(value);
    case Op::kEquals:
    case Op::kNotEquals:
      return std::any_of(node.patterns.begin(), node.patterns.end(),
                         [value](const Pattern& pattern) { return pattern.Equals(value); });
    case Op::kContains:
      return node.patterns[0].FoundIn(value);
    case Op::kMatches:
      return RegexFits(*node.regex, value);
    case Op::kLess:
    case Op::kLessOrEqual:
    case Op::kGreater:
    case Op::kGreaterOrEqual: {
      std::optional<int> comparison = CompareNumbers(value, node.patterns[0].text);
      return comparison && Holds(node.op, *comparison);
    }
  }
  return false;
}

bool TimeFits(const Node& node, UnixNanos time) {
  if (!node.instant) return ValueFits(node, formats::FormatUtc(time));
  return Holds(node.op, time < *node.instant ? -1 : time > *node.instant ? 1 : 0);
}

// Whether the record has a value of node.field that fits; `!=` is asked as `=`.
bool AnyValueFits(const Node& node, Subject& subject) {
  const Row& row = subject.row();
  if (node.field == "time") return TimeFits(node, row.time());
  if (node.field == "read_time") return TimeFits(node, row.read_time);
  if (node.field == "commit_time") return TimeFits(node, row.commit_time);
  bool fits = false;
  ForEachValue(subject, node.field,
               [&](std::string_view value) { fits = fits || ValueFits(node, value); });
  return fits;
}

// A row of a table under evaluation.
struct TableSubject {
  const std::vector<std::string>& columns;
  const TableRow& row;
};

// A column may hold times under any name: they are compared as such where what is asked for is one.
bool CellFits(const Node& node, std::string_view value) {
  if (!node.instant) return ValueFits(node, value);
  const Result<UnixNanos> time = ParseTime(value, formats::TimeZone::Utc());
  if (!time.ok()) return ValueFits(node, value);
  if (node.op == Op::kIn)
    return ValueFits(node, value) || ValueFits(node, formats::FormatUtc(*time));
  return TimeFits(node, *time);
}

bool AnyValueFits(const Node& node, const TableSubject& subject) {
  const auto column = std::find(subject.columns.begin(), subject.columns.end(), node.field);
  if (column == subject.columns.end()) return false;
  bool fits = false;
  ForEachText(subject.row.at(static_cast<std::size_t>(column - subject.columns.begin())),
              [&](std::string_view value) { fits = fits || CellFits(node, value); });
  return fits;
}

bool TermFits(const Pattern& pattern, Subject& subject) {
  return pattern.FoundIn(subject.searched());
}

bool TermFits(const Pattern& pattern, const TableSubject& subject) {
  bool fits = false;
  for (const Value& value : subject.row)
    ForEachText(value, [&](std::string_view text) { fits = fits || pattern.FoundIn(text); });
  return fits;
}

template <typename AnySubject>
bool MatchesNode(const Node& node, AnySubject& subject) {
  auto matches = [&subject](const Node& child) { return MatchesNode(child, subject); };
  switch (node.kind) {
    case Node::Kind::kAnd:
      return std::all_of(node.children.begin(), node.children.end(), matches);
    case Node::Kind::kOr:
      return std::any_of(node.children.begin(), node.children.end(), matches);
    case Node::Kind::kNot:
      return !MatchesNode(node.children[0], subject);
    case Node::Kind::kTerm:
      return TermFits(node.patterns[0], subject);
    case Node::Kind::kField:
      return AnyValueFits(node, subject) == (node.op != Op::kNotEquals);
  }
  return false;
}

// Fields whose values are addresses, perhaps decoded from what is no text.
bool IsAddressName(std::string_view name) { return name == "src.ip" || name == "dst.ip"; }

Verdict VerdictOf(bool always) { return always ? Verdict::kAlways : Verdict::kNever; }

Verdict VerdictFor(const Node& node, std::string_view host, std::string_view source) {
  switch (node.kind) {
    case Node::Kind::kTerm:
      return Verdict::kPerhaps;
    case Node::Kind::kField: {
      if (node.field != "host" && node.field != "source") return Verdict::kPerhaps;
      const bool fits = ValueFits(node, node.field == "host" ? host : source);
      return VerdictOf(fits == (node.op != Op::kNotEquals));
    }
    case Node::Kind::kNot: {
      const Verdict inner = VerdictFor(node.children[0], host, source);
      return inner == Verdict::kPerhaps ? inner : VerdictOf(inner == Verdict::kNever);
    }
    case Node::Kind::kAnd:
    case Node::Kind::kOr:
      break;
  }
  // One child decides: a never makes an AND never, an always makes an OR always.
  const Verdict deciding = VerdictOf(node.kind == Node::Kind::kOr);
  bool all_known = true;
  for (const Node& child : node.children) {
    const Verdict verdict = VerdictFor(child, host, source);
    if (verdict == deciding) return deciding;
    if (verdict == Verdict::kPerhaps) all_known = false;
  }
  return all_known ? VerdictOf(node.kind == Node::Kind::kAnd) : Verdict::kPerhaps;
}

template <typename Visit>
void ForEachComparison(const Node& node, const Visit& visit) {
  if (node.kind == Node::Kind::kField) visit(node);
  for (const Node& child : node.children) ForEachComparison(child, visit);
}

std::size_t ShortestOf(const std::vector<Literal>& literals) {
  std::size_t shortest = literals.empty() ? 0 : SIZE_MAX;
  for (const Literal& literal : literals) shortest = std::min(shortest, literal.folded().size());
  return shortest;
}

// A pass for each literal is made over every block: more of them cost more than they save.
constexpr std::size_t kLiteralsMax = 16;

std::vector<Literal> RequiredLiterals(const Node& node) {
  std::vector<Literal> required;
  switch (node.kind) {
    case Node::Kind::kTerm: {
      const Pattern& pattern = node.patterns[0];
      if (pattern.kind != Pattern::Kind::kNetwork) {
        if (!pattern.literal.folded().empty()) required.push_back(pattern.literal);
      } else if (!pattern.network.v6 && pattern.network.IsAddress()) {
        required.emplace_back(
            AddressToken(pattern.network));  // texts are searched for IPv4 in this form only
      }
      break;
    }
    case Node::Kind::kAnd:
      for (const Node& child : node.children) {
        std::vector<Literal> theirs = RequiredLiterals(child);
        if (ShortestOf(theirs) > ShortestOf(required)) required = std::move(theirs);
      }
      break;
    case Node::Kind::kOr:
      for (const Node& child : node.children) {
        std::vector<Literal> theirs = RequiredLiterals(child);
        if (theirs.empty() || required.size() + theirs.size() > kLiteralsMax) return {};
        required.insert(required.end(), theirs.begin(), theirs.end());
      }
      break;
    // Fields are decoded (hex, percent, UTF-16): what they hold need not stand in the stored bytes.
    case Node::Kind::kField:
    case Node::Kind::kNot:
      break;
  }
  return required;
}

}  // namespace

std::string_view Subject::searched() {
  return joined_ || (row_.flags & evidence::kRecordUtf16Le) != 0 ? std::string_view(text())
                                                                 : row_.bytes;
}

const std::string& Subject::text() {
  if (!text_) text_ = formats::RecordText(row_.bytes, (row_.flags & evidence::kRecordUtf16Le) != 0);
  return *text_;
}

const formats::Fields& Subject::fields() {
  if (!fields_) fields_ = formats::ParseFields(row_.format, text());
  return *fields_;
}

bool Matches(const Expression& expression, Subject& subject) {
  return expression.root() == nullptr || MatchesNode(*expression.root(), subject);
}

bool Matches(const Expression& expression, const std::vector<std::string>& columns,
             const TableRow& row) {
  const TableSubject subject{columns, row};
  return expression.root() == nullptr || MatchesNode(*expression.root(), subject);
}

void ForEachValue(Subject& subject, std::string_view name,
                  const std::function<void(std::string_view)>& visit) {
  const Row& row = subject.row();
  if (name == "host") return visit(row.host);
  if (name == "source") return visit(row.source);
  if (name == "seq") return visit(std::to_string(row.seq));
  if (name == "block") return visit(std::to_string(row.block));
  if (name == "origin") return visit(row.origin);
  if (name == "message") return visit(subject.text());
  if (name == "time") return visit(formats::FormatUtc(row.time()));
  if (name == "read_time") return visit(formats::FormatUtc(row.read_time));
  if (name == "commit_time") return visit(formats::FormatUtc(row.commit_time));
  const bool is_ip = name == "ip";
  if (is_ip) ForEachAddressText(subject.searched(), visit);
  if (name == "hash") ForEachHashText(subject.searched(), visit);
  for (const formats::Field& field : subject.fields()) {
    if (field.name == name || (is_ip && IsAddressName(field.name))) visit(field.value);
  }
}

Verdict VerdictFor(const Expression& expression, std::string_view host, std::string_view source) {
  return expression.root() == nullptr ? Verdict::kAlways
                                      : VerdictFor(*expression.root(), host, source);
}

bool NamesSource(const Expression& expression, std::string_view source) {
  bool named = false;
  if (expression.root() == nullptr) return false;
  ForEachComparison(*expression.root(), [&](const Node& node) {
    if (node.field == "source" && node.op != Op::kNotEquals)
      named = named || ValueFits(node, source);
  });
  return named;
}

std::vector<std::string> NamedValues(const Expression& expression, std::string_view field) {
  std::vector<std::string> values;
  if (expression.root() == nullptr) return values;
  ForEachComparison(*expression.root(), [&](const Node& node) {
    if (node.field != field || (node.op != Op::kEquals && node.op != Op::kIn)) return;
    for (const Pattern& pattern : node.patterns) {
      if (pattern.kind != Pattern::Kind::kWildcard) values.push_back(pattern.text);
    }
  });
  return values;
}

std::vector<Literal> RequiredLiterals(const Expression& expression) {
  return expression.root() == nullptr ? std::vector<Literal>{}
                                      : RequiredLiterals(*expression.root());
}

}  // namespace logvault::query
