#include "query/token_filter.h"

#include <algorithm>

#include "query/index_kept.h"
#include "query/index_query.h"
#include "query/literal.h"

namespace logvault::query {
namespace {

// Fewer are looked for one by one.
constexpr std::size_t kTokensMin = 17;

}  // namespace

std::optional<TokenFilter> TokenFilter::For(const Expression& expression) {
  bool uses_fields = false;
  const IndexQuery query = IndexQueryFor(expression, &uses_fields);
  TokenFilter filter;
  // A field's value may stand in a view other than the text.
  if (uses_fields || !filter.Take(query)) return std::nullopt;
  if (!filter.fragments_ && filter.tokens_.size() < kTokensMin) return std::nullopt;
  return filter;
}

bool TokenFilter::Take(const IndexQuery& query) {
  switch (query.kind) {
    case IndexQuery::Kind::kTokens:
      tokens_.insert(query.tokens.begin(), query.tokens.end());
      return true;
    case IndexQuery::Kind::kFragments:
      fragments_.emplace(query.fragments);
      return true;
    case IndexQuery::Kind::kOr:
      return std::all_of(query.children.begin(), query.children.end(),
                         [this](const IndexQuery& child) { return Take(child); });
    case IndexQuery::Kind::kAny:
    case IndexQuery::Kind::kAnd:
    case IndexQuery::Kind::kFragment:
    case IndexQuery::Kind::kNetwork:
      break;
  }
  return false;
}

bool TokenFilter::MayMatch(std::string_view text) const {
  const std::string folded = FoldAscii(text);
  if (fragments_ && fragments_->Find(folded) != std::string_view::npos) return true;
  if (tokens_.empty()) return false;
  bool found = false;
  std::string kept;
  const bool all_kept = ForEachKept(folded, [&](std::string_view token) {
    if (found) return;
    kept.assign(token);
    found = tokens_.contains(kept);
  });
  return found || !all_kept;
}

}  // namespace logvault::query
