// Exit codes of the three programs ; `logvault --help` lists them.
#pragma once

#include "common/status.h"

namespace logvault::config {

enum class ExitCode : int {
  kOk = 0,          // found, fine
  kNoMatch = 1,     // search complete, nothing found
  kUsage = 2,       // command line, query, configuration
  kIncomplete = 3,  // unreadable without proof of tampering; connection lost midway
  kIntegrity = 4,   // proof that something was altered
  kNotPermitted = 5,
  kCannotConnect = 6,
  kAttention = 7,  // done, but a person should look
  kInterrupted = 130,
};

// What ends a program that fails with `status` before it has any result.  kNotFound is kUsage: a
// file that a command line or a configuration names and that is not there.
ExitCode ExitCodeFor(const Status& status);

// The exit code of an answer with both outcomes: 2, 5 and 6 end at once; otherwise the first of 4,
// 130, 3, 7, 1, 0.
ExitCode Worse(ExitCode a, ExitCode b);

}  // namespace logvault::config
