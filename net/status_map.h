// Status and grpc::Status, one for one.  gRPC knows no INTEGRITY: it travels as DATA_LOSS with its
// name in the error details, and comes back as kIntegrity.
#pragma once

#include <grpcpp/support/status.h>

#include "common/status.h"

namespace logvault::net {

grpc::Status ToGrpc(const Status& status);

// Codes that our server never sends (UNKNOWN, UNIMPLEMENTED) become kInternal.
Status FromGrpc(const grpc::Status& status);

}  // namespace logvault::net
