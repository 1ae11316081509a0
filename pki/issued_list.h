// issued.txt: every certificate that a CA issued and whether it was revoked, one line each.
// Revocation lists are made from it, so that a name can be revoked without its certificates at
// hand.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "common/status.h"
#include "pki/identity.h"

namespace logvault::pki {

struct IssuedCertificate {
  std::string serial_hex;
  Role role = Role::kForwarder;
  std::string name;
  UnixNanos not_after = 0;  // whole seconds, as all times here
  std::optional<UnixNanos> revoked_at;
  bool operator==(const IssuedCertificate&) const = default;
};

struct IssuedList {
  std::vector<IssuedCertificate> certificates;
  bool operator==(const IssuedList&) const = default;

  // SERIAL ROLE NAME NOT_AFTER REVOKED_AT, the times as RFC 3339 in UTC, "-" for not revoked; '#'
  // begins a comment. Errors name the line: a list with a damaged line is not used.
  static Result<IssuedList> Parse(std::string_view text);
  [[nodiscard]] std::string ToString() const;
};

}  // namespace logvault::pki
