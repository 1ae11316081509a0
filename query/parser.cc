// The parser of expressions: recursive descent.
#include "query/expression_parser.h"

#include <re2/re2.h>

#include <algorithm>
#include <map>
#include <optional>

#include "common/check.h"
#include "formats/time_zone.h"
#include "query/literal.h"
#include "query/pipeline.h"
#include "query/time_argument.h"

namespace logvault::query {
namespace {

constexpr std::int64_t kRegexMemoryMax = 4 << 20;
constexpr std::size_t kFoldedFrom = 16;  // fewer values of a field cost nothing as they are

bool IsTimeField(std::string_view name) {
  return name == "time" || name == "read_time" || name == "commit_time";
}
bool IsOrdering(Op op) {
  return op == Op::kLess || op == Op::kLessOrEqual || op == Op::kGreater ||
         op == Op::kGreaterOrEqual;
}

// "10.0.0.0/99": an address, and a prefix length that none of its kind has.
bool IsImpossibleNetwork(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos || slash + 1 == text.size()) return false;
  const std::string_view length = text.substr(slash + 1);
  return length.find_first_not_of("0123456789") == std::string_view::npos &&
         Network::ParseAddress(text.substr(0, slash)) && !Network::Parse(text);
}

bool IsNumber(std::string_view text) {
  std::size_t digits = 0, dots = 0;
  for (std::size_t i = text.starts_with('-') ? 1 : 0; i < text.size(); ++i) {
    if (text[i] >= '0' && text[i] <= '9')
      ++digits;
    else if (text[i] == '.')
      ++dots;
    else
      return false;
  }
  return digits > 0 && dots <= 1;
}

// Where the brace at `open` is closed; braces in strings do not count.
std::optional<std::size_t> ClosingBrace(std::string_view text, std::size_t open) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = open; i < text.size(); ++i) {
    if (quoted && text[i] == '\\')
      ++i;
    else if (text[i] == '"')
      quoted = !quoted;
    else if (!quoted && text[i] == '{')
      ++depth;
    else if (!quoted && text[i] == '}' && --depth == 0)
      return i;
  }
  return std::nullopt;
}

class Parser {
 public:
  Parser(TextReader& in, const ParseRules& rules) : in_(in), rules_(rules) {}

  // Up to a `|` or the end.
  Result<Node> Run() {
    Result<Node> node = Or(0);
    if (!node.ok()) return node;
    in_.SkipBlanks();
    if (in_.AtEnd() || in_.Peek() == '|') return node;
    if (in_.Peek() == ')')
      return in_.Error("')' without a '('; quote text that holds parentheses: \"exec(\"");
    return in_.Error("the expression should have ended here");
  }

 private:
  [[nodiscard]] Status PipesError() const {
    return in_.Error("a pipe cannot stand here; to search for the character, quote it: \"|\"");
  }

  Result<Node> Or(int depth) { return Chain(Node::Kind::kOr, depth); }
  Result<Node> And(int depth) { return Chain(Node::Kind::kAnd, depth); }

  // One level of the grammar: operands of the next level, joined.
  Result<Node> Chain(Node::Kind kind, int depth) {
    Node chain;
    chain.kind = kind;
    do {
      Result<Node> operand = kind == Node::Kind::kOr ? And(depth) : Not(depth);
      if (!operand.ok()) return operand;
      chain.children.push_back(*std::move(operand));
    } while (Joined(kind));
    if (kind == Node::Kind::kOr && chain.children.size() >= kFoldedFrom) FoldEquals(chain);
    if (chain.children.size() == 1) return std::move(chain.children[0]);
    return chain;
  }

