#include "query/token_filter.h"

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
  // A field's value may stand in a view other than the text.
  if (query.kind != IndexQuery::Kind::kTokens || uses_fields || query.tokens.size() < kTokensMin)
    return std::nullopt;
  return TokenFilter(query.tokens);
}

bool TokenFilter::MayMatch(std::string_view text) const {
  bool found = false;
  std::string kept;
  const bool all_kept = ForEachKept(FoldAscii(text), [&](std::string_view token) {
    if (found) return;
    kept.assign(token);
    found = tokens_.contains(kept);
  });
  return found || !all_kept;
}

}  // namespace logvault::query
