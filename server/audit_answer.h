// Who asked what: the recorded calls as stored, each with its proof.
#pragma once

#include "common/status.h"
#include "proto/logvault.pb.h"
#include "server/access.h"
#include "server/event_stream.h"
#include "server/query_context.h"

namespace logvault::server {

// Blocks its worker's thread until the answer has been sent or the reader has left.
Status AnswerAudit(const QueryContext& query, const Caller& caller, const v1::AuditRequest& request,
                   EventStream<v1::AuditEvent>& stream);

}  // namespace logvault::server
