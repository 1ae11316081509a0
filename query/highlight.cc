#include "query/highlight.h"

#include <re2/re2.h>

#include <algorithm>
#include <cctype>
#include <optional>

#include "formats/fields.h"

namespace logvault::query {
namespace {

bool IsWordChar(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool IsAddressChar(char c) {
  return std::isxdigit(static_cast<unsigned char>(c)) != 0 || c == ':' || c == '.';
}

bool IsBounded(std::string_view text, std::size_t begin, std::size_t end) {
  return (begin == 0 || !IsWordChar(text[begin - 1])) &&
         (end == text.size() || !IsWordChar(text[end]));
}

// Gathers the spans of one record.
class SpanFinder {
 public:
  SpanFinder(formats::Format format, std::string_view text) : format_(format), text_(text) {}

  void Visit(const Node& node) {
    switch (node.kind) {
      case Node::Kind::kAnd:
      case Node::Kind::kOr:
        for (const Node& child : node.children) Visit(child);
        return;
      case Node::Kind::kNot:
        return;
      case Node::Kind::kTerm:
        return AddPattern(node.patterns[0], {0, text_.size()});
      case Node::Kind::kField:
        return AddField(node);
    }
  }

  std::vector<Span> Finish() {
    std::sort(spans_.begin(), spans_.end(),
              [](const Span& a, const Span& b) { return a.begin < b.begin; });
    std::vector<Span> merged;
    for (const Span& span : spans_) {
      if (!merged.empty() && span.begin <= merged.back().end)
        merged.back().end = std::max(merged.back().end, span.end);
      else
        merged.push_back(span);
    }
    return merged;
  }

 private:
  void Add(std::size_t begin, std::size_t end) {
    if (begin < end && spans_.size() < kSpansMax) spans_.push_back({begin, end});
  }

  void AddPattern(const Pattern& pattern, Span within) {
    switch (pattern.kind) {
      case Pattern::Kind::kText:
      case Pattern::Kind::kWildcard:
        return AddLiteral(pattern.literal, within, false);
      case Pattern::Kind::kHash:
        return AddLiteral(pattern.literal, within, true);
      case Pattern::Kind::kNetwork:
        return AddAddresses(pattern.network, within);
    }
  }

  void AddLiteral(const Literal& literal, Span within, bool whole) {
    const std::size_t size = literal.folded().size();
    if (size == 0) return;
    const std::string_view part = text_.substr(0, within.end);
    for (std::size_t at = literal.Find(part, within.begin);
         at != std::string_view::npos && spans_.size() < kSpansMax;
         at = literal.Find(part, at + size)) {
      if (!whole || IsBounded(text_, at, at + size)) Add(at, at + size);
    }
  }

  // Each run of characters that addresses are made of, judged with its neighbours in sight.
  void AddAddresses(const Network& network, Span within) {
    auto belongs = [&](char c) {
      return IsAddressChar(c) && (network.v6 || c == '.' || (c >= '0' && c <= '9'));
    };
    for (std::size_t at = within.begin; at < within.end;) {
      if (!belongs(text_[at])) {
        ++at;
        continue;
      }
      std::size_t end = at;
      while (end < within.end && belongs(text_[end])) ++end;
      const std::size_t left = at == 0 ? 0 : at - 1;
      if (HoldsAddressIn(text_.substr(left, end + 1 - left), network)) Add(at, end);
      at = end;
    }
  }

  // A field's value where it stands in the text as it was read.
  void AddValue(std::string_view value) {
    if (!value.empty()) AddLiteral(Literal(value), {0, text_.size()}, true);
  }

  void AddField(const Node& node) {
    if (node.op == Op::kNotEquals || node.patterns.empty())
      return;  // empty: a subquery's, known to the vault
    if (node.field == "message") {
      if (node.op == Op::kMatches) return AddRegex(node, text_);
      return AddPattern(node.patterns[0], {0, text_.size()});
    }
    if (!fields_) fields_ = formats::ParseFields(format_, text_);
    for (const formats::Field& field : *fields_) {
      if (field.name == node.field) AddComparison(node, field.value);
    }
  }

  void AddComparison(const Node& node, std::string_view value) {
    switch (node.op) {
      case Op::kEquals:
      case Op::kIn:
        for (const Pattern& pattern : node.patterns) {
          if (pattern.Equals(value)) return AddValue(value);
        }
        return;
      case Op::kContains:
        if (node.patterns[0].FoundIn(value)) AddWithin(node.patterns[0], value);
        return;
      case Op::kMatches:
        return AddRegex(node, value);
      case Op::kNotEquals:
      case Op::kLess:
      case Op::kLessOrEqual:
      case Op::kGreater:
      case Op::kGreaterOrEqual:
        return;  // a number's size is no place in a text
    }
  }

  // `pattern` wherever `value` stands.
  void AddWithin(const Pattern& pattern, std::string_view value) {
    if (value.empty()) return;  // it would be found at every place, for ever
    for (std::size_t at = text_.find(value); at != std::string_view::npos;
         at = text_.find(value, at + value.size())) {
      AddPattern(pattern, {at, at + value.size()});
    }
  }

  void AddRegex(const Node& node, std::string_view value) {
    re2::StringPiece rest(value.data(), value.size());
    re2::StringPiece hit;
    if (!node.regex->Match(rest, 0, rest.size(), re2::RE2::UNANCHORED, &hit, 1)) return;
    const std::size_t value_at = text_.find(value);
    if (value_at == std::string_view::npos) return;
    const std::size_t begin = value_at + static_cast<std::size_t>(hit.data() - value.data());
    Add(begin, begin + hit.size());
  }

  const formats::Format format_;
  const std::string_view text_;
  std::optional<formats::Fields> fields_;
  std::vector<Span> spans_;
};

}  // namespace

std::vector<Span> FindSpans(const Expression& expression, formats::Format format,
                            std::string_view text) {
  SpanFinder finder(format, text);
  if (expression.root() != nullptr) finder.Visit(*expression.root());
  return finder.Finish();
}

}  // namespace logvault::query
