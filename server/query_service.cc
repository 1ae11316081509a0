#include "server/query_service.h"

#include <spdlog/spdlog.h>

#include <memory>
#include <utility>

#include "net/status_map.h"
#include "server/blocks_answer.h"
#include "server/event_stream.h"
#include "server/lookup_answers.h"
#include "server/search_answer.h"

namespace logvault::server {

grpc::ServerUnaryReactor* QueryService::Status(grpc::CallbackServerContext* context,
                                               const v1::StatusRequest* request,
                                               v1::StatusResponse* response) {
  return Answer(context,
                [this, request, response] { return AnswerStatus(query_, *request, *response); });
}

grpc::ServerUnaryReactor* QueryService::Hosts(grpc::CallbackServerContext* context,
                                              const v1::HostsRequest* /*request*/,
                                              v1::HostsResponse* response) {
  return Answer(context, [this, response] { return AnswerHosts(query_, *response); });
}

grpc::ServerUnaryReactor* QueryService::Show(grpc::CallbackServerContext* context,
                                             const v1::ShowRequest* request,
                                             v1::ShowResponse* response) {
  return Answer(context,
                [this, request, response] { return AnswerShow(query_, *request, *response); });
}

grpc::ServerWriteReactor<v1::SearchEvent>* QueryService::Search(
    grpc::CallbackServerContext* context, const v1::SearchRequest* request) {
  return Stream<v1::SearchEvent>(context,
                                 [this, request = *request](EventStream<v1::SearchEvent>& stream) {
                                   return AnswerSearch(query_, request, stream);
                                 });
}

grpc::ServerWriteReactor<v1::BlocksEvent>* QueryService::Blocks(
    grpc::CallbackServerContext* context, const v1::BlocksRequest* request) {
  return Stream<v1::BlocksEvent>(context,
                                 [this, request = *request](EventStream<v1::BlocksEvent>& stream) {
                                   return AnswerBlocks(query_, request, stream);
                                 });
}

logvault::Status QueryService::Admit(const grpc::CallbackServerContext& context) {
  Result<net::Peer> peer = query_.gate.Admit(*context.auth_context());
  if (peer.ok()) {
    ++query_.counters.queries;
    return logvault::Status::Ok();
  }
  ++query_.counters.refused_calls;
  spdlog::warn("refused a query from {}: {}", context.peer(), peer.status().message());
  return peer.status();
}

// Request and response live until Finish.
grpc::ServerUnaryReactor* QueryService::Answer(grpc::CallbackServerContext* context,
                                               std::function<logvault::Status()> work) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  logvault::Status begun = Admit(*context);
  if (begun.ok()) {
    begun = query_.pool.Post([reactor, context, work = std::move(work)] {
      const bool left = context->IsCancelled();
      reactor->Finish(net::ToGrpc(left ? Cancelled("the client left") : work()));
    });
  }
  if (!begun.ok()) reactor->Finish(net::ToGrpc(begun));
  return reactor;
}

template <typename Event, typename Work>
grpc::ServerWriteReactor<Event>* QueryService::Stream(grpc::CallbackServerContext* context,
                                                      Work work) {
  const std::shared_ptr<EventStream<Event>> stream = EventStream<Event>::Make(*context);
  logvault::Status begun = Admit(*context);
  if (begun.ok()) {
    begun = query_.pool.Post([stream, work = std::move(work)] {
      const bool left = stream->stop_token().stop_requested();
      stream->End(left ? Cancelled("the client left") : work(*stream));
    });
  }
  if (!begun.ok()) stream->End(begun);
  return stream.get();
}

}  // namespace logvault::server
