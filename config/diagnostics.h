// Diagnostics: what a program says to its operator on stderr, through spdlog's default logger.
// Daemons write nothing to stdout.
#pragma once

#include <string_view>

namespace logvault::config {

// Lines become "2026-11-23T15:48:01.123Z warning logvault-collector: text".  LOGVAULT_LOG_LEVEL
// (trace debug info warning error) sets the least level; default info.  Call once, first in main.
void StartDiagnostics(std::string_view program);

}  // namespace logvault::config
