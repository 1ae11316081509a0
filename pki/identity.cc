#include "pki/identity.h"

#include <array>

#include "config/name.h"

namespace logvault::pki {
namespace {

struct NamedRole {
  std::string_view name;
  Role role;
};

constexpr std::array<NamedRole, 4> kRoles = {{{"collector", Role::kCollector},
                                              {"forwarder", Role::kForwarder},
                                              {"investigator", Role::kInvestigator},
                                              {"admin", Role::kAdmin}}};
constexpr std::string_view kScheme = "spiffe://";

}  // namespace

std::string_view ToString(Role role) {
  for (const NamedRole& known : kRoles) {
    if (known.role == role) return known.name;
  }
  return {};
}

Result<Role> ParseRole(std::string_view text) {
  for (const NamedRole& known : kRoles) {
    if (known.name == text) return known.role;
  }
  return InvalidArgument("'" + std::string(text) +
                         "' is no role: collector, forwarder, investigator or admin");
}

Result<Identity> Identity::Parse(std::string_view spiffe_uri) {
  const Status wrong = InvalidArgument("'" + std::string(spiffe_uri.substr(0, 300)) +
                                       "' is not of the form spiffe://VAULT/ROLE/NAME");
  if (!spiffe_uri.starts_with(kScheme)) return wrong;
  const std::string_view path = spiffe_uri.substr(kScheme.size());
  const std::size_t vault_end = path.find('/');
  if (vault_end == std::string_view::npos) return wrong;
  const std::size_t role_end = path.find('/', vault_end + 1);
  if (role_end == std::string_view::npos) return wrong;

  Identity identity;
  identity.vault = path.substr(0, vault_end);
  identity.name = path.substr(role_end + 1);
  Result<Role> role = ParseRole(path.substr(vault_end + 1, role_end - vault_end - 1));
  if (!role.ok() || !IsValidName(identity.vault) || !IsValidName(identity.name)) return wrong;
  identity.role = *role;
  return identity;
}

std::string Identity::ToString() const {
  return std::string(kScheme) + vault + "/" + std::string(pki::ToString(role)) + "/" + name;
}

bool IsValidName(std::string_view name) { return config::IsValidName(name); }

}  // namespace logvault::pki
