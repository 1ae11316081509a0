// Who may call: on every call, the peer's role for this listener, its certificate's dates and the
// CRL.  A handshake happens once, a connection lives for days.  Includes gRPC: for net and server
// only.
#pragma once

#include <grpcpp/security/auth_context.h>

#include <string>
#include <vector>

#include "common/clock.h"
#include "common/status.h"
#include "pki/certificate.h"
#include "pki/identity.h"
#include "pki/revocation.h"

namespace logvault::net {

struct Peer {
  pki::Identity identity;
  pki::Certificate certificate;
};

// The peer's certificate and who it speaks for.  Never gRPC's "peer identity": that is every
// subject alternative name mixed, and a DNS name may look like a URI.
Result<Peer> PeerOf(const grpc::AuthContext& auth_context);

// What a listener does when its CRL is past its next update and no newer one came.
enum class WhenCrlExpired { kGoOn, kRefuse };

struct GateOptions {
  std::string listener;  // for messages: "ingest"
  std::string vault_name;
  std::vector<pki::Role> roles;  // that may call here
  WhenCrlExpired when_crl_expired = WhenCrlExpired::kRefuse;
};

// Safe from several threads.
class CallGate {
 public:
  // `revocation` and `clock` must outlive the gate.
  CallGate(GateOptions options, const pki::RevocationFile& revocation, const Clock& clock);

  // The peer, or kPermissionDenied with the reason.
  [[nodiscard]] Result<Peer> Admit(const grpc::AuthContext& auth_context) const;

  // The same question for a peer that was admitted before: may it still call?
  [[nodiscard]] Status Check(const Peer& peer) const;

 private:
  const GateOptions options_;
  const pki::RevocationFile& revocation_;
  const Clock& clock_;
};

}  // namespace logvault::net
