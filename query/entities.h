// Entities: the whole addresses and hashes that stand in a record, whatever its format calls them.  They are the values of the
// names `ip` and `hash`, by which lists of thousands of indicators are asked for, and which any pipe may count.
#pragma once

#include <functional>
#include <string_view>

namespace logvault::query {

using VisitEntity = std::function<void(std::string_view)>;

// Each whole address of `text`, as a term that is an address finds it, in its usual spelling.
void ForEachAddressText(std::string_view text, const VisitEntity& visit);

// Each run of 32, 40 or 64 hex digits with no letter, digit or `_` beside it, in lower case.
void ForEachHashText(std::string_view text, const VisitEntity& visit);

}  // namespace logvault::query
