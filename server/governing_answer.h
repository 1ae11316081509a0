// What administrators ordered: the answers that list it, and the call that adds to it.
#pragma once

#include "common/status.h"
#include "proto/logvault.pb.h"
#include "server/access.h"
#include "server/event_stream.h"
#include "server/query_context.h"

namespace logvault::server {

// Every governing block below the scope, proven.
Status AnswerGoverning(const QueryContext& query, const Caller& caller,
                       const v1::GoverningRequest& request,
                       EventStream<v1::GoverningEvent>& stream);

// Appends the directive where an administrator of this vault signed it and it follows on the newest one.
// kPermissionDenied for a caller in another role or a certificate that is not an administrator's, kAborted where another
// directive came between, kInvalidArgument and others where what it orders makes no sense.
Status AnswerDirect(const QueryContext& query, const Caller& caller,
                    const v1::DirectRequest& request, v1::DirectResponse& response);

}  // namespace logvault::server
