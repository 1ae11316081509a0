// One session as gRPC carries it: a server stream that says `opened` and then stays, until the
// forwarder leaves or the collector cuts it.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <memory>
#include <optional>
#include <string>

#include "common/mutex.h"
#include "common/status.h"
#include "net/call_gate.h"
#include "proto/logvault.pb.h"
#include "server/ingest_context.h"

namespace logvault::server {

class OpenCall final : public grpc::ServerWriteReactor<v1::SessionEvent>,
                       public std::enable_shared_from_this<OpenCall> {
 public:
  // Admits the peer and starts the session on the pool.  The call keeps itself alive until gRPC is
  // done with it.
  static OpenCall* Start(IngestContext& ingest, const grpc::CallbackServerContext& context,
                         const v1::OpenRequest& request);

  OpenCall(IngestContext& ingest, v1::OpenRequest request, std::string address);

  // Ends the session with `status`; nothing where it has ended.  Any thread.
  void Cut(const Status& status) LV_EXCLUDES(mutex_);

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  Status Begin(const grpc::CallbackServerContext& context);
  void Work();
  void Leave();

  IngestContext& ingest_;
  const v1::OpenRequest request_;
  const std::string address_;
  std::string host_;  // set before other threads see the call
  std::string session_id_;
  v1::SessionEvent event_;  // gRPC's while a write is running
  std::shared_ptr<OpenCall> self_;

  Mutex mutex_;
  bool writing_ LV_GUARDED_BY(mutex_) = false;
  bool finished_ LV_GUARDED_BY(mutex_) = false;
  std::optional<Status> finish_after_write_ LV_GUARDED_BY(mutex_);
};

}  // namespace logvault::server
