// Is a host's registration of a new epoch what it must be?  Only then does its key enter the chain.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/clock.h"
#include "common/status.h"
#include "evidence/bodies.h"
#include "evidence/keys.h"
#include "pki/revocation.h"
#include "storage/reader.h"
#include "storage/vault.h"

namespace logvault::server {

struct RegistrationChecks {
  const storage::Reader& reader;
  const std::vector<evidence::OpeningKey>& opening_keys;  // at least one
  const pki::RevocationFile& revocation;
  const std::string& ca_pem;  // GENESIS's: a verifier has no other
};

struct CheckedRegistration {
  evidence::KeyBody key;
  storage::Entry entry;                // a KEY block
  std::optional<std::uint64_t> block;  // it is there already: its KEY block
};

// Fails with a code of WillStayWrong where the registration is wrong.  The certificate in it must
// be one of `host`, of our CA, in force and not revoked; it need not be the connection's, because
// one that was renewed since has sealed what is spooled.
Result<CheckedRegistration> CheckRegistration(const RegistrationChecks& checks,
                                              const std::string& host, std::string_view body,
                                              std::string_view box, UnixNanos now);

}  // namespace logvault::server
