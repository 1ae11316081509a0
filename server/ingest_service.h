// The ingest service: what a forwarder may call.  There is nothing to read here.
#pragma once

#include <atomic>
#include <cstdint>

#include "proto/logvault.grpc.pb.h"
#include "server/ingest_context.h"

namespace logvault::server {

// Requests whose Append is under way, all hosts together; past it a forwarder keeps what it has.
inline constexpr std::uint64_t kMaxPendingBytes = 64u << 20;

class IngestService final : public v1::Ingest::CallbackService {
 public:
  // `context`'s parts must outlive the service, and every call must have ended before it goes.
  explicit IngestService(IngestContext& context) : ingest_(context) {}

  grpc::ServerWriteReactor<v1::SessionEvent>* Open(grpc::CallbackServerContext* context,
                                                   const v1::OpenRequest* request) override;
  grpc::ServerUnaryReactor* Append(grpc::CallbackServerContext* context,
                                   const v1::AppendRequest* request,
                                   v1::AppendResponse* response) override;

 private:
  Status BeginAppend(const grpc::CallbackServerContext& context, const v1::AppendRequest& request,
                     std::string& host);
  Status HoldBytes(std::uint64_t bytes);

  IngestContext& ingest_;
  std::atomic<std::uint64_t> pending_bytes_{0};
};

}  // namespace logvault::server
