// Subqueries: `field in {query}` is asked first, and its answer put in as the list.
#pragma once

#include <stop_token>

#include "query/ask.h"

namespace logvault::query {

inline constexpr std::size_t kSubqueryValuesMax = 100'000;
inline constexpr std::size_t kSubqueryBytesMax = 16u << 20;

// The request without subqueries.  They see the same scope and tree size.  What they could not read is added to
// `completeness`.  kInvalidArgument where one gives more than the bounds.
Result<Request> WithoutSubqueries(const storage::Reader& reader, const Request& request,
                                  Completeness& completeness, const std::stop_token& stop,
                                  IndexCache* cache);

}  // namespace logvault::query
