#include "net/listener.h"

#include <grpcpp/resource_quota.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <utility>

#include "net/transport.h"

namespace logvault::net {
namespace {

constexpr int kClientPingIntervalMinMs = 5'000;  // our clients ask every 10 s

void SetLimits(grpc::ServerBuilder& builder, const ListenerOptions& options) {
  builder.SetMaxReceiveMessageSize(kServerReceiveMax);
  builder.SetResourceQuota(grpc::ResourceQuota(options.name).Resize(options.memory_bytes));
  // A compressed message would be unpacked before its size is checked: 1.5 MB became 1.65 GB.
  builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE,
                             0);  // windows that grow let a peer fill our memory
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, options.calls_per_connection);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, options.idle_connection_ms);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, options.handshake_timeout_ms);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, options.keepalive_time_ms);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, options.keepalive_timeout_ms);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             kClientPingIntervalMinMs);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT,
                             0);  // a second collector must not share the address
  builder.AddChannelArgument(GRPC_ARG_ENABLE_CHANNELZ, 0);
}

}  // namespace

Result<std::unique_ptr<Listener>> Listener::Start(
    const ListenerOptions& options, const std::shared_ptr<grpc::ServerCredentials>& credentials,
    grpc::Service& service, const CallGate& gate) {
  StartTransport(nullptr);
  grpc::ServerBuilder builder;
  SetLimits(builder, options);
  int port = 0;
  builder.AddListeningPort(options.address, credentials, &port);
  builder.RegisterService(&service);
  auto others = std::make_unique<NotOffered>(options.name, gate);
  builder.RegisterCallbackGenericService(others.get());
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || port == 0) {
    return Unavailable("cannot listen on " + options.address + " (" + options.name +
                       "): in use, or not an address of this machine");
  }
  const std::string host = options.address.substr(0, options.address.rfind(':'));
  return std::unique_ptr<Listener>(
      new Listener(host + ":" + std::to_string(port), std::move(others), std::move(server)));
}

Listener::Listener(std::string address, std::unique_ptr<NotOffered> others,
                   std::unique_ptr<grpc::Server> server)
    : address_(std::move(address)), others_(std::move(others)), server_(std::move(server)) {}

Listener::~Listener() { Stop(0); }

void Listener::Stop(int grace_ms) {
  server_->Shutdown(std::chrono::system_clock::now() + std::chrono::milliseconds(grace_ms));
}

}  // namespace logvault::net
