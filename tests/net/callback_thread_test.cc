// A listener answers while both of the threads that gRPC itself has for callbacks are busy, as it must while they sleep.
#include "net/callback_thread.h"

#include <grpc/support/cpu.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <latch>
#include <thread>
#include <vector>

#include "net/listener.h"
#include "proto/logvault.grpc.pb.h"
#include "tests/net/pki_lab.h"

namespace logvault::net {
namespace {

// How many threads gRPC 1.51 has for callbacks.
int ThreadsOfGrpc() { return static_cast<int>(std::clamp(gpr_cpu_num_cores() / 2, 2U, 16U)); }

// Status holds the thread that runs it until it is released; Hosts answers at once.
class Holding final : public v1::Query::CallbackService {
 public:
  explicit Holding(std::ptrdiff_t threads) : held_(threads) {}
  ~Holding() override { Release(); }

  grpc::ServerUnaryReactor* Status(grpc::CallbackServerContext* context, const v1::StatusRequest*,
                                   v1::StatusResponse*) override {
    held_.count_down();
    released_.wait(false);
    return Answer(*context);
  }
  grpc::ServerUnaryReactor* Hosts(grpc::CallbackServerContext* context, const v1::HostsRequest*,
                                  v1::HostsResponse*) override {
    return Answer(*context);
  }

  void WaitUntilHeld() { held_.wait(); }
  void Release() {
    released_ = true;
    released_.notify_all();
  }

 private:
  static grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext& context) {
    grpc::ServerUnaryReactor* reactor = context.DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  std::latch held_;
  std::atomic<bool> released_ = false;
};

std::chrono::system_clock::time_point After(std::chrono::seconds time) {
  return std::chrono::system_clock::now() + time;
}

TEST(CallbackThreadTest, AListenerAnswersWhileTheThreadsOfGrpcDoNot) {
  const SystemClock clock;
  const PkiLab lab;
  Result<std::unique_ptr<pki::RevocationFile>> revocation =
      pki::RevocationFile::Open(lab.crl_pem(), lab.ca_pem(), clock);
  ASSERT_TRUE(revocation.ok()) << revocation.status().ToString();
  const CallGate gate({"query", lab.vault_name(), {}}, **revocation, clock);
  const int threads = ThreadsOfGrpc();
  Holding service(threads);
  ListenerOptions options;
  options.name = "query";
  options.address = "127.0.0.1:0";
  options.calls_per_connection = threads + 1;
  Result<std::unique_ptr<Listener>> listener =
      Listener::Start(options, grpc::InsecureServerCredentials(), service, gate);
  ASSERT_TRUE(listener.ok()) << listener.status().ToString();
  const auto channel =
      grpc::CreateChannel((*listener)->address(), grpc::InsecureChannelCredentials());
  const std::unique_ptr<v1::Query::Stub> stub = v1::Query::NewStub(channel);

  std::vector<std::jthread> callers;
  for (int i = 0; i < threads; ++i) {
    callers.emplace_back([&stub] {
      grpc::ClientContext context;
      v1::StatusResponse response;
      EXPECT_TRUE(stub->Status(&context, {}, &response).ok());
    });
  }
  service.WaitUntilHeld();
  grpc::ClientContext context;
  context.set_deadline(After(std::chrono::seconds(20)));
  v1::HostsResponse response;
  const grpc::Status answered = stub->Hosts(&context, {}, &response);
  EXPECT_TRUE(answered.ok()) << answered.error_message();
  service.Release();
}

}  // namespace
}  // namespace logvault::net
