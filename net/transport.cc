#include "net/transport.h"

#include <grpc/support/log.h>

#include <cstdlib>
#include <mutex>
#include <string_view>

namespace logvault::net {
namespace {

TransportLog transport_log = nullptr;  // set once, before gRPC's first thread

// Logged as an error for each client that names the server by its address, as all of ours do.
constexpr std::string_view kHarmless = "No match found for server name";

void OnGrpcLog(gpr_log_func_args* args) {
  if (transport_log == nullptr) return;
  const bool harmless = std::string_view(args->message).starts_with(kHarmless);
  transport_log(args->severity == GPR_LOG_SEVERITY_ERROR && !harmless, args->message);
}

}  // namespace

void StartTransport(TransportLog log) {
  static std::once_flag once;
  std::call_once(once, [log] {
    setenv("GRPC_SSL_CIPHER_SUITES", "PSK-AES256-GCM-SHA384", 1);
    transport_log = log;
    gpr_set_log_function(OnGrpcLog);
  });
}

}  // namespace logvault::net