  // Many values that one field may have are a list, which is looked up instead of gone through.
  void FoldEquals(Node& chain) const {
    std::map<std::string, Node> lists;
    std::map<std::string, std::size_t> counts;
    for (const Node& child : chain.children) counts[child.field] += CanBeListed(child) ? 1 : 0;
    std::vector<Node> others;
    for (Node& child : chain.children) {
      if (!CanBeListed(child) || counts[child.field] < kFoldedFrom) {
        others.push_back(std::move(child));
        continue;
      }
      Node& list = lists[child.field];
      list.kind = Node::Kind::kField;
      list.field = child.field;
      list.op = Op::kIn;
      list.patterns.push_back(std::move(child.patterns[0]));
    }
    for (auto& [field, list] : lists) {
      LV_CHECK(list.SetMembers());  // no wildcards are in it
      others.push_back(std::move(list));
    }
    chain.children = std::move(others);
  }

  // A wildcard is left alone, of which a list takes few; so is what may be compared as a time.
  [[nodiscard]] bool CanBeListed(const Node& node) const {
    return node.kind == Node::Kind::kField && node.op == Op::kEquals && !IsTimeField(node.field) &&
           rules_.columns == nullptr && node.patterns[0].kind != Pattern::Kind::kWildcard;
  }

  // Whether another operand follows; takes the keyword between.
  bool Joined(Node::Kind kind) {
    if (kind == Node::Kind::kOr) return in_.TakeKeyword("or");
    if (in_.TakeKeyword("and")) return true;
    in_.SkipBlanks();
    return !in_.AtEnd() && in_.Peek() != ')' && in_.Peek() != '|' && !in_.AtKeyword("or");
  }

  Result<Node> Not(int depth) {
    if (depth > kMaxExpressionDepth) {
      return in_.Error("nested deeper than " + std::to_string(kMaxExpressionDepth) + " levels");
    }
    if (!in_.TakeKeyword("not")) return Primary(depth);
    Result<Node> operand = Not(depth + 1);
    if (!operand.ok()) return operand;
    Node negation;
    negation.kind = Node::Kind::kNot;
    negation.children.push_back(*std::move(operand));
    return negation;
  }

  Result<Node> Primary(int depth) {
    in_.SkipBlanks();
    if (in_.AtEnd() || in_.Peek() == '|')
      return in_.Error("a term is missing here; to search for the character |, quote it: \"|\"");
    if (in_.Peek() == ')')
      return in_.Error(
          "a term is missing before ')'; quote text that holds parentheses: \"exec(\"");
    if (in_.AtKeyword("or") || in_.AtKeyword("and")) {
      return in_.Error("a term is missing before '" + std::string(in_.WordHere()) +
                       "'; quote the word to search for it");
    }
    if (in_.Peek() == '(') return Parenthesised(depth);
    if (Network::Parse(in_.WordHere())) return Term();  // "fe80::1" is no field `fe80`
    if (std::optional<Result<Node>> field = Field()) return *std::move(field);
    return Term();
  }

  Result<Node> Parenthesised(int depth) {
    const std::size_t open = in_.at();
    in_.MoveTo(open + 1);
    Result<Node> inner = Or(depth + 1);
    if (!inner.ok()) return inner;
    in_.SkipBlanks();
    if (in_.Peek() == '|') return PipesError();
    if (in_.AtEnd())
      return in_.Error(open, "'(' is never closed; quote text that holds parentheses: \"exec(\"");
    in_.MoveTo(in_.at() + 1);  // the ')': And() stops nowhere else
    return inner;
  }

  Result<Node> Term() {
    Result<Word> word = in_.ReadWord(false);
    if (!word.ok()) return word.status();
    if (Status counted = Count(word->begin); !counted.ok()) return counted;
    if (Status possible = CheckNetwork(*word); !possible.ok()) return possible;
    Node term;
    term.patterns.push_back(Pattern::Of(std::move(word->text), word->quoted));
    return term;
  }

  [[nodiscard]] Status CheckNetwork(const Word& word) const {
    if (word.quoted || !IsImpossibleNetwork(word.text)) return Status::Ok();
    const bool v6 = word.text.find(':') != std::string::npos;
    return in_.Error(word.begin, "'" + word.text + "' is no network: an " + (v6 ? "IPv6" : "IPv4") +
                                     " prefix has 0 to " + (v6 ? "128" : "32") +
                                     " bits; to search for the text, quote it");
  }

