#include "net/server_credentials.h"

#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <utility>

#include "net/status_map.h"
#include "net/transport.h"
#include "pki/certificate.h"

namespace logvault::net {
namespace {

class ClientCertificateVerifier final : public grpc::experimental::ExternalCertificateVerifier {
 public:
  ClientCertificateVerifier(std::string ca_pem, const Clock& clock, OnRefused on_refused)
      : ca_pem_(std::move(ca_pem)), clock_(clock), on_refused_(std::move(on_refused)) {}

  bool Verify(grpc::experimental::TlsCustomVerificationCheckRequest* request,
              std::function<void(grpc::Status)> /*callback*/, grpc::Status* sync_status) override {
    const grpc::string_ref pem = request->peer_cert();
    const Status status = Check({pem.data(), pem.size()});
    if (!status.ok() && on_refused_) on_refused_(status.message());
    *sync_status = ToGrpc(status);
    return true;
  }
  void Cancel(grpc::experimental::TlsCustomVerificationCheckRequest* /*request*/) override {}

 private:
  [[nodiscard]] Status Check(std::string_view pem) const {
    if (pem.empty()) return Unauthenticated("the peer showed no certificate");
    Result<pki::Certificate> certificate = pki::Certificate::FromPem(pem);
    if (!certificate.ok()) return Unauthenticated(certificate.status().message());
    return certificate->VerifyIssuedBy(ca_pem_, clock_.Now()).WithContext(Name(*certificate));
  }
  static std::string Name(const pki::Certificate& certificate) {
    Result<pki::Identity> identity = certificate.identity();
    return identity.ok() ? identity->ToString() : "certificate " + certificate.serial_hex();
  }

  const std::string ca_pem_;
  const Clock& clock_;
  const OnRefused on_refused_;
};

}  // namespace

std::shared_ptr<grpc::ServerCredentials> MakeServerCredentials(
    const PresentedCertificate& presented, std::string ca_pem, const Clock& clock,
    OnRefused on_refused) {
  namespace tls = grpc::experimental;
  StartTransport(nullptr);
  tls::TlsServerCredentialsOptions options(presented.provider());
  options.watch_root_certs();  // without it every client is refused
  options.watch_identity_key_cert_pairs();
  // Without this line gRPC accepts clients that show no certificate at all.
  options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_BUT_DONT_VERIFY);
  options.set_check_call_host(false);
  options.set_certificate_verifier(
      tls::ExternalCertificateVerifier::Create<ClientCertificateVerifier>(std::move(ca_pem), clock,
                                                                          std::move(on_refused)));
  return tls::TlsServerCredentials(options);
}

}  // namespace logvault::net
