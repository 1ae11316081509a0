#include "query/index_query.h"

#include <algorithm>
#include <array>
#include <utility>

#include "query/literal.h"

namespace logvault::query {
namespace {

using Kind = IndexQuery::Kind;

// Sorted.
constexpr auto kSeenFields = std::to_array<std::string_view>(
    {"acct",         "app",          "cmd",           "comm",      "cwd",         "dst.ip",
     "exception",    "exe",          "hash",          "http.host", "http.method", "http.path",
     "http.query",   "http.referer", "http.ua",       "http.uri",  "ip",          "key",
     "logger",       "message",      "msg",           "msgid",     "name",        "proctitle",
     "sql.database", "sql.option",   "sql.procedure", "sql.user",  "src.host",    "src.ip",
     "syslog.host",  "user"});
static_assert(std::is_sorted(kSeenFields.begin(), kSeenFields.end()));

constexpr std::array<std::string_view, 3> kSeenPrefixes = {"audit.", "json.", "sd."};

bool IsAddressField(std::string_view name) {
  return name == "src.ip" || name == "dst.ip" || name == "ip";
}

IndexQuery Fragments(std::string_view literal) {
  std::vector<IndexQuery> all;
  for (Fragment& fragment : FragmentsOf(literal)) {
    IndexQuery& query = all.emplace_back();
    query.kind = Kind::kFragment;
    query.fragment = std::move(fragment);
  }
  if (all.empty()) return {};
  if (all.size() == 1) return std::move(all.front());
  IndexQuery query;
  query.kind = Kind::kAnd;
  query.children = std::move(all);
  return query;
}

IndexQuery Tokens(std::string token) {
  IndexQuery query;
  query.kind = Kind::kTokens;
  query.tokens.push_back(std::move(token));
  return query;
}

// How much work a part is: those that rule out much for little come first.
int CostOf(const IndexQuery& query) {
  switch (query.kind) {
    case Kind::kTokens:
      return 0;
    case Kind::kFragment:
      if (!query.fragment.open_left) return query.fragment.open_right ? 2 : 1;
      return 1000 - static_cast<int>(query.fragment.text.size());
    case Kind::kNetwork:
      return 3;
    case Kind::kFragments:
    case Kind::kAnd:
    case Kind::kOr:
    case Kind::kAny:
      break;
  }
  return 2000;
}

IndexQuery All(std::vector<IndexQuery> parts) {
  IndexQuery query;
  query.kind = Kind::kAnd;
  for (IndexQuery& part : parts) {
    if (part.kind == Kind::kAnd)
      std::move(part.children.begin(), part.children.end(), std::back_inserter(query.children));
    else if (part.kind != Kind::kAny)
      query.children.push_back(std::move(part));
  }
  std::stable_sort(query.children.begin(), query.children.end(),
                   [](const IndexQuery& a, const IndexQuery& b) { return CostOf(a) < CostOf(b); });
  if (query.children.empty()) return {};
  if (query.children.size() == 1) {
    IndexQuery only = std::move(query.children.front());
    return only;
  }
  return query;
}

// The fragment that says most of a part; nullptr where none is asked for in every case.
const Fragment* BestFragment(const IndexQuery& query) {
  if (query.kind == Kind::kFragment) return &query.fragment;
  if (query.kind != Kind::kAnd) return nullptr;
  const Fragment* best = nullptr;
  for (const IndexQuery& child : query.children) {
    if (child.kind == Kind::kFragment &&
        (best == nullptr || child.fragment.text.size() > best->text.size()))
      best = &child.fragment;
  }
  return best;
}

// More of them are not looked for one by one: of each the best fragment is, all in one pass.
constexpr std::size_t kPartsOneByOne = 8;

void MergeFragments(std::vector<IndexQuery>& parts) {
  if (parts.size() <= kPartsOneByOne) return;
  IndexQuery merged;
  merged.kind = Kind::kFragments;
  for (const IndexQuery& part : parts) {
    const Fragment* best = BestFragment(part);
    if (best == nullptr) return;
    merged.fragments.push_back(*best);
  }
  parts.clear();
  parts.push_back(std::move(merged));
}

// Lists of thousands of addresses become one leaf, and so do thousands of words.
IndexQuery OneOf(std::vector<IndexQuery> parts) {
  IndexQuery query, tokens;
  query.kind = Kind::kOr;
  tokens.kind = Kind::kTokens;
  for (IndexQuery& part : parts) {
    if (part.kind == Kind::kAny) return {};
    if (part.kind == Kind::kTokens)
      std::move(part.tokens.begin(), part.tokens.end(), std::back_inserter(tokens.tokens));
    else
      query.children.push_back(std::move(part));
  }
  std::sort(tokens.tokens.begin(), tokens.tokens.end());
  tokens.tokens.erase(std::unique(tokens.tokens.begin(), tokens.tokens.end()), tokens.tokens.end());
  MergeFragments(query.children);
  if (query.children.empty()) return tokens;
  if (!tokens.tokens.empty()) query.children.push_back(std::move(tokens));
  if (query.children.size() == 1) {
    IndexQuery only = std::move(query.children.front());
    return only;
  }
  return query;
}

// A wildcard may stand for any byte, so what is between two of them is a literal of its own.
IndexQuery ForWildcards(std::string_view text) {
  std::vector<IndexQuery> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of("*?"), text.size());
    parts.push_back(Fragments(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return All(std::move(parts));
}

IndexQuery ForNetwork(const Network& network) {
  if (network.IsAddress()) return Tokens(AddressToken(network));
  IndexQuery query;
  query.kind = Kind::kNetwork;
  query.network = network;
  return query;
}

IndexQuery ForTerm(const Pattern& pattern) {
  switch (pattern.kind) {
    case Pattern::Kind::kText:
      return Fragments(pattern.text);
    case Pattern::Kind::kWildcard:
      return ForWildcards(pattern.text);
    case Pattern::Kind::kNetwork:
      return ForNetwork(pattern.network);
    case Pattern::Kind::kHash:  // of digits alone it is noise, which the index does not keep
      if (IsNoise(pattern.literal.folded())) return {};
      return Tokens(pattern.literal.folded());
  }
  return {};
}

// A field's value may be cut out of a longer word: only in fields that hold addresses an address is known to stand alone.
IndexQuery ForValue(std::string_view field, const Pattern& pattern) {
  // An address of IPv6 has many spellings, and a part of one may be in none of the record's.
  const bool spelled = !IsAddressField(field) || pattern.kind == Pattern::Kind::kNetwork ||
                       pattern.text.find_first_not_of("0123456789.*?") == std::string::npos;
  if (!spelled) return {};
  switch (pattern.kind) {
    case Pattern::Kind::kText:
    case Pattern::Kind::kHash:
      return Fragments(pattern.text);
    case Pattern::Kind::kWildcard:
      return ForWildcards(pattern.text);
    case Pattern::Kind::kNetwork:
      if (IsAddressField(field)) return ForNetwork(pattern.network);
      if (!pattern.network.v6 && pattern.network.IsAddress())
        return Fragments(AddressToken(pattern.network));
      return {};
  }
  return {};
}

// How a group of an address of IPv6 may be written.
std::vector<std::string> GroupTokens(std::uint8_t high, std::uint8_t low) {
  constexpr std::string_view kHexDigits = "0123456789abcdef";
  std::string group;
  for (const std::uint8_t byte : {high, low}) {
    group += kHexDigits[byte >> 4];
    group += kHexDigits[byte & 15];
  }
  std::vector<std::string> tokens = {group};
  while (group.size() > 1 && group.front() == '0') tokens.push_back(group = group.substr(1));
  return tokens;
}

// An address of IPv4 may be written as one of IPv6 in hexadecimal alone (`::ffff:a01:203`), which no token of it shows: asked for
// are the group before its own two, and its first one, where all spellings of that are indexed.
IndexQuery ForMapped(const std::vector<Pattern>& patterns) {
  std::vector<IndexQuery> both = {Tokens("ffff")};
  IndexQuery groups;
  groups.kind = Kind::kTokens;
  constexpr int kGroupBits = 16;
  bool all_indexed = true;
  for (const Pattern& pattern : patterns) {
    if (pattern.kind != Pattern::Kind::kNetwork || pattern.network.v6) continue;
    all_indexed = all_indexed && pattern.network.prefix_length >= kGroupBits;
    for (std::string& token : GroupTokens(pattern.network.bytes[0], pattern.network.bytes[1])) {
      all_indexed = all_indexed && !IsNoise(token);
      groups.tokens.push_back(std::move(token));
    }
  }
  if (groups.tokens.empty()) return groups;  // no address of IPv4 is asked for
  std::sort(groups.tokens.begin(), groups.tokens.end());
  groups.tokens.erase(std::unique(groups.tokens.begin(), groups.tokens.end()), groups.tokens.end());
  if (all_indexed) both.push_back(std::move(groups));
  return All(std::move(both));
}

IndexQuery ForField(const Node& node, bool* uses_fields) {
  if (node.op != Op::kEquals && node.op != Op::kContains && node.op != Op::kIn) return {};
  if (!IsSeenByIndex(node.field) || node.patterns.empty()) return {};
  std::vector<IndexQuery> values;
  for (const Pattern& pattern : node.patterns) values.push_back(ForValue(node.field, pattern));
  *uses_fields = true;
  if (IsAddressField(node.field)) values.push_back(ForMapped(node.patterns));
  return OneOf(std::move(values));
}

IndexQuery For(const Node& node, bool* uses_fields) {
  std::vector<IndexQuery> parts;
  switch (node.kind) {
    case Node::Kind::kTerm:
      return ForTerm(node.patterns[0]);
    case Node::Kind::kField:
      return ForField(node, uses_fields);
    case Node::Kind::kNot:
      return {};
    case Node::Kind::kAnd:
    case Node::Kind::kOr:
      for (const Node& child : node.children) parts.push_back(For(child, uses_fields));
      return node.kind == Node::Kind::kAnd ? All(std::move(parts)) : OneOf(std::move(parts));
  }
  return {};
}

std::string Show(const Fragment& fragment) {
  return (fragment.open_left ? "*" : "") + fragment.text + (fragment.open_right ? "*" : "");
}

std::string ShowTokens(const std::vector<std::string>& tokens) {
  constexpr std::size_t kShown = 3;
  std::string shown;
  for (std::size_t i = 0; i < tokens.size() && i < kShown; ++i)
    shown += (i > 0 ? " or " : "") + tokens[i];
  if (tokens.size() > kShown) shown += " or " + std::to_string(tokens.size() - kShown) + " others";
  return shown;
}

}  // namespace

IndexQuery IndexQueryFor(const Expression& expression, bool* uses_fields) {
  *uses_fields = false;
  return expression.root() == nullptr ? IndexQuery{} : For(*expression.root(), uses_fields);
}

bool IsSeenByIndex(std::string_view name) {
  return std::binary_search(kSeenFields.begin(), kSeenFields.end(), name) ||
         std::any_of(kSeenPrefixes.begin(), kSeenPrefixes.end(),
                     [name](std::string_view prefix) { return name.starts_with(prefix); });
}

std::string ToString(const IndexQuery& query) {
  switch (query.kind) {
    case Kind::kAny:
      return "anything";
    case Kind::kFragment:
      return Show(query.fragment);
    case Kind::kFragments:
      return "one of " + std::to_string(query.fragments.size()) + " words, such as " +
             Show(query.fragments.front());
    case Kind::kTokens:
      return ShowTokens(query.tokens);
    case Kind::kNetwork:
      return "an address in " + AddressToken(query.network) + "/" +
             std::to_string(query.network.prefix_length);
    case Kind::kAnd:
    case Kind::kOr:
      break;
  }
  std::string shown = "(";
  for (const IndexQuery& child : query.children) {
    if (shown.size() > 1) shown += query.kind == Kind::kAnd ? " and " : " or ";
    shown += ToString(child);
  }
  return shown + ")";
}

}  // namespace logvault::query