  Status Count(std::size_t where) {
    if (++terms_ <= kMaxExpressionTerms) return Status::Ok();
    return in_.Error(where, "more than " + std::to_string(kMaxExpressionTerms) + " terms");
  }

  // `name op value`, or nullopt where no operator follows a name.
  std::optional<Result<Node>> Field() {
    const std::size_t begin = in_.at();
    const std::string name(in_.TakeName());
    if (name.empty()) return std::nullopt;
    const std::size_t name_end = in_.at();
    in_.SkipBlanks();
    const std::size_t op_at = in_.at();
    std::optional<Op> op = ReadOp(name_end);
    if (!op) {
      in_.MoveTo(begin);
      return std::nullopt;
    }
    if (Status known = CheckName(in_, rules_, name, begin); !known.ok()) return Result<Node>(known);
    if (*op == Op::kEquals && in_.Peek() == '=')
      return Result<Node>(in_.Error(op_at, "'==' is not an operator; write '='"));
    Node node;
    node.kind = Node::Kind::kField;
    node.field = name;
    node.op = *op;
    Status read = *op == Op::kIn ? ReadSet(node) : ReadValue(node);
    if (!read.ok()) return Result<Node>(std::move(read));
    return Result<Node>(std::move(node));
  }

  // The operator at the reader; `name_end` is where the name before it ended.
  std::optional<Op> ReadOp(std::size_t name_end) {
    struct Known {
      std::string_view text;
      Op op;
    };
    static constexpr Known kOps[] = {
        {"!=", Op::kNotEquals}, {"<=", Op::kLessOrEqual}, {">=", Op::kGreaterOrEqual},
        {"=", Op::kEquals},     {":", Op::kContains},     {"~", Op::kMatches},
        {"<", Op::kLess},       {">", Op::kGreater}};
    for (const Known& known : kOps) {
      if (!in_.text().substr(in_.at()).starts_with(known.text)) continue;
      in_.MoveTo(in_.at() + known.text.size());
      return known.op;
    }
    if (in_.at() == name_end || !in_.AtKeyword("in")) return std::nullopt;
    const std::size_t word = in_.at();
    in_.TakeKeyword("in");
    in_.SkipBlanks();
    if (in_.Peek() == '(' || in_.Peek() == '@' || in_.Peek() == '{') return Op::kIn;
    in_.MoveTo(word);
    return std::nullopt;
  }

  Status ReadValue(Node& node) {
    in_.SkipBlanks();
    if (in_.Peek() == '(') return in_.Error("a list is written " + node.field + " in (a, b)");
    Result<Word> word = in_.ReadWord(false);
    if (!word.ok()) return word.status();
    if (word->text.empty() && !word->quoted) {
      return in_.Error("a value must follow '" + node.field + std::string(ToString(node.op)) + "'");
    }
    LV_RETURN_IF_ERROR(Count(word->begin));
    LV_RETURN_IF_ERROR(CheckValue(node, *word));
    if (node.op != Op::kMatches) LV_RETURN_IF_ERROR(CheckNetwork(*word));
    node.patterns.push_back(Pattern::Of(std::move(word->text), word->quoted));
    return Status::Ok();
  }

  // What an operator demands of its value.
  Status CheckValue(Node& node, const Word& word) const {
    if (node.op == Op::kMatches) return ReadRegex(node, word);
    const bool in_column = rules_.columns != nullptr && !IsNumber(word.text);
    if ((IsTimeField(node.field) || in_column) && node.op != Op::kContains)
      return ReadInstant(node, word);
    if (IsOrdering(node.op) && !IsNumber(word.text)) {
      return in_.Error(word.begin, "'" + std::string(ToString(node.op)) +
                                       "' compares numbers, and '" + word.text + "' is none");
    }
    return Status::Ok();
  }

