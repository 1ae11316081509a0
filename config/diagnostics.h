// Diagnostics: what a program says to its operator on stderr, through spdlog's default logger.
// Daemons write nothing to stdout.
#pragma once

#include <string_view>

namespace logvault::config {

// Lines become "2026-11-23T15:48:01.123Z warning logvault-collector: text".  LOGVAULT_LOG_LEVEL
// (trace debug info warning error) sets the least level; default info.  Call once, first in main.
//
// Whoever makes a program complain cannot fill its log: of lines below error, kLinesPerWindow in kWindowSeconds are
// written, and then that the rest is left out.
inline constexpr int kLinesPerWindow = 1'000;
inline constexpr int kWindowSeconds = 10;
void StartDiagnostics(std::string_view program);

}  // namespace logvault::config
