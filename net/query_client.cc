// GrpcQueryClient: the query service over gRPC.  Answers may take long, so only connecting has a
// time limit; keepalive finds a collector that is gone.
#include "net/query_client.h"

#include <grpcpp/client_context.h>
#include <grpcpp/support/sync_stream.h>

#include <atomic>
#include <memory>
#include <utility>

#include "net/active_calls.h"
#include "net/channel.h"
#include "net/status_map.h"
#include "proto/logvault.grpc.pb.h"

namespace logvault::net {
namespace {

class GrpcQueryClient final : public QueryClient {
 public:
  GrpcQueryClient(CollectorChannel channel, int connect_timeout_ms)
      : channel_(std::move(channel)),
        connect_timeout_ms_(connect_timeout_ms),
        stub_(v1::Query::NewStub(channel_.get())) {}

  Result<v1::StatusResponse> Status(const v1::StatusRequest& request) override {
    return Unary<v1::StatusResponse>(&v1::Query::Stub::Status, request);
  }
  Result<v1::HostsResponse> Hosts(const v1::HostsRequest& request) override {
    return Unary<v1::HostsResponse>(&v1::Query::Stub::Hosts, request);
  }
  Result<v1::ShowResponse> Show(const v1::ShowRequest& request) override {
    return Unary<v1::ShowResponse>(&v1::Query::Stub::Show, request);
  }
  logvault::Status Search(const v1::SearchRequest& request,
                          const std::function<bool(const v1::SearchEvent&)>& on_event) override {
    return Stream<v1::SearchEvent>(&v1::Query::Stub::Search, request, on_event);
  }
  logvault::Status Tail(const v1::TailRequest& request,
                        const std::function<bool(const v1::SearchEvent&)>& on_event) override {
    return Stream<v1::SearchEvent>(&v1::Query::Stub::Tail, request, on_event);
  }
  logvault::Status Blocks(const v1::BlocksRequest& request,
                          const std::function<bool(const v1::BlocksEvent&)>& on_event) override {
    return Stream<v1::BlocksEvent>(&v1::Query::Stub::Blocks, request, on_event);
  }
  logvault::Status Audit(const v1::AuditRequest& request,
                         const std::function<bool(const v1::AuditEvent&)>& on_event) override {
    return Stream<v1::AuditEvent>(&v1::Query::Stub::Audit, request, on_event);
  }
  logvault::Status Governing(
      const v1::GoverningRequest& request,
      const std::function<bool(const v1::GoverningEvent&)>& on_event) override {
    return Stream<v1::GoverningEvent>(&v1::Query::Stub::Governing, request, on_event);
  }
  logvault::Status Alerts(const v1::AlertsRequest& request,
                          const std::function<bool(const v1::AlertsEvent&)>& on_event) override {
    return Stream<v1::AlertsEvent>(&v1::Query::Stub::Alerts, request, on_event);
  }
  Result<v1::DirectResponse> Direct(const v1::DirectRequest& request) override {
    return Unary<v1::DirectResponse>(&v1::Query::Stub::Direct, request);
  }
  void Cancel() override { calls_.Cancel(); }

 private:
  template <typename Response, typename Method, typename Request>
  Result<Response> Unary(Method method, const Request& request) {
    LV_RETURN_IF_ERROR(channel_.AwaitConnected(connect_timeout_ms_));
    grpc::ClientContext context;
    const ActiveCalls::Scope scope(calls_, context);
    Response response;
    const grpc::Status status = ((*stub_).*method)(&context, request, &response);
    if (!status.ok()) return channel_.Explain(status, answered_, calls_);
    answered_ = true;
    return response;
  }

  template <typename Event, typename Method, typename Request>
  logvault::Status Stream(Method method, const Request& request,
                          const std::function<bool(const Event&)>& on_event) {
    LV_RETURN_IF_ERROR(channel_.AwaitConnected(connect_timeout_ms_));
    grpc::ClientContext context;
    const ActiveCalls::Scope scope(calls_, context);
    std::unique_ptr<grpc::ClientReader<Event>> reader = ((*stub_).*method)(&context, request);
    Event event;
    bool stopped = false;
    while (!stopped && reader->Read(&event)) {
      answered_ = true;
      stopped = !on_event(event);
    }
    if (stopped) {
      context.TryCancel();
      while (reader->Read(&event)) continue;
    }
    const grpc::Status status = reader->Finish();
    return stopped ? logvault::Status::Ok() : channel_.Explain(status, answered_, calls_);
  }

  const CollectorChannel channel_;
  const int connect_timeout_ms_;
  const std::unique_ptr<v1::Query::Stub> stub_;
  ActiveCalls calls_;
  std::atomic<bool> answered_{false};  // anything, by this channel
};

}  // namespace

Result<std::unique_ptr<QueryClient>> ConnectQuery(const QueryClientOptions& options) {
  Result<CollectorChannel> channel = CollectorChannel::Make(
      {options.address, options.ca_file, options.cert_file, options.key_file, options.vault_name});
  if (!channel.ok()) return channel.status();
  return std::unique_ptr<QueryClient>(
      std::make_unique<GrpcQueryClient>(*std::move(channel), options.connect_timeout_ms));
}

}  // namespace logvault::net
