// The query service: what an investigator may call.  Every call is admitted, waits for one of few
// workers, and is answered from there.
#pragma once

#include <functional>

#include "proto/logvault.grpc.pb.h"
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
  grpc::ServerWriteReactor<v1::BlocksEvent>* Blocks(grpc::CallbackServerContext* context,
                                                    const v1::BlocksRequest* request) override;

 private:
  logvault::Status Admit(const grpc::CallbackServerContext& context);
  grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext* context,
                                   std::function<logvault::Status()> work);
  template <typename Event, typename Work>
  grpc::ServerWriteReactor<Event>* Stream(grpc::CallbackServerContext* context, Work work);

  QueryContext& query_;
};

}  // namespace logvault::server
