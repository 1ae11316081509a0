// The parser of expressions: recursive descent over the text, no separate tokens, since what a byte
// means hangs on where it stands (in `a:b` a colon is an operator, in `10.0.0.1:80` it is part of a
// word).
#include <re2/re2.h>

#include <algorithm>
#include <optional>

#include "query/expression.h"
#include "query/time_argument.h"

namespace logvault::query {
namespace {

constexpr std::int64_t kRegexMemoryMax = 4 << 20;

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool IsNameStart(char c) { return (FoldAscii(c) >= 'a' && FoldAscii(c) <= 'z') || c == '_'; }
bool IsNameChar(char c) {
  return IsNameStart(c) || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '@';
}

bool IsTimeField(std::string_view name) {
  return name == "time" || name == "read_time" || name == "commit_time";
}
bool IsOrdering(Op op) {
  return op == Op::kLess || op == Op::kLessOrEqual || op == Op::kGreater ||
         op == Op::kGreaterOrEqual;
}

std::string_view LongestPlainRun(std::string_view text) {
  std::string_view longest;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = std::min(text.find_first_of("*?", at), text.size());
    if (end - at > longest.size()) longest = text.substr(at, end - at);
    at = end + 1;
  }
  return longest;
}

// What a word means that stands without quotes.
Pattern PatternOf(std::string text, bool quoted) {
  Pattern pattern;
  pattern.quoted = quoted;
  pattern.text = std::move(text);
  pattern.literal = Literal(pattern.text);
  if (quoted) return pattern;
  if (std::optional<Network> network = Network::Parse(pattern.text)) {
    pattern.kind = Pattern::Kind::kNetwork;
    pattern.network = *network;
  } else if (LooksLikeHash(pattern.text)) {
    pattern.kind = Pattern::Kind::kHash;
  } else if (HasWildcard(pattern.text)) {
    pattern.kind = Pattern::Kind::kWildcard;
    pattern.literal = Literal(LongestPlainRun(pattern.text));
  }
  return pattern;
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

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Node> Run() {
    Result<Node> node = Or(0);
    if (!node.ok()) return node;
    SkipBlanks();
    if (AtEnd()) return node;
    if (Peek() == '|') return PipesError();
    if (Peek() == ')')
      return Error(at_, "')' without a '('; quote text that holds parentheses: \"exec(\"");
    return Error(at_, "the expression should have ended here");
  }

  bool Empty() {
    SkipBlanks();
    return at_ == text_.size();
  }

 private:
  struct Word {
    std::string text;
    bool quoted = false;
    std::size_t begin = 0;
  };

  // The column, from 1, of a byte: characters before it, not bytes.
  [[nodiscard]] Status Error(std::size_t where, const std::string& what) const {
    std::size_t column = 1;
    for (char c : text_.substr(0, where))
      column += (static_cast<unsigned char>(c) & 0xc0) != 0x80 ? 1 : 0;
    return InvalidArgument("column " + std::to_string(column) + ": " + what);
  }

  [[nodiscard]] Status PipesError() const {
    return Error(
        at_,
        "pipes are not supported in this version; to search for the character, quote it: \"|\"");
  }

  void SkipBlanks() {
    while (at_ < text_.size() && IsBlank(text_[at_])) ++at_;
  }
  [[nodiscard]] char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  [[nodiscard]] bool AtEnd() const { return at_ == text_.size(); }

  // Where the bare word that starts at `begin` ends.
  [[nodiscard]] std::size_t WordEnd(std::size_t begin, bool in_list) const {
    std::size_t end = begin;
    while (end < text_.size() && !IsBlank(text_[end]) && text_[end] != '(' && text_[end] != ')' &&
           text_[end] != '"' && text_[end] != '|' && !(in_list && text_[end] == ',')) {
      ++end;
    }
    return end;
  }

  // Takes `keyword` where it stands as a word of its own.
  bool TakeKeyword(std::string_view keyword) {
    SkipBlanks();
    const std::size_t end = WordEnd(at_, false);
    if (!EqualFolded(text_.substr(at_, end - at_), keyword)) return false;
    at_ = end;
    return true;
  }
  [[nodiscard]] bool AtKeyword(std::string_view keyword) const {
    return EqualFolded(text_.substr(at_, WordEnd(at_, false) - at_), keyword);
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
    if (chain.children.size() == 1) return std::move(chain.children[0]);
    return chain;
  }

  // Whether another operand follows; takes the keyword between.
  bool Joined(Node::Kind kind) {
    if (kind == Node::Kind::kOr) return TakeKeyword("or");
    if (TakeKeyword("and")) return true;
    SkipBlanks();
    return !AtEnd() && Peek() != ')' && Peek() != '|' && !AtKeyword("or");
  }

  Result<Node> Not(int depth) {
    if (depth > kMaxExpressionDepth) {
      return Error(at_, "nested deeper than " + std::to_string(kMaxExpressionDepth) + " levels");
    }
    if (!TakeKeyword("not")) return Primary(depth);
    Result<Node> operand = Not(depth + 1);
    if (!operand.ok()) return operand;
    Node negation;
    negation.kind = Node::Kind::kNot;
    negation.children.push_back(*std::move(operand));
    return negation;
  }

  Result<Node> Primary(int depth) {
    SkipBlanks();
    if (AtEnd()) return Error(at_, "a term is missing here");
    if (Peek() == '|') return PipesError();
    if (Peek() == ')')
      return Error(at_,
                   "a term is missing before ')'; quote text that holds parentheses: \"exec(\"");
    if (AtKeyword("or") || AtKeyword("and")) {
      return Error(at_, "a term is missing before '" +
                            std::string(text_.substr(at_, WordEnd(at_, false) - at_)) +
                            "'; quote the word to search for it");
    }
    if (Peek() == '(') return Parenthesised(depth);
    if (std::optional<Result<Node>> field = Field()) return *std::move(field);
    return Term();
  }

  Result<Node> Parenthesised(int depth) {
    const std::size_t open = at_++;
    Result<Node> inner = Or(depth + 1);
    if (!inner.ok()) return inner;
    SkipBlanks();
    if (Peek() == '|') return PipesError();
    if (AtEnd())
      return Error(open, "'(' is never closed; quote text that holds parentheses: \"exec(\"");
    ++at_;  // the ')': And() stops nowhere else
    return inner;
  }

  Result<Node> Term() {
    Result<Word> word = ReadWord(false);
    if (!word.ok()) return word.status();
    if (Status counted = Count(word->begin); !counted.ok()) return counted;
    if (Status possible = CheckNetwork(*word); !possible.ok()) return possible;
    Node term;
    term.patterns.push_back(PatternOf(std::move(word->text), word->quoted));
    return term;
  }

  [[nodiscard]] Status CheckNetwork(const Word& word) const {
    if (word.quoted || !IsImpossibleNetwork(word.text)) return Status::Ok();
    const bool v6 = word.text.find(':') != std::string::npos;
    return Error(word.begin, "'" + word.text + "' is no network: an " + (v6 ? "IPv6" : "IPv4") +
                                 " prefix has 0 to " + (v6 ? "128" : "32") +
                                 " bits; to search for the text, quote it");
  }

  Status Count(std::size_t where) {
    if (++terms_ <= kMaxExpressionTerms) return Status::Ok();
    return Error(where, "more than " + std::to_string(kMaxExpressionTerms) + " terms");
  }

  // A quoted string or a bare word.
  Result<Word> ReadWord(bool in_list) {
    Word word;
    word.begin = at_;
    if (Peek() == '"') return ReadString();
    const std::size_t end = WordEnd(at_, in_list);
    word.text = std::string(text_.substr(at_, end - at_));
    at_ = end;
    return word;
  }

  Result<Word> ReadString() {
    Word word;
    word.quoted = true;
    word.begin = at_++;
    for (; !AtEnd(); ++at_) {
      if (Peek() == '"') {
        ++at_;
        return word;
      }
      if (Peek() == '\\') {
        const char escaped = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
        if (escaped != '"' && escaped != '\\') {
          return Error(at_,
                       "in a string only \\\" and \\\\ are escapes; write \\\\ for a backslash");
        }
        ++at_;
      }
      word.text += Peek();
    }
    return Error(word.begin,
                 "this string is never closed; write \\\" for a quotation mark inside it");
  }

  // `name op value`, or nullopt where no operator follows a name.
  std::optional<Result<Node>> Field() {
    const std::size_t begin = at_;
    if (!IsNameStart(Peek())) return std::nullopt;
    std::size_t end = begin;
    while (end < text_.size() && IsNameChar(text_[end])) ++end;
    at_ = end;
    SkipBlanks();
    const std::size_t op_at = at_;
    std::optional<Op> op = ReadOp(end);
    if (!op) {
      at_ = begin;
      return std::nullopt;
    }
    const std::string name(text_.substr(begin, end - begin));
    if (!IsFieldName(name)) return Result<Node>(UnknownField(name, begin));
    if (*op == Op::kEquals && Peek() == '=')
      return Result<Node>(Error(op_at, "'==' is not an operator; write '='"));
    Node node;
    node.kind = Node::Kind::kField;
    node.field = name;
    node.op = *op;
    Status read = *op == Op::kIn ? ReadList(node) : ReadValue(node);
    if (!read.ok()) return Result<Node>(std::move(read));
    return Result<Node>(std::move(node));
  }

  // The operator at at_; `name_end` is where the name before it ended.
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
      if (!text_.substr(at_).starts_with(known.text)) continue;
      at_ += known.text.size();
      return known.op;
    }
    if (at_ == name_end || !AtKeyword("in")) return std::nullopt;
    std::size_t after = WordEnd(at_, false);
    while (after < text_.size() && IsBlank(text_[after])) ++after;
    if (after == text_.size() ||
        (text_[after] != '(' && text_[after] != '@' && text_[after] != '{'))
      return std::nullopt;
    at_ = after;
    return Op::kIn;
  }

  [[nodiscard]] Status UnknownField(const std::string& name, std::size_t where) const {
    std::string_view nearest = NearestFieldName(name);
    const std::size_t end = WordEnd(where, false);
    return Error(
        where,
        "unknown field '" + name + "'" +
            (nearest.empty() ? std::string() : "; did you mean '" + std::string(nearest) + "'?") +
            (nearest.empty() ? "; " : " ") + "To search for the text, quote it: \"" +
            std::string(text_.substr(where, end - where)) + "\"");
  }

  Status ReadValue(Node& node) {
    SkipBlanks();
    if (Peek() == '(') return Error(at_, "a list is written " + node.field + " in (a, b)");
    Result<Word> word = ReadWord(false);
    if (!word.ok()) return word.status();
    if (word->text.empty() && !word->quoted) {
      return Error(at_,
                   "a value must follow '" + node.field + std::string(ToString(node.op)) + "'");
    }
    LV_RETURN_IF_ERROR(Count(word->begin));
    LV_RETURN_IF_ERROR(CheckValue(node, *word));
    if (node.op != Op::kMatches) LV_RETURN_IF_ERROR(CheckNetwork(*word));
    node.patterns.push_back(PatternOf(std::move(word->text), word->quoted));
    return Status::Ok();
  }

  // What an operator demands of its value.
  Status CheckValue(Node& node, const Word& word) const {
    if (node.op == Op::kMatches) {
      re2::RE2::Options options(re2::RE2::Quiet);
      options.set_max_mem(kRegexMemoryMax);
      auto regex = std::make_shared<re2::RE2>(re2::StringPiece(word.text), options);
      if (!regex->ok())
        return Error(word.begin, "not a regular expression of RE2: " + regex->error());
      node.regex = std::move(regex);
      return Status::Ok();
    }
    if (IsTimeField(node.field) && node.op != Op::kContains) {
      Result<UnixNanos> instant = ParseTime(word.text, formats::TimeZone::Utc());
      if (instant.ok()) {
        node.instant = *instant;
      } else if (IsOrdering(node.op)) {
        return Error(word.begin, "'" + word.text + "' is not a time; write " + node.field +
                                     std::string(ToString(node.op)) +
                                     "2024-07-11T08:00:00Z; for ages use --since and --until");
      }
      return Status::Ok();
    }
    if (IsOrdering(node.op) && !IsNumber(word.text)) {
      return Error(word.begin, "'" + std::string(ToString(node.op)) + "' compares numbers, and '" +
                                   word.text + "' is none");
    }
    return Status::Ok();
  }

  Status ReadList(Node& node) {
    if (Peek() == '@')
      return Error(
          at_,
          "lists from a file are not supported in this version; write the values out: in (a, b)");
    if (Peek() == '{') return Error(at_, "subqueries are not supported in this version");
    const std::size_t open = at_++;
    for (;;) {
      SkipBlanks();
      if (AtEnd()) return Error(open, "this list is never closed with ')'");
      Result<Word> word = ReadWord(true);
      if (!word.ok()) return word.status();
      if (word->text.empty() && !word->quoted) return Error(at_, "a value is missing in this list");
      LV_RETURN_IF_ERROR(Count(word->begin));
      LV_RETURN_IF_ERROR(CheckNetwork(*word));
      node.patterns.push_back(PatternOf(std::move(word->text), word->quoted));
      SkipBlanks();
      if (Peek() == ')') break;
      if (AtEnd()) return Error(open, "this list is never closed with ')'");
      if (Peek() != ',') return Error(at_, "the values of a list are parted by commas");
      ++at_;
    }
    ++at_;
    return Status::Ok();
  }

  const std::string_view text_;
  std::size_t at_ = 0;
  std::size_t terms_ = 0;
};

}  // namespace

Result<Expression> Expression::Parse(std::string_view text) {
  Expression expression;
  expression.text_ = std::string(text);
  if (text.size() > kMaxExpressionBytes) {
    return InvalidArgument("column 1: an expression may have " +
                           std::to_string(kMaxExpressionBytes) + " bytes");
  }
  Parser parser(expression.text_);
  if (parser.Empty()) return expression;
  Result<Node> root = parser.Run();
  if (!root.ok()) return root.status();
  expression.root_ = std::make_shared<const Node>(*std::move(root));
  return expression;
}

}  // namespace logvault::query
