// The server's side of the handshake: mutual TLS 1.3, every client must show a certificate of our
// CA that is in force.  Role and revocation are not decided here but on every call (call_gate.h),
// where the peer can be told. Includes gRPC: for net and server only.
#pragma once

#include <grpcpp/security/server_credentials.h>

#include <functional>
#include <memory>
#include <string>

#include "common/clock.h"
#include "net/presented_certificate.h"

namespace logvault::net {

// Told why a handshake was refused; a peer only sees its connection closed.  Called from gRPC's
// threads.
using OnRefused = std::function<void(const std::string& reason)>;

// gRPC asks for the client's certificate and insists that there is one; the chain and the dates are
// checked by our own verifier, which knows the reason.  (That the client has the certificate's key
// is part of TLS 1.3 itself.)  `ca_pem` vouches for the clients.  `presented` and `clock` must outlive the
// server.
std::shared_ptr<grpc::ServerCredentials> MakeServerCredentials(
    const PresentedCertificate& presented, std::string ca_pem, const Clock& clock,
    OnRefused on_refused);

}  // namespace logvault::net
