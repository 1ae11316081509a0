// A slice of a tail: what arrives in the vault while the call lasts, at most a minute; then the caller asks again from
// where it ended.  So each minute of a tail is a call of its own in the log, with its question and its end, and is
// admitted anew.
#pragma once

#include <chrono>

#include "common/status.h"
#include "proto/logvault.pb.h"
#include "server/access.h"
#include "server/event_stream.h"
#include "server/query_context.h"

namespace logvault::server {

inline constexpr std::chrono::seconds kTailSliceMax{60};

// Blocks its worker's thread until the slice is over or the reader has left.  kPermissionDenied as soon as the caller
// may not call any more.
Status AnswerTail(const QueryContext& query, const Caller& caller, const v1::TailRequest& request,
                  EventStream<v1::SearchEvent>& stream);

}  // namespace logvault::server
