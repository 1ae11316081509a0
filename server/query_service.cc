#include "server/query_service.h"

#include <spdlog/spdlog.h>

#include <memory>
#include <utility>

#include "net/status_map.h"
#include "server/alerts_answer.h"
#include "server/audit_answer.h"
#include "server/blocks_answer.h"
#include "server/event_stream.h"
#include "server/governing_answer.h"
#include "server/lookup_answers.h"
#include "server/search_answer.h"
#include "server/tail_answer.h"

namespace logvault::server {

// The one call that reads nothing of what hosts sent: neither recorded nor counted.
grpc::ServerUnaryReactor* QueryService::Status(grpc::CallbackServerContext* context,
                                               const v1::StatusRequest* request,
                                               v1::StatusResponse* response) {
  return Answer(context, Admit(*context), [this, request, response](const Caller&) {
    return AnswerStatus(query_, *request, *response);
  });
}

grpc::ServerUnaryReactor* QueryService::Hosts(grpc::CallbackServerContext* context,
                                              const v1::HostsRequest* request,
                                              v1::HostsResponse* response) {
  return Answer(context, AdmitReader(*context, *request),
                [this, request, response](const Caller& caller) {
                  return AnswerHosts(query_, caller, *request, *response);
                });
}

grpc::ServerUnaryReactor* QueryService::Show(grpc::CallbackServerContext* context,
                                             const v1::ShowRequest* request,
                                             v1::ShowResponse* response) {
  return Answer(context, AdmitReader(*context, *request),
                [this, request, response](const Caller& caller) {
                  return AnswerShow(query_, caller, *request, *response);
                });
}

grpc::ServerWriteReactor<v1::SearchEvent>* QueryService::Search(
    grpc::CallbackServerContext* context, const v1::SearchRequest* request) {
  return Stream<v1::SearchEvent>(context, *request, query_.pool, AnswerSearch);
}

grpc::ServerWriteReactor<v1::SearchEvent>* QueryService::Tail(grpc::CallbackServerContext* context,
                                                              const v1::TailRequest* request) {
  return Stream<v1::SearchEvent>(context, *request, query_.tail_pool, AnswerTail);
}

grpc::ServerWriteReactor<v1::BlocksEvent>* QueryService::Blocks(
    grpc::CallbackServerContext* context, const v1::BlocksRequest* request) {
  return Stream<v1::BlocksEvent>(context, *request, query_.pool, AnswerBlocks);
}

grpc::ServerWriteReactor<v1::AuditEvent>* QueryService::Audit(grpc::CallbackServerContext* context,
                                                              const v1::AuditRequest* request) {
  return Stream<v1::AuditEvent>(context, *request, query_.pool, AnswerAudit);
}

grpc::ServerWriteReactor<v1::AlertsEvent>* QueryService::Alerts(
    grpc::CallbackServerContext* context, const v1::AlertsRequest* request) {
  return Stream<v1::AlertsEvent>(context, *request, query_.pool, AnswerAlerts);
}

grpc::ServerWriteReactor<v1::GoverningEvent>* QueryService::Governing(
    grpc::CallbackServerContext* context, const v1::GoverningRequest* request) {
  return Stream<v1::GoverningEvent>(context, *request, query_.pool, AnswerGoverning);
}

grpc::ServerUnaryReactor* QueryService::Direct(grpc::CallbackServerContext* context,
                                               const v1::DirectRequest* request,
                                               v1::DirectResponse* response) {
  return Answer(context, AdmitReader(*context, *request),
                [this, request, response](const Caller& caller) {
                  return AnswerDirect(query_, caller, *request, *response);
                });
}

Result<Caller> QueryService::Admit(const grpc::CallbackServerContext& context) {
  Result<net::Peer> peer = query_.gate.Admit(*context.auth_context());
  if (peer.ok()) {
    ++query_.counters.queries;
    return Caller::Of(*peer, context.peer());
  }
  ++query_.counters.refused_calls;
  spdlog::warn("refused a query from {}: {}", context.peer(), peer.status().message());
  return peer.status();
}

Result<Caller> QueryService::AdmitReader(const grpc::CallbackServerContext& context,
                                         const google::protobuf::MessageLite& request) {
  Result<Caller> caller = Admit(context);
  if (!caller.ok()) return caller;
  const logvault::Status taken = query_.limiter.Take(caller->certificate, request.ByteSizeLong());
  if (taken.ok()) return caller;
  ++query_.counters.limited_calls;
  return taken;
}

// Request and response live until Finish.
grpc::ServerUnaryReactor* QueryService::Answer(
    grpc::CallbackServerContext* context, const Result<Caller>& caller,
    std::function<logvault::Status(const Caller&)> work) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  logvault::Status begun = caller.status();
  if (begun.ok()) {
    begun = query_.pool.Post([reactor, context, caller = *caller, work = std::move(work)] {
      const bool left = context->IsCancelled();
      reactor->Finish(net::ToGrpc(left ? Cancelled("the client left") : work(caller)));
    });
  }
  if (!begun.ok()) reactor->Finish(net::ToGrpc(begun));
  return reactor;
}

template <typename Event, typename Request>
grpc::ServerWriteReactor<Event>* QueryService::Stream(
    grpc::CallbackServerContext* context, const Request& request, WorkPool& pool,
    logvault::Status (*work)(const QueryContext&, const Caller&, const Request&,
                             EventStream<Event>&)) {
  const std::shared_ptr<EventStream<Event>> stream = EventStream<Event>::Make(*context);
  const Result<Caller> caller = AdmitReader(*context, request);
  logvault::Status begun = caller.status();
  if (begun.ok()) {
    begun = pool.Post([this, stream, caller = *caller, request, work] {
      const bool left = stream->stop_token().stop_requested();
      stream->End(left ? Cancelled("the client left") : work(query_, caller, request, *stream));
    });
  }
  if (!begun.ok()) stream->End(begun);
  return stream.get();
}

}  // namespace logvault::server
