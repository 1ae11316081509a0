// Blocks as they are stored, for whoever verifies them: what cannot be read is named, and the rest
// goes on.
#pragma once

#include "common/status.h"
#include "proto/logvault.pb.h"
#include "server/access.h"
#include "server/event_stream.h"
#include "server/query_context.h"

namespace logvault::server {

// Blocks its worker's thread until the answer has been sent or the reader has left.
Status AnswerBlocks(const QueryContext& query, const Caller& caller,
                    const v1::BlocksRequest& request, EventStream<v1::BlocksEvent>& stream);

}  // namespace logvault::server
