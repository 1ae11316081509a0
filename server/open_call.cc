#include "server/open_call.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "evidence/hash.h"
#include "net/status_map.h"
#include "server/session_open.h"

namespace logvault::server {
namespace {

constexpr std::size_t kSessionIdBytes = 16;

}  // namespace

OpenCall* OpenCall::Start(IngestContext& ingest, const grpc::CallbackServerContext& context,
                          const v1::OpenRequest& request) {
  auto call = std::make_shared<OpenCall>(ingest, request, context.peer());
  call->self_ = call;
  const Status begun = call->Begin(context);
  if (!begun.ok()) call->Cut(begun);
  return call.get();
}

OpenCall::OpenCall(IngestContext& ingest, v1::OpenRequest request, std::string address)
    : ingest_(ingest), request_(std::move(request)), address_(std::move(address)) {}

Status OpenCall::Begin(const grpc::CallbackServerContext& context) {
  Result<net::Peer> peer = ingest_.gate.Admit(*context.auth_context());
  if (!peer.ok()) {
    ++ingest_.counters.refused_calls;
    spdlog::warn("refused a session from {}: {}", address_, peer.status().message());
    return peer.status();
  }
  host_ = peer->identity.name;
  session_id_ = evidence::RandomBytes(kSessionIdBytes);

  SessionTable::Session session{host_, session_id_, address_, ingest_.clock.Now(), {}, {}};
  session.may_stay = [&gate = ingest_.gate, peer = *std::move(peer)] { return gate.Check(peer); };
  session.cut = [call = weak_from_this()](const Status& status) {
    if (const std::shared_ptr<OpenCall> open = call.lock()) open->Cut(status);
  };
  const Status added = ingest_.sessions.Add(std::move(session));
  if (!added.ok()) {
    spdlog::warn("refused a second session from {}: {}", address_, added.message());
    session_id_.clear();
    return added;
  }
  ingest_.silence.Saw(host_);
  return ingest_.pool.Post([call = shared_from_this()] { call->Work(); });
}

void OpenCall::Work() {
  Result<v1::SessionOpened> opened = OpenSession(ingest_, host_, request_, session_id_);
  if (!opened.ok()) {
    spdlog::warn("refused a session of host {}: {}", host_, opened.status().ToString());
    return Cut(opened.status());
  }
  {
    MutexLock lock(mutex_);
    if (finished_) return;
    writing_ = true;
    *event_.mutable_opened() = *std::move(opened);
  }
  spdlog::info("host {} opened a session from {}", host_, address_);
  StartWrite(&event_);
}

void OpenCall::Cut(const Status& status) {
  Leave();
  {
    MutexLock lock(mutex_);
    if (finished_) return;
    if (writing_) {
      finish_after_write_ = status;
      return;
    }
    finished_ = true;
  }
  Finish(net::ToGrpc(status));
}

void OpenCall::OnWriteDone(bool /*ok*/) {
  Status status;
  {
    MutexLock lock(mutex_);
    writing_ = false;
    if (!finish_after_write_.has_value()) return;
    finished_ = true;
    status = *finish_after_write_;
  }
  Finish(net::ToGrpc(status));
}

void OpenCall::OnCancel() { Cut(Cancelled("the forwarder left")); }

void OpenCall::OnDone() {
  Leave();
  const std::shared_ptr<OpenCall> last = std::move(self_);
}

void OpenCall::Leave() {
  if (!session_id_.empty()) ingest_.sessions.Remove(host_, session_id_);
}

}  // namespace logvault::server
