// A client's channel to one collector: mutual TLS 1.3, the server known by its role in our vault
// and not by its address.  Includes gRPC: for net's own sources only.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/support/status.h>

#include <memory>
#include <string>

#include "common/status.h"
#include "net/active_calls.h"
#include "net/own_certificate.h"

namespace logvault::net {

struct ChannelOptions {
  std::string address;  // HOST:PORT
  std::string ca_file;
  std::string cert_file;
  std::string key_file;
  std::string vault_name;
  std::shared_ptr<KeptCertificate> kept = nullptr;  // null: files that are not in order fail
};

inline constexpr int kClientReceiveMax =
    32 * 1024 * 1024;  // bytes: one block with its payload, or one long row

class CollectorChannel {
 public:
  // Reads the files; connects at the first call.
  static Result<CollectorChannel> Make(const ChannelOptions& options);

  // Tries to connect and waits until it is known whether that works, or `timeout_ms` passed.  OK
  // where a call may be made: where connecting failed, that call says why at once.
  Status AwaitConnected(int timeout_ms) const;

  // The Status of a call that ended with `status`, saying what a person should look at where there
  // was no connection: another address, another certificate, the collector's log.  `answered`: this
  // channel has worked before, so the connection was lost and not refused.  kCancelled only where `calls` were: a collector that stops
  // cancels calls as well.
  [[nodiscard]] Status Explain(const grpc::Status& status, bool answered,
                               const ActiveCalls& calls) const;

  [[nodiscard]] const std::shared_ptr<grpc::Channel>& get() const { return channel_; }

 private:
  CollectorChannel(ChannelOptions options, OwnCertificate own,
                   std::shared_ptr<grpc::Channel> channel)
      : options_(std::move(options)), own_(std::move(own)), channel_(std::move(channel)) {}

  ChannelOptions options_;
  OwnCertificate own_;
  std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace logvault::net
