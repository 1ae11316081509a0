// Expression: what a query asks of a record, parsed.  Grammar, lowest precedence first:
//
//   or    = and { "or" and }                 keywords in any case
//   and   = not { [ "and" ] not }            terms side by side are joined by "and"
//   not   = { "not" } primary
//   primary = "(" or ")" | word | string | name op value | name "in" set
//   set   = "(" value { "," value } ")" | "{" query "}"
//   op    = "=" | ":" (contains) | "!=" | "~" (RE2) | "<" | "<=" | ">" | ">="
//   string = '"' { any | '\"' | '\\' } '"'
//
// A bare word that is an IP address, a CIDR or a hash matches whole entities only; `*` and `?` in
// another bare word are wildcards; a string is taken as it is.  Pipes: query/pipeline.h.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "common/status.h"
#include "query/address.h"
#include "query/literal.h"

namespace re2 {
class RE2;
}

namespace logvault::query {

inline constexpr std::size_t kMaxExpressionBytes = 1 << 20;
inline constexpr std::size_t kMaxExpressionTerms = 20'000;
inline constexpr int kMaxExpressionDepth = 100;  // of parentheses and NOTs

// What a record or a field's value is compared with.
struct Pattern {
  enum class Kind {
    kText,      // ASCII letters in either case
    kWildcard,  // with `*` and `?`
    kNetwork,   // an address or a CIDR
    kHash,
  };
  Kind kind = Kind::kText;
  std::string text;  // as meant: without quotes and escapes
  bool quoted = false;
  Literal literal{""};  // kText and kHash: the text; kWildcard: its longest run without wildcards
  Network network;      // kNetwork

  // The pattern somewhere in `bytes`; whole entities for kNetwork and kHash.
  [[nodiscard]] bool FoundIn(std::string_view bytes) const;
  // All of `value` is the pattern.
  [[nodiscard]] bool Equals(std::string_view value) const;

  // What the word `text` means, or the string.
  static Pattern Of(std::string text, bool quoted);
};

enum class Op {
  kEquals,
  kContains,
  kNotEquals,
  kMatches,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,
  kIn
};
std::string_view ToString(Op op);

class PatternSet;
struct Query;
inline constexpr std::size_t kMaxWildcardsInList = 1000;

struct Node {
  enum class Kind { kAnd, kOr, kNot, kTerm, kField };
  Kind kind = Kind::kTerm;
  std::vector<Node> children;                 // kAnd, kOr: at least two; kNot: one
  std::string field;                          // kField
  Op op = Op::kEquals;                        // kField
  std::vector<Pattern> patterns;              // kTerm: one; kField: one, or kIn's list
  std::shared_ptr<const re2::RE2> regex;      // kMatches
  std::optional<UnixNanos> instant;           // a time field's value, where it is a time
  std::shared_ptr<const PatternSet> members;  // kIn: of `patterns`, made for thousands of them
  std::shared_ptr<const Query>
      subquery;  // kIn: whose answer the values are; without patterns until it was asked

  // kIn: makes `members`.  False: too many wildcards.
  [[nodiscard]] bool SetMembers();
};

// A value, cheap to copy, safe from several threads.
class Expression {
 public:
  Expression() = default;  // matches every record
  Expression(Node root, std::string text)
      : text_(std::move(text)), root_(std::make_shared<const Node>(std::move(root))) {}

  // kInvalidArgument with "column N: what is wrong; what to do".  Pure.
  static Result<Expression> Parse(std::string_view text);

  // nullptr: matches every record.
  [[nodiscard]] const Node* root() const { return root_.get(); }
  [[nodiscard]] const std::string& text() const { return text_; }
  // How it was understood, fully parenthesised.
  [[nodiscard]] std::string ToString() const;

 private:
  std::string text_;
  std::shared_ptr<const Node> root_;
};

// Every name that may stand before an operator: what the vault knows of a record (host source seq
// time read_time commit_time block origin message) and formats::IsFieldName.
bool IsFieldName(std::string_view name);
// The known name nearest to `name`; empty where none is near.
std::string_view NearestFieldName(std::string_view name);
// The one of `names` that is.
std::string_view NearestName(std::string_view name, const std::vector<std::string>& names);

}  // namespace logvault::query
