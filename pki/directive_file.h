// A directive that travels as a file, from the administrator who signed it to whoever must agree.
#pragma once

#include <string>

#include "common/status.h"
#include "evidence/directive.h"

namespace logvault::pki {

// Reads `path`.  kInvalidArgument where it cannot be read or is no directive at all; kCorruption where it is not as whoever
// signed it left it.  Whether the one who signed it may is not asked: evidence::Directive::Open does.
Result<evidence::Directive> LoadDirective(const std::string& path);

}  // namespace logvault::pki
