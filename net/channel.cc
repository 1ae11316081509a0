#include "net/channel.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <chrono>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include "common/clock.h"
#include "net/status_map.h"
#include "net/transport.h"
#include "pki/identity.h"

namespace logvault::net {
namespace {

constexpr int kKeepaliveTimeMs = 10'000;
constexpr int kKeepaliveTimeoutMs = 5'000;
constexpr int kReconnectBackoffMinMs = 200;
constexpr int kReconnectBackoffMaxMs = 5'000;
constexpr int kConnectAttemptMs = 10'000;

// Chain and expiry of the server's certificate are checked by the library; this checks whose it is.
// Any host of the vault has a certificate of the same CA: only the role tells the collector from a
// neighbour.
class CollectorRoleVerifier final : public grpc::experimental::ExternalCertificateVerifier {
 public:
  explicit CollectorRoleVerifier(std::string vault_name) : vault_name_(std::move(vault_name)) {}

  bool Verify(grpc::experimental::TlsCustomVerificationCheckRequest* request,
              std::function<void(grpc::Status)> /*callback*/, grpc::Status* sync_status) override {
    *sync_status = ToGrpc(Check(*request));
    return true;
  }
  void Cancel(grpc::experimental::TlsCustomVerificationCheckRequest* /*request*/) override {}

 private:
  [[nodiscard]] Status Check(grpc::experimental::TlsCustomVerificationCheckRequest& request) const {
    const std::vector<grpc::string_ref> uris = request.uri_names();
    const std::string wanted = "spiffe://" + vault_name_ + "/collector/...";
    if (uris.size() != 1) return Unauthenticated("the server's certificate is not " + wanted);
    const std::string uri(uris[0].data(), uris[0].size());
    Result<pki::Identity> identity = pki::Identity::Parse(uri);
    if (!identity.ok() || identity->role != pki::Role::kCollector ||
        identity->vault != vault_name_) {
      return Unauthenticated("the server's certificate is " + uri + ", not " + wanted);
    }
    return Status::Ok();
  }

  const std::string vault_name_;
};

std::shared_ptr<grpc::ChannelCredentials> Credentials(const OwnCertificate& own,
                                                      const std::string& vault_name) {
  namespace tls = grpc::experimental;
  tls::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(std::make_shared<tls::StaticDataCertificateProvider>(
      own.ca_pem, std::vector<tls::IdentityKeyCertPair>{{own.key_pem, own.cert_pem}}));
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  options.set_verify_server_certs(true);
  options.set_check_call_host(false);
  options.set_certificate_verifier(
      tls::ExternalCertificateVerifier::Create<CollectorRoleVerifier>(vault_name));
  return tls::TlsCredentials(options);
}

grpc::ChannelArguments Arguments() {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kClientReceiveMax);
  arguments.SetInt(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);  // unpacks before it checks sizes
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);  // windows, and with them memory, stay small
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);   // whoever calls retries
  arguments.SetInt(GRPC_ARG_ENABLE_CHANNELZ, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);  // the address is the collector's own
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveTimeMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kReconnectBackoffMinMs);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectAttemptMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kReconnectBackoffMaxMs);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return arguments;
}

bool ContainsAny(std::string_view text, std::initializer_list<std::string_view> parts) {
  for (std::string_view part : parts) {
    if (text.find(part) != std::string_view::npos) return true;
  }
  return false;
}

}  // namespace

Result<CollectorChannel> CollectorChannel::Make(const ChannelOptions& options) {
  StartTransport(nullptr);
  Result<OwnCertificate> own =
      OwnCertificate::Load(options.ca_file, options.cert_file, options.key_file);
  if (options.kept != nullptr) own = options.kept->LastGood(std::move(own));
  if (!own.ok()) return own.status();
  std::shared_ptr<grpc::Channel> channel = grpc::CreateCustomChannel(
      options.address, Credentials(*own, options.vault_name), Arguments());
  return CollectorChannel(options, *std::move(own), std::move(channel));
}

Status CollectorChannel::AwaitConnected(int timeout_ms) const {
  const auto deadline = std::chrono::system_clock::now() + std::chrono::milliseconds(timeout_ms);
  for (;;) {
    const grpc_connectivity_state state = channel_->GetState(/*try_to_connect=*/true);
    if (state == GRPC_CHANNEL_READY || state == GRPC_CHANNEL_TRANSIENT_FAILURE) return Status::Ok();
    if (!channel_->WaitForStateChange(state, deadline)) {
      return Unavailable("no answer from " + options_.address + " within " +
                         std::to_string(timeout_ms / 1000) +
                         " s; is this the collector's address, and is the way there open?");
    }
  }
}

Status CollectorChannel::Explain(const grpc::Status& status, bool answered,
                                 const ActiveCalls& calls) const {
  if (status.error_code() == grpc::StatusCode::CANCELLED && !calls.cancelled()) {
    return Unavailable("the connection to " + options_.address +
                       " was lost (the collector ended the call)");
  }
  if (status.error_code() != grpc::StatusCode::UNAVAILABLE) return FromGrpc(status);
  const std::string& reason = status.error_message();
  if (answered) {
    return Unavailable("the connection to " + options_.address + " was lost (" + reason + ")");
  }

  if (own_.certificate.not_after() < SystemClock().Now()) {
    return Unavailable(options_.address + " refused the connection: our certificate " +
                       own_.cert_file + " has expired; issue a new one (logvault pki issue)");
  }
  if (ContainsAny(reason, {"verification check failed", "is not spiffe://", ", not spiffe://",
                           "CERTIFICATE_VERIFY_FAILED", "certificate verify failed"})) {
    return Unavailable(options_.address + " is not a collector of vault " + options_.vault_name +
                       " that " + options_.ca_file + " vouches for (" + reason + ")");
  }
  if (ContainsAny(reason, {"Connection refused", "No route", "unreachable", "DNS", "resolution",
                           "timed out", "Name or service not known"})) {
    return Unavailable("cannot connect to " + options_.address + ": " + reason +
                       "; is the collector running, and is this its address?");
  }
  if (ContainsAny(reason, {"Socket closed", "handshake", "SSL", "Connection reset", "EOF"})) {
    return Unavailable(options_.address + " closed the connection (" + reason +
                       "); if this was the TLS handshake, it refused our certificate " +
                       own_.cert_file +
                       " (expired, or of another CA), and the collector's log says why");
  }
  return Unavailable(options_.address + ": " + reason);
}

}  // namespace logvault::net
