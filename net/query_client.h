// QueryClient: the vault as an investigator's tool sees it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "common/status.h"
#include "proto/logvault.pb.h"

namespace logvault::net {

struct QueryClientOptions {
  std::string address;  // HOST:PORT
  std::string ca_file;
  std::string cert_file;
  std::string key_file;
  std::string vault_name;  // the server must be spiffe://VAULT/collector/...
  int connect_timeout_ms = 10'000;
};

// Blocking calls; one thread at a time, but Cancel from any.
class QueryClient {
 public:
  virtual ~QueryClient() = default;

  virtual Result<v1::StatusResponse> Status(const v1::StatusRequest& request) = 0;
  virtual Result<v1::HostsResponse> Hosts(const v1::HostsRequest& request) = 0;
  virtual Result<v1::ShowResponse> Show(const v1::ShowRequest& request) = 0;
  // `on_event` returns false to stop; then the answer is OK.
  virtual logvault::Status Search(const v1::SearchRequest& request,
                                  const std::function<bool(const v1::SearchEvent&)>& on_event) = 0;
  virtual logvault::Status Tail(const v1::TailRequest& request,
                                const std::function<bool(const v1::SearchEvent&)>& on_event) = 0;
  virtual logvault::Status Blocks(const v1::BlocksRequest& request,
                                  const std::function<bool(const v1::BlocksEvent&)>& on_event) = 0;
  virtual logvault::Status Audit(const v1::AuditRequest& request,
                                 const std::function<bool(const v1::AuditEvent&)>& on_event) = 0;
  virtual logvault::Status Governing(
      const v1::GoverningRequest& request,
      const std::function<bool(const v1::GoverningEvent&)>& on_event) = 0;
  virtual logvault::Status Alerts(const v1::AlertsRequest& request,
                                  const std::function<bool(const v1::AlertsEvent&)>& on_event) = 0;
  virtual Result<v1::DirectResponse> Direct(const v1::DirectRequest& request) = 0;
  virtual void Cancel() = 0;
};

Result<std::unique_ptr<QueryClient>> ConnectQuery(const QueryClientOptions& options);

}  // namespace logvault::net
