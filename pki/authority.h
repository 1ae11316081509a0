// The certificate authority in a folder: `logvault pki init|issue|revoke`.  One process at a time
// works in a folder; a second one waits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/status.h"
#include "pki/identity.h"

namespace logvault::pki {

// How long a revocation list is good: `pki issue` and `pki revoke` write a new one each time.
inline constexpr std::int64_t kRevocationListNs = 30ll * 86400 * kNanosPerSecond;
// How far back a certificate's beginning is put, for hosts whose clocks are behind.
inline constexpr std::int64_t kBackdateNs = 300ll * kNanosPerSecond;

// Makes DIR with ca.pem, ca.key, crl.pem, vault.key (Ed25519 and X25519, PEM), vault.pub and
// issued.txt, the list of issued certificates.  kAlreadyExists where DIR holds a CA.  Private keys
// are readable by the owner only.
Status InitAuthority(const std::string& dir, const std::string& vault_name, const Clock& clock);

struct IssueRequest {
  Role role = Role::kForwarder;
  std::string name;
  std::vector<std::string> sans;       // DNS names or IP addresses
  std::optional<std::int64_t> ttl_ns;  // from 1 s; by default 365 days, for people 72 h
  std::string out_dir;
};
// Fills out_dir with ca.pem cert.pem key.pem vault.pub; for a collector also crl.pem and vault.key.
// Where out_dir holds a certificate of the same identity that is neither revoked nor expired, this
// renews it: its key stays and cert.pem is replaced in one step, so that no reader ever sees a pair
// that does not match.  kAlreadyExists where out_dir holds anybody else's.
Status IssueCertificate(const std::string& dir, const IssueRequest& request, const Clock& clock);

// Revokes every unexpired certificate of `name`, in any role, and writes a new crl.pem.  Returns
// how many there were, those revoked before included.  kNotFound where there is none.
Result<int> RevokeName(const std::string& dir, const std::string& name, const Clock& clock);

}  // namespace logvault::pki
