// Ask: runs a whole question, expression, subqueries and pipes, over a vault's reader.  The same code answers on the
// collector and offline.
#pragma once

#include <functional>
#include <stop_token>

#include "query/search.h"
#include "query/table.h"

namespace logvault::query {

struct AskObserver {
  Observer search;  // its on_row gets the answer's records, where it is not a table
  std::function<bool(const TableRow&)> on_table_row;  // false stops
};

// As Search; `cache` too.  `request.pipeline` decides what is handed over; `request.limit` then counts rows of the answer.
// kInvalidArgument where a pipe or a subquery passes its bound.
Result<Completeness> Ask(const storage::Reader& reader, const Request& request,
                         const AskObserver& observer, std::stop_token stop,
                         IndexCache* cache = nullptr);

}  // namespace logvault::query
