#include "net/not_offered.h"

#include <utility>

#include "net/status_map.h"

namespace logvault::net {
namespace {

class Refusal final : public grpc::ServerGenericBidiReactor {
 public:
  explicit Refusal(const Status& status) { Finish(ToGrpc(status)); }
  void OnDone() override { delete this; }
};

}  // namespace

NotOffered::NotOffered(std::string listener, const CallGate& gate)
    : listener_(std::move(listener)), gate_(gate) {}

grpc::ServerGenericBidiReactor* NotOffered::CreateReactor(
    grpc::GenericCallbackServerContext* context) {
  Status status = gate_.Admit(*context->auth_context()).status();
  if (status.ok()) {
    status = PermissionDenied("the " + listener_ + " listener does not offer " + context->method());
  }
  return new Refusal(status);  // gRPC's, until OnDone
}

}  // namespace logvault::net
