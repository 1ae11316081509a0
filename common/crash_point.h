// Crash points: the test build of a program ends at once, as by kill -9, where LOGVAULT_CRASH_AT names the point.
//
//   LOGVAULT_CRASH_AT=spool.append.committed:3     the third time that this point is reached; the first without ":3"
//
// The preset `dev` has them everywhere; elsewhere only the files that tests/system/CMakeLists.txt compiles a second time.
// What is installed has none.
#pragma once

#ifdef LOGVAULT_CRASH_POINTS

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <string_view>

namespace logvault {

inline void CrashPoint(std::string_view name) {
  static const char* const wanted = std::getenv("LOGVAULT_CRASH_AT");
  static std::atomic<int> times = 0;
  if (wanted == nullptr) return;
  const std::string_view at(wanted);
  const std::size_t colon = at.find(':');
  if (at.substr(0, colon) != name) return;
  const int which = colon == std::string_view::npos ? 1 : std::atoi(wanted + colon + 1);
  if (++times == which) std::raise(SIGKILL);
}

}  // namespace logvault

#define LV_CRASH_POINT(name) ::logvault::CrashPoint(name)
#else
#define LV_CRASH_POINT(name) static_cast<void>(0)
#endif
