// The short answers: where the vault stands, who is in it, one record.
#pragma once

#include "common/status.h"
#include "proto/logvault.pb.h"
#include "server/access.h"
#include "server/query_context.h"

namespace logvault::server {

Status AnswerStatus(const QueryContext& query, const v1::StatusRequest& request,
                    v1::StatusResponse& response);
Status AnswerHosts(const QueryContext& query, const Caller& caller, const v1::HostsRequest& request,
                   v1::HostsResponse& response);
// kNotFound where the record is not there, saying whether the stream or only the number is unknown.
Status AnswerShow(const QueryContext& query, const Caller& caller, const v1::ShowRequest& request,
                  v1::ShowResponse& response);

}  // namespace logvault::server
