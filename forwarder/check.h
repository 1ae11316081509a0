// --check: whether the sources of a configuration can be read as it stands.
#pragma once

#include "config/exit_code.h"
#include "config/forwarder_config.h"

namespace logvault::forwarder {

// Says on stderr what does not fit: 0 fine, 2 what can never work, 7 a named file that is missing or unreadable.
config::ExitCode CheckSources(const config::ForwarderConfig& config);

}  // namespace logvault::forwarder
