#include "net/call_gate.h"

#include <algorithm>
#include <utility>

namespace logvault::net {
namespace {

constexpr char kPeerPem[] = "x509_pem_cert";

std::string ListOf(const std::vector<pki::Role>& roles) {
  std::string list;
  for (pki::Role role : roles) {
    if (!list.empty()) list += " or ";
    list += ToString(role);
  }
  return list;
}

}  // namespace

Result<Peer> PeerOf(const grpc::AuthContext& auth_context) {
  const std::vector<grpc::string_ref> pems = auth_context.FindPropertyValues(kPeerPem);
  if (pems.size() != 1) return PermissionDenied("the connection has no client certificate");
  Result<pki::Certificate> certificate =
      pki::Certificate::FromPem({pems[0].data(), pems[0].size()});
  if (!certificate.ok()) return PermissionDenied(certificate.status().message());
  Result<pki::Identity> identity = certificate->identity();
  if (!identity.ok()) return PermissionDenied(identity.status().message());
  return Peer{*std::move(identity), *std::move(certificate)};
}

CallGate::CallGate(GateOptions options, const pki::RevocationFile& revocation, const Clock& clock)
    : options_(std::move(options)), revocation_(revocation), clock_(clock) {}

Result<Peer> CallGate::Admit(const grpc::AuthContext& auth_context) const {
  Result<Peer> peer = PeerOf(auth_context);
  if (!peer.ok()) return peer;
  LV_RETURN_IF_ERROR(Check(*peer));
  return peer;
}

Status CallGate::Check(const Peer& peer) const {
  const std::string name = peer.identity.ToString();
  if (peer.identity.vault != options_.vault_name) {
    return PermissionDenied(name + " belongs to another vault than " + options_.vault_name);
  }
  if (std::find(options_.roles.begin(), options_.roles.end(), peer.identity.role) ==
      options_.roles.end()) {
    return PermissionDenied("the " + options_.listener + " listener is for " +
                            ListOf(options_.roles) + " certificates, not for " + name);
  }
  if (peer.certificate.not_after() < clock_.Now()) {
    return PermissionDenied("the certificate of " + name + " has expired");
  }
  if (revocation_.IsRevoked(peer.certificate.serial_hex())) {
    return PermissionDenied("the certificate of " + name + " is revoked");
  }
  if (options_.when_crl_expired == WhenCrlExpired::kRefuse && revocation_.IsExpired()) {
    return PermissionDenied(
        "the collector's revocation list has expired; until a newer one is in place "
        "nobody is let in here");
  }
  return Status::Ok();
}

}  // namespace logvault::net
