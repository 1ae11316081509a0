// LV_CHECK: for what only a bug of ours can cause.  Bytes from a peer, a log file or a disk are input
// and are answered with a Status instead.
#pragma once

namespace logvault {

[[noreturn]] void CheckFailed(const char* condition, const char* file, int line);

}  // namespace logvault

#define LV_CHECK(condition) \
  (static_cast<bool>(condition) ? void(0) : ::logvault::CheckFailed(#condition, __FILE__, __LINE__))
