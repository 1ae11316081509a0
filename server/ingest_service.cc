#include "server/ingest_service.h"

#include <spdlog/spdlog.h>

#include <memory>
#include <string>
#include <utility>

#include "net/status_map.h"
#include "server/append_call.h"
#include "server/open_call.h"

namespace logvault::server {

grpc::ServerWriteReactor<v1::SessionEvent>* IngestService::Open(
    grpc::CallbackServerContext* context, const v1::OpenRequest* request) {
  return OpenCall::Start(ingest_, *context, *request);
}

grpc::ServerUnaryReactor* IngestService::Append(grpc::CallbackServerContext* context,
                                                const v1::AppendRequest* request,
                                                v1::AppendResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  std::string host;
  const Status begun = BeginAppend(*context, *request, host);
  if (!begun.ok()) {
    reactor->Finish(net::ToGrpc(begun));
    return reactor;
  }
  const std::uint64_t bytes = request->ByteSizeLong();
  // The host may send again as soon as it has its answer, so its turn ends before.
  auto finish = [this, host, bytes, reactor](const Status& status) {
    pending_bytes_ -= bytes;
    ingest_.sessions.EndAppend(host);
    if (!status.ok()) spdlog::warn("an Append of host {} failed: {}", host, status.ToString());
    reactor->Finish(net::ToGrpc(status));
  };
  // gRPC owns the request and looks at it no more; moving the payloads out saves copying every byte
  // once.
  auto& owned = const_cast<v1::AppendRequest&>(*request);
  auto call = std::make_shared<AppendCall>(ingest_, host, owned, *response, finish);
  const Status posted = ingest_.pool.Post([call] { call->Step(); });
  if (!posted.ok()) finish(posted);
  return reactor;
}

Status IngestService::BeginAppend(const grpc::CallbackServerContext& context,
                                  const v1::AppendRequest& request, std::string& host) {
  Result<net::Peer> peer = ingest_.gate.Admit(*context.auth_context());
  if (!peer.ok()) {
    ++ingest_.counters.refused_calls;
    spdlog::warn("refused an Append from {}: {}", context.peer(), peer.status().message());
    return peer.status();
  }
  host = peer->identity.name;
  LV_RETURN_IF_ERROR(HoldBytes(request.ByteSizeLong()));
  const Status begun = ingest_.sessions.BeginAppend(host, request.session());
  if (!begun.ok()) {
    pending_bytes_ -= request.ByteSizeLong();
    return begun;
  }
  ingest_.silence.Saw(host);
  return Status::Ok();
}

Status IngestService::HoldBytes(std::uint64_t bytes) {
  if (pending_bytes_.fetch_add(bytes) + bytes <= kMaxPendingBytes) return Status::Ok();
  pending_bytes_ -= bytes;
  return ResourceExhausted("the collector is busy: " + std::to_string(kMaxPendingBytes) +
                           " bytes wait to be committed");
}

}  // namespace logvault::server
