// A search and its rows as messages: what was asked, read from its message, and what is found, written into one.  Whoever answers
// a question, the collector or a folder, reads and writes them here, so that the same answer has the same hash.
#pragma once

#include <cstdint>

#include "common/status.h"
#include "proto/logvault.pb.h"
#include "query/ask.h"
#include "query/row.h"
#include "query/table.h"

namespace logvault::query {

// All but the tree size.  kInvalidArgument where the expression is not one, or where something is asked for that is not known
// here or beyond its limit.
Result<Request> RequestFrom(const v1::SearchRequest& message);

// All but the stream, which is the sender's to number.
void FillRow(const Row& row, v1::Row& message);

// Returns the size of its texts, in bytes.
std::size_t FillTableRow(const TableRow& row, v1::TableRow& message);

}  // namespace logvault::query
