// What the vault raised: its ALERT, SILENCE and CONFLICT blocks as stored, each with its proof.
#pragma once

#include "common/status.h"
#include "proto/logvault.pb.h"
#include "server/access.h"
#include "server/event_stream.h"
#include "server/query_context.h"

namespace logvault::server {

// Blocks its worker's thread until the answer has been sent or the reader has left.
Status AnswerAlerts(const QueryContext& query, const Caller& caller,
                    const v1::AlertsRequest& request, EventStream<v1::AlertsEvent>& stream);

}  // namespace logvault::server
