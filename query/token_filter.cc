#include "query/token_filter.h"

#include <algorithm>

#include "query/address.h"
#include "query/index_query.h"
#include "query/index_views.h"
#include "query/literal.h"

namespace logvault::query {
namespace {

// Fewer are looked for one by one.
constexpr std::size_t kTokensMin = 17;
// So many words are faster looked for one by one than together.
constexpr std::size_t kFewWords = 4;

std::uint32_t QuadOf(const Network& address) {
  std::uint32_t quad = 0;
  for (std::size_t i = 0; i < 4; ++i) quad = quad << 8 | address.bytes[i];
  return quad;
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Up to three digits from `at` on, which is moved behind them; false where there are none, or what they say is no byte.
bool TakeByte(std::string_view text, std::size_t& at, std::uint32_t& quad) {
  const std::size_t end = std::min(text.size(), at + 3);
  std::uint32_t value = 0;
  const std::size_t begin = at;
  for (; at < end && IsDigit(text[at]); ++at)
    value = value * 10 + static_cast<std::uint32_t>(text[at] - '0');
  quad = quad << 8 | value;
  return at > begin && value <= 0xff;
}

// The four bytes around the dot at `dot`, which parts the first two.
std::optional<std::uint32_t> QuadAround(std::string_view text, std::size_t dot) {
  std::size_t at = dot;
  while (at > 0 && dot - at < 3 && IsDigit(text[at - 1])) --at;
  std::uint32_t quad = 0;
  for (int byte = 0; byte < 4; ++byte) {
    if (byte > 0 && (at >= text.size() || text[at++] != '.')) return std::nullopt;
    if (!TakeByte(text, at, quad)) return std::nullopt;
  }
  return quad;
}

}  // namespace

std::optional<TokenFilter> TokenFilter::For(const Expression& expression) {
  TokenFilter filter;
  const IndexQuery query = IndexQueryFor(expression, &filter.uses_fields_);
  if (!filter.Take(query)) return std::nullopt;
  if (filter.count_ < kTokensMin) return std::nullopt;
  if (filter.words_.size() > kFewWords) {
    filter.fragments_.emplace(std::move(filter.words_));
    return filter;
  }
  for (const Fragment& word : filter.words_) filter.few_.emplace_back(word.text);
  return filter;
}

bool TokenFilter::Take(const IndexQuery& query) {
  switch (query.kind) {
    case IndexQuery::Kind::kTokens:
      for (const std::string& token : query.tokens) TakeToken(token);
      return true;
    case IndexQuery::Kind::kFragments:
      words_.insert(words_.end(), query.fragments.begin(), query.fragments.end());
      count_ += std::max(kTokensMin, query.fragments.size());
      return true;
    case IndexQuery::Kind::kOr:
      return std::all_of(query.children.begin(), query.children.end(),
                         [this](const IndexQuery& child) { return Take(child); });
    case IndexQuery::Kind::kAnd:  // what one part requires, all do
      return Take(query.children.front());
    case IndexQuery::Kind::kAny:
    case IndexQuery::Kind::kFragment:
    case IndexQuery::Kind::kNetwork:
      break;
  }
  return false;
}

void TokenFilter::TakeToken(const std::string& token) {
  ++count_;
  const std::optional<Network> address = Network::ParseAddress(token);
  if (token.starts_with(':'))
    v6_addresses_.insert(token);
  else if (address)
    quads_.insert(QuadOf(*address));
  else
    words_.push_back({token, true, true});  // a hash, or a word by itself
}

bool TokenFilter::MayMatch(std::string_view text, formats::Format format) const {
  if (Holds(text)) return true;
  if (!uses_fields_) return false;
  // What a format writes in disguise is looked at more closely.
  bool in_disguise = false;
  ViewVisitor visitor;
  visitor.on_text = [&in_disguise](std::string_view) { in_disguise = true; };
  visitor.on_address = [&in_disguise](const Network&) { in_disguise = true; };
  return !ForEachView(format, text, visitor) || in_disguise;
}

bool TokenFilter::Holds(std::string_view text) const {
  if (!quads_.empty() && HoldsQuad(text)) return true;
  if (std::any_of(few_.begin(), few_.end(), [text](const Literal& word) { return word.In(text); }))
    return true;
  if (fragments_ && fragments_->Find(FoldAscii(text)) != std::string_view::npos) return true;
  if (v6_addresses_.empty()) return false;
  bool found = false;
  ForEachV6Address(text, [&](const Network& address) {
    found = found || v6_addresses_.contains(AddressToken(address));
  });
  return found;
}

bool TokenFilter::HoldsQuad(std::string_view text) const {
  for (std::size_t dot = text.find('.'); dot != std::string_view::npos;
       dot = text.find('.', dot + 1)) {
    const std::optional<std::uint32_t> quad = QuadAround(text, dot);
    if (quad && quads_.contains(*quad)) return true;
  }
  return false;
}

}  // namespace logvault::query