  Status ReadRegex(Node& node, const Word& word) const {
    re2::RE2::Options options(re2::RE2::Quiet);
    options.set_max_mem(kRegexMemoryMax);
    auto regex = std::make_shared<re2::RE2>(re2::StringPiece(word.text), options);
    if (!regex->ok())
      return in_.Error(word.begin, "not a regular expression of RE2: " + regex->error());
    node.regex = std::move(regex);
    return Status::Ok();
  }

  // A table's columns may hold times under any name.
  [[nodiscard]] bool IsOrderedColumn(const Node& node, const Word& word) const {
    return rules_.columns != nullptr && IsOrdering(node.op) && !IsNumber(word.text);
  }

  Status ReadInstant(Node& node, const Word& word) const {
    Result<UnixNanos> instant = ParseTime(word.text, formats::TimeZone::Utc());
    if (instant.ok()) node.instant = *instant;
    if (instant.ok()) return Status::Ok();
    if (IsOrderedColumn(node, word))
      return in_.Error(word.begin, "'" + word.text + "' is neither a number nor a time");
    return IsOrdering(node.op) || MustBeTime(word) ? NotATime(node, word) : Status::Ok();
  }

  // Whether a word that a record's time is compared with can be equal to one only if it is a time.
  [[nodiscard]] bool MustBeTime(const Word& word) const {
    return rules_.columns == nullptr && (word.quoted || !HasWildcard(word.text));
  }

  [[nodiscard]] Status NotATime(const Node& node, const Word& word) const {
    const std::string example = node.op == Op::kIn
                                    ? " in (2024-07-11T08:00:00Z)"
                                    : std::string(ToString(node.op)) + "2024-07-11T08:00:00Z";
    return in_.Error(word.begin, "'" + word.text + "' is not a time; write " + node.field +
                                     example + "; for ages use --since and --until");
  }

  // In a list too times are instants, whatever their spelling: they stand in it as FormatUtc has them.
  Status SpellInstant(Node& node, Word& word) const {
    const bool is_time = IsTimeField(node.field) && MustBeTime(word);
    if (!is_time && rules_.columns == nullptr) return Status::Ok();
    Result<UnixNanos> instant = ParseTime(word.text, formats::TimeZone::Utc());
    if (!instant.ok()) return is_time ? NotATime(node, word) : Status::Ok();
    if (!is_time) {  // a column may hold it as it was written
      node.instant = *instant;
      node.patterns.push_back(Pattern::Of(word.text, word.quoted));
    }
    word.text = formats::FormatUtc(*instant);
    return Status::Ok();
  }

  Status ReadSet(Node& node) {
    if (in_.Peek() == '@') return ReadFileList();
    if (in_.Peek() == '{') return ReadSubquery(node);
    LV_RETURN_IF_ERROR(ReadList(node));
    return node.SetMembers() ? Status::Ok() : TooManyWildcards();
  }

  [[nodiscard]] Status TooManyWildcards() const {
    return in_.Error("a list may have " + std::to_string(kMaxWildcardsInList) +
                     " values with wildcards");
  }

  // Names the file; its values are put in by whoever has it.
  Status ReadFileList() {
    const std::size_t begin = in_.at();
    if (rules_.file_lists == nullptr) {
      return in_.Error(
          "a list from a file is read by `logvault query`, and not here; write the values out: in "
          "(a, b)");
    }
    in_.MoveTo(begin + 1);
    Result<Word> path = in_.ReadWord(false);
    if (!path.ok()) return path.status();
    if (path->text.empty()) return in_.Error("the name of a file must follow '@'");
    rules_.file_lists->push_back({std::move(path->text), begin, in_.at()});
    return Status::Ok();
  }

