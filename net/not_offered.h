// What a listener answers to calls that its service does not have: an investigator who asks the ingest listener is
// told so, instead of gRPC's bare UNIMPLEMENTED.  Includes gRPC: for net only.
#pragma once

#include <grpcpp/generic/async_generic_service.h>

#include <string>

#include "net/call_gate.h"

namespace logvault::net {

class NotOffered final : public grpc::CallbackGenericService {
 public:
  // `gate` must outlive this.
  NotOffered(std::string listener, const CallGate& gate);

  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override;

 private:
  const std::string listener_;
  const CallGate& gate_;
};

}  // namespace logvault::net
