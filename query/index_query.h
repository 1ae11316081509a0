// IndexQuery: what an expression lets the index rule out.  It is asked less than the expression: a block that holds a matching
// record always has the tokens that are asked for here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "query/address.h"
#include "query/expression.h"
#include "query/index_token.h"

namespace logvault::query {

struct IndexQuery {
  enum class Kind {
    kAny,        // rules nothing out
    kAnd,        // all children
    kOr,         // one of the children
    kFragment,   // a token that the fragment fits
    kFragments,  // a token that one of very many fits
    kTokens,     // one of these tokens
    kNetwork,    // the token of an address inside
  };
  Kind kind = Kind::kAny;
  std::vector<IndexQuery> children;
  Fragment fragment;
  std::vector<Fragment> fragments;
  std::vector<std::string> tokens;  // ascending
  Network network;

  bool operator==(const IndexQuery&) const = default;
};

// What the index is asked; `*uses_fields` says whether it speaks of fields, so that Directory::unsure holds.
IndexQuery IndexQueryFor(const Expression& expression, bool* uses_fields);

// Whether what field `name` says stands in one of a record's views (query/index_views.h).  Names computed, looked up or
// joined from several records are not among them: nothing is ruled out by those.
bool IsSeenByIndex(std::string_view name);

// For --explain: `failed and (tokens 10.1.1.1, 10.1.1.2 or *rundll32*)`.
std::string ToString(const IndexQuery& query);

}  // namespace logvault::query
