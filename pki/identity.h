// Who a certificate speaks for: spiffe://VAULT/ROLE/NAME, its one URI subject alternative name.
#pragma once

#include <string>
#include <string_view>

#include "common/status.h"

namespace logvault::pki {

enum class Role { kCollector, kForwarder, kInvestigator, kAdmin };
std::string_view ToString(Role role);
Result<Role> ParseRole(std::string_view text);

struct Identity {
  std::string vault;
  Role role = Role::kForwarder;
  std::string name;
  bool operator==(const Identity&) const = default;

  static Result<Identity> Parse(std::string_view spiffe_uri);
  [[nodiscard]] std::string ToString() const;
};

// [a-z0-9._-]{1,63}
bool IsValidName(std::string_view name);

}  // namespace logvault::pki
