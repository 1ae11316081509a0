// The names of vaults, hosts, people and sources.
#pragma once

#include <string_view>

namespace logvault::config {

// [a-z0-9._-]{1,63}, but neither "." nor "..", which would not survive as part of a URI or a path.
bool IsValidName(std::string_view name);

}  // namespace logvault::config
