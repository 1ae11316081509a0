// How many seeds a random test runs with: few by default, $LOGVAULT_SEEDS for a long run.
#pragma once

#include <cstdlib>

namespace logvault::testing {

inline int SeedCount(int by_default) {
  const char* given = std::getenv("LOGVAULT_SEEDS");
  const int count = given == nullptr ? 0 : std::atoi(given);
  return count > 0 ? count : by_default;
}

}  // namespace logvault::testing
