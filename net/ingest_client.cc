// GrpcIngestClient: the vault over gRPC.  Not by gRPC's callbacks: two threads of the library stand behind these, which sleep a tenth
// of a second blindly whenever nothing came for one, and must be waited for at the end (docs/adr/0020).
#include "net/ingest_client.h"

#include <grpcpp/client_context.h>
#include <grpcpp/support/sync_stream.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "common/mutex.h"
#include "net/active_calls.h"
#include "net/channel.h"
#include "net/status_map.h"
#include "proto/logvault.grpc.pb.h"

namespace logvault::net {
namespace {

std::chrono::system_clock::time_point After(int milliseconds) {
  return std::chrono::system_clock::now() + std::chrono::milliseconds(milliseconds);
}

// One session: the server's stream of events, read by a thread of its own.
class Session final {
 public:
  Session(v1::Ingest::Stub& stub, ActiveCalls& calls, v1::OpenRequest request)
      : request_(std::move(request)),
        calls_(calls),
        scope_(calls, context_),
        reader_([this, &stub] { Read(stub); }) {}
  ~Session() { context_.TryCancel(); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // The first event, or how the call ended without one.
  Result<v1::SessionOpened> AwaitOpened(int timeout_ms, const CollectorChannel& channel)
      LV_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    const auto deadline = After(timeout_ms);
    while (!opened_.has_value() && !ended_) {
      if (changed_.wait_until(mutex_, deadline) == std::cv_status::timeout) {
        return DeadlineExceeded("the collector did not open the session in time");
      }
    }
    if (opened_.has_value()) return *opened_;
    if (status_.ok()) return Internal("the collector ended the session before it opened it");
    return channel.Explain(status_, false, calls_);
  }

  bool ended() const LV_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return ended_;
  }

 private:
  void Read(v1::Ingest::Stub& stub) LV_EXCLUDES(mutex_) {
    const std::unique_ptr<grpc::ClientReader<v1::SessionEvent>> events =
        stub.Open(&context_, request_);
    v1::SessionEvent event;
    while (events->Read(&event)) {
      MutexLock lock(mutex_);
      if (!opened_.has_value() && event.has_opened()) opened_ = event.opened();
      changed_.notify_all();
    }
    const grpc::Status status = events->Finish();
    MutexLock lock(mutex_);
    status_ = status;
    ended_ = true;
    changed_.notify_all();
  }

  const v1::OpenRequest request_;
  const ActiveCalls& calls_;
  grpc::ClientContext context_;
  ActiveCalls::Scope scope_;

  mutable Mutex mutex_;
  std::condition_variable_any changed_;
  std::optional<v1::SessionOpened> opened_ LV_GUARDED_BY(mutex_);
  bool ended_ LV_GUARDED_BY(mutex_) = false;
  grpc::Status status_ LV_GUARDED_BY(mutex_);
  std::jthread reader_;  // the last: it uses the others
};

class GrpcIngestClient final : public IngestClient {
 public:
  GrpcIngestClient(CollectorChannel channel, int call_timeout_ms)
      : channel_(std::move(channel)),
        call_timeout_ms_(call_timeout_ms),
        stub_(v1::Ingest::NewStub(channel_.get())) {}

  Result<v1::SessionOpened> Open(const v1::OpenRequest& request) override {
    Close();
    auto session = std::make_shared<Session>(*stub_, calls_, request);
    Result<v1::SessionOpened> opened = session->AwaitOpened(call_timeout_ms_, channel_);
    if (!opened.ok()) return opened;
    MutexLock lock(mutex_);
    session_ = std::move(session);
    return opened;
  }

  Result<v1::AppendResponse> Append(const v1::AppendRequest& request) override {
    grpc::ClientContext context;
    context.set_deadline(After(call_timeout_ms_));
    const ActiveCalls::Scope scope(calls_, context);
    v1::AppendResponse response;
    const grpc::Status status = stub_->Append(&context, request, &response);
    if (!status.ok()) return channel_.Explain(status, HasSession(), calls_);
    return response;
  }

  bool session_lost() const override {
    MutexLock lock(mutex_);
    return session_ != nullptr && session_->ended();
  }

  void Close() override {
    std::shared_ptr<Session> closing;
    {
      MutexLock lock(mutex_);
      closing = std::exchange(session_, nullptr);
    }
  }  // The session ends here, outside the lock.

  void Cancel() override { calls_.Cancel(); }

 private:
  [[nodiscard]] bool HasSession() const {
    MutexLock lock(mutex_);
    return session_ != nullptr;
  }

  const CollectorChannel channel_;
  const int call_timeout_ms_;
  const std::unique_ptr<v1::Ingest::Stub> stub_;
  ActiveCalls calls_;
  mutable Mutex mutex_;
  std::shared_ptr<Session> session_ LV_GUARDED_BY(mutex_);
};

}  // namespace

Result<std::unique_ptr<IngestClient>> ConnectIngest(const IngestClientOptions& options) {
  Result<CollectorChannel> channel =
      CollectorChannel::Make({options.address, options.ca_file, options.cert_file, options.key_file,
                              options.vault_name, options.kept});
  if (!channel.ok()) return channel.status();
  return std::unique_ptr<IngestClient>(
      std::make_unique<GrpcIngestClient>(*std::move(channel), options.call_timeout_ms));
}

}  // namespace logvault::net
