// The first answer of a session: what the vault knows of the host, after it has learned of new
// streams.
#pragma once

#include <string>

#include "common/status.h"
#include "proto/logvault.pb.h"
#include "server/ingest_context.h"

namespace logvault::server {

inline constexpr int kMaxStreamsPerHost = 256;
inline constexpr std::size_t kMaxDescriptorBytes = 16 * 1024;

// Checks the request, appends STREAM blocks for streams that are new or described otherwise than
// before, and answers with every stream of `host`.  Blocks until they are committed: for a worker's
// thread.  A checkpoint in the request that our own key signed and that our history contradicts
// sets `ingest.halt`.
Result<v1::SessionOpened> OpenSession(IngestContext& ingest, const std::string& host,
                                      const v1::OpenRequest& request,
                                      const std::string& session_id);

}  // namespace logvault::server
