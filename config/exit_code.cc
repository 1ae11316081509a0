#include "config/exit_code.h"

#include <algorithm>
#include <array>

namespace logvault::config {

ExitCode ExitCodeFor(const Status& status) {
  switch (status.code()) {
    case StatusCode::kOk:
      return ExitCode::kOk;
    case StatusCode::kCancelled:
      return ExitCode::kInterrupted;
    case StatusCode::kInvalidArgument:
    case StatusCode::kNotFound:
    case StatusCode::kAlreadyExists:
    case StatusCode::kFailedPrecondition:
    case StatusCode::kOutOfRange:
      return ExitCode::kUsage;
    case StatusCode::kPermissionDenied:
      return ExitCode::kNotPermitted;
    case StatusCode::kUnauthenticated:
    case StatusCode::kDeadlineExceeded:
    case StatusCode::kUnavailable:
      return ExitCode::kCannotConnect;
    case StatusCode::kResourceExhausted:
    case StatusCode::kAborted:
    case StatusCode::kInternal:
      return ExitCode::kIncomplete;
    case StatusCode::kCorruption:
    case StatusCode::kIntegrity:
      return ExitCode::kIntegrity;
  }  // No default: the compiler names any code added and not mapped.
  return ExitCode::kIncomplete;
}

ExitCode Worse(ExitCode a, ExitCode b) {
  static constexpr std::array<ExitCode, 9> kFirstWins = {
      ExitCode::kUsage,     ExitCode::kNotPermitted, ExitCode::kCannotConnect,
      ExitCode::kIntegrity, ExitCode::kInterrupted,  ExitCode::kIncomplete,
      ExitCode::kAttention, ExitCode::kNoMatch,      ExitCode::kOk,
  };
  return *std::find_if(kFirstWins.begin(), kFirstWins.end(),
                       [a, b](ExitCode code) { return code == a || code == b; });
}

}  // namespace logvault::config