  Status ReadSubquery(Node& node) {
    if (rules_.behind_pipe) return in_.Error("a subquery cannot stand behind a pipe");
    if (rules_.subquery_depth >= kMaxSubqueryDepth) {
      return in_.Error("subqueries nested deeper than " + std::to_string(kMaxSubqueryDepth) +
                       " levels");
    }
    const std::size_t open = in_.at();
    const std::optional<std::size_t> close = ClosingBrace(in_.text(), open);
    if (!close) return in_.Error("'{' is never closed; quote text that holds braces");
    TextReader inner(in_.text().substr(0, *close));
    inner.MoveTo(open + 1);
    ParseRules rules = rules_;
    ++rules.subquery_depth;
    Result<Query> query = ParseQuery(inner, rules);
    if (!query.ok()) return query.status();
    if (query->pipeline.yields_table() && query->pipeline.columns().size() != 1) {
      return in_.Error(open, "a subquery must give one column, and this one gives " +
                                 std::to_string(query->pipeline.columns().size()) +
                                 "; end it with | fields " + node.field);
    }
    node.subquery = std::make_shared<const Query>(*std::move(query));
    in_.MoveTo(*close + 1);
    return Status::Ok();
  }

  Status ReadList(Node& node) {
    const std::size_t open = in_.at();
    do {
      in_.MoveTo(in_.at() + (in_.at() == open ? 1 : 0));
      in_.SkipBlanks();
      if (in_.AtEnd()) return in_.Error(open, "this list is never closed with ')'");
      Result<Word> word = in_.ReadWord(true);
      if (!word.ok()) return word.status();
      if (word->text.empty() && !word->quoted) return in_.Error("a value is missing in this list");
      LV_RETURN_IF_ERROR(Count(word->begin));
      LV_RETURN_IF_ERROR(CheckNetwork(*word));
      LV_RETURN_IF_ERROR(SpellInstant(node, *word));
      node.patterns.push_back(Pattern::Of(std::move(word->text), word->quoted));
    } while (in_.TakeChar(','));
    if (in_.TakeChar(')')) return Status::Ok();
    if (in_.AtEnd()) return in_.Error(open, "this list is never closed with ')'");
    return in_.Error("the values of a list are parted by commas");
  }

  TextReader& in_;
  const ParseRules& rules_;
  std::size_t terms_ = 0;
};

}  // namespace

Status CheckName(const TextReader& in, const ParseRules& rules, std::string_view name,
                 std::size_t where) {
  const bool fields = rules.columns == nullptr;
  if (fields
          ? IsFieldName(name)
          : std::find(rules.columns->begin(), rules.columns->end(), name) != rules.columns->end())
    return Status::Ok();
  const std::string nearest(fields ? NearestFieldName(name) : NearestName(name, *rules.columns));
  std::string what =
      std::string(fields ? "unknown field '" : "no column '") + std::string(name) + "'";
  if (!fields && nearest.empty()) {
    what += " comes here; the columns are:";
    for (const std::string& column : *rules.columns) what += ' ' + column;
  }
  what += nearest.empty() ? "; to" : "; did you mean '" + nearest + "'? To";
  const std::size_t end = in.WordEnd(where, false);
  return in.Error(where, what + " search for the text, quote it: \"" +
                             std::string(in.text().substr(where, end - where)) + "\"");
}

Result<Expression> ParseExpression(TextReader& in, const ParseRules& rules) {
  in.SkipBlanks();
  const std::size_t begin = in.at();
  if (in.AtEnd() || in.Peek() == '|') return Expression();
  Result<Node> root = Parser(in, rules).Run();
  if (!root.ok()) return root.status();
  std::string_view whole = in.text().substr(begin, in.at() - begin);
  while (IsBlank(whole.back())) whole.remove_suffix(1);
  return Expression(*std::move(root), std::string(whole));
}

Result<Expression> Expression::Parse(std::string_view text) {
  TextReader in(text);
  LV_RETURN_IF_ERROR(CheckQueryBytes(in));
  Result<Expression> expression = ParseExpression(in, {});
  if (expression.ok() && !in.AtEnd()) {
    return in.Error("pipes cannot stand here; to search for the character, quote it: \"|\"");
  }
  return expression;
}

}  // namespace logvault::query
