// A query's answer: rows as they are found, progress, and at the end how complete it is.
#pragma once

#include "common/status.h"
#include "proto/logvault.pb.h"
#include "server/access.h"
#include "server/event_stream.h"
#include "server/query_context.h"

namespace logvault::server {

// Blocks its worker's thread until the answer has been sent or the reader has left.
Status AnswerSearch(const QueryContext& query, const Caller& caller,
                    const v1::SearchRequest& request, EventStream<v1::SearchEvent>& stream);

}  // namespace logvault::server
