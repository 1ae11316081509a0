// IngestClient: the vault as a shipper sees it.  GrpcIngestClient is the real one; tests script
// their own.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "common/status.h"
#include "net/own_certificate.h"
#include "proto/logvault.pb.h"

namespace logvault::net {

class IngestClient {
 public:
  virtual ~IngestClient() = default;

  // Opens the session: blocks until the first event is there and returns it.  The session then
  // stays open until Close, or until session_lost() says that it ended.
  virtual Result<v1::SessionOpened> Open(const v1::OpenRequest& request) = 0;
  // Blocks until the vault has answered, or failed.
  virtual Result<v1::AppendResponse> Append(const v1::AppendRequest& request) = 0;
  // True once an opened session ended for a reason other than Close.
  [[nodiscard]] virtual bool session_lost() const = 0;
  virtual void Close() = 0;
  // Makes blocked calls return kCancelled, from any thread.
  virtual void Cancel() = 0;
};

struct IngestClientOptions {
  std::string address;  // HOST:PORT
  std::string ca_file;
  std::string cert_file;
  std::string key_file;
  std::string vault_name;  // the server must be spiffe://VAULT/collector/...
  int call_timeout_ms = 60'000;
  std::shared_ptr<KeptCertificate> kept =
      nullptr;  // the last good one, for when the files are not in order; null for none
};

// Connects lazily; the handshake's failure is the first call's.
Result<std::unique_ptr<IngestClient>> ConnectIngest(const IngestClientOptions& options);

}  // namespace logvault::net
