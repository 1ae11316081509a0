// The receipt of a search: what the vault signs about the answer it gave.
#pragma once

#include <string>

#include "common/status.h"
#include "query/search.h"
#include "server/access.h"
#include "server/query_context.h"

namespace logvault::server {

Result<std::string> ReceiptFor(const QueryContext& query, const Access& access,
                               std::string query_text, const query::Completeness& complete);

}  // namespace logvault::server
