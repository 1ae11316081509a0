// The query service: what an investigator may call.  Every call is admitted, waits for one of few
// workers, and is answered from there; all but Status are recorded before (server/access.h).
#pragma once

#include <functional>

#include "proto/logvault.grpc.pb.h"
#include "server/event_stream.h"
#include "server/query_context.h"

namespace logvault::server {

class QueryService final : public v1::Query::CallbackService {
 public:
  // `context`'s parts must outlive the service, and every call must have ended before it goes.
  explicit QueryService(QueryContext& context) : query_(context) {}

  grpc::ServerUnaryReactor* Status(grpc::CallbackServerContext* context,
                                   const v1::StatusRequest* request,
                                   v1::StatusResponse* response) override;
  grpc::ServerUnaryReactor* Hosts(grpc::CallbackServerContext* context,
                                  const v1::HostsRequest* request,
                                  v1::HostsResponse* response) override;
  grpc::ServerUnaryReactor* Show(grpc::CallbackServerContext* context,
                                 const v1::ShowRequest* request,
                                 v1::ShowResponse* response) override;
  grpc::ServerWriteReactor<v1::SearchEvent>* Search(grpc::CallbackServerContext* context,
                                                    const v1::SearchRequest* request) override;
  grpc::ServerWriteReactor<v1::SearchEvent>* Tail(grpc::CallbackServerContext* context,
                                                  const v1::TailRequest* request) override;
  grpc::ServerWriteReactor<v1::BlocksEvent>* Blocks(grpc::CallbackServerContext* context,
                                                    const v1::BlocksRequest* request) override;
  grpc::ServerWriteReactor<v1::AlertsEvent>* Alerts(grpc::CallbackServerContext* context,
                                                    const v1::AlertsRequest* request) override;
  grpc::ServerWriteReactor<v1::GoverningEvent>* Governing(
      grpc::CallbackServerContext* context, const v1::GoverningRequest* request) override;
  grpc::ServerUnaryReactor* Direct(grpc::CallbackServerContext* context,
                                   const v1::DirectRequest* request,
                                   v1::DirectResponse* response) override;
  grpc::ServerWriteReactor<v1::AuditEvent>* Audit(grpc::CallbackServerContext* context,
                                                  const v1::AuditRequest* request) override;

 private:
  // By role and revocation; and, where the call is recorded, by how many its certificate made.
  Result<Caller> Admit(const grpc::CallbackServerContext& context);
  Result<Caller> AdmitReader(const grpc::CallbackServerContext& context,
                             const google::protobuf::MessageLite& request);
  grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext* context,
                                   const Result<Caller>& caller,
                                   std::function<logvault::Status(const Caller&)> work);
  template <typename Event, typename Request>
  grpc::ServerWriteReactor<Event>* Stream(grpc::CallbackServerContext* context,
                                          const Request& request, WorkPool& pool,
                                          logvault::Status (*work)(const QueryContext&,
                                                                   const Caller&, const Request&,
                                                                   EventStream<Event>&));

  QueryContext& query_;
};

}  // namespace logvault::server
