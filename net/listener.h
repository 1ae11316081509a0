// A listener: one address, one service, and the limits that hold before any of our code sees a
// byte.  Includes gRPC: for net and server only.
#pragma once

#include <grpcpp/impl/codegen/service_type.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>

#include <cstddef>
#include <memory>
#include <string>

#include "common/status.h"
#include "net/call_gate.h"
#include "net/callback_thread.h"
#include "net/not_offered.h"

namespace logvault::net {

inline constexpr int kServerReceiveMax =
    20 * 1024 * 1024;  // bytes: a batch of one record of 16 MiB

struct ListenerOptions {
  std::string name;     // for messages: "ingest"
  std::string address;  // HOST:PORT; port 0 is any free one
  std::size_t memory_bytes =
      256u << 20;  // what all connections together may hold in gRPC's buffers
  int calls_per_connection = 8;
  int keepalive_time_ms = 10'000;    // a peer that says nothing is asked,
  int keepalive_timeout_ms = 5'000;  // and cut when it does not answer
  int idle_connection_ms = 300'000;  // a connection without a call is closed
  int handshake_timeout_ms = 10'000;
};

class Listener {
 public:
  // Listens at once.  `service` and `gate` must outlive the listener; the gate is asked about calls that the
  // service does not have.  kUnavailable where the address cannot be had.
  static Result<std::unique_ptr<Listener>> Start(
      const ListenerOptions& options, const std::shared_ptr<grpc::ServerCredentials>& credentials,
      grpc::Service& service, const CallGate& gate);
  // Ends calls that have not ended by themselves.
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Takes no new calls, gives the running ones `grace_ms`, then cancels them; returns when all have
  // ended.
  void Stop(int grace_ms);

  // HOST:PORT with the port in use.
  [[nodiscard]] const std::string& address() const { return address_; }

 private:
  Listener(std::string address, std::unique_ptr<NotOffered> others,
           std::unique_ptr<grpc::Server> server);

  const std::string address_;
  const CallbackThread callbacks_;
  const std::unique_ptr<NotOffered> others_;  // outlives the server
  const std::unique_ptr<grpc::Server> server_;
};

}  // namespace logvault::net
