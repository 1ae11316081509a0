// Backoff: how long to wait before the next try, doubling up to a cap, each time a random part of it, so that a
// thousand hosts do not come back at once.
#pragma once

#include <algorithm>
#include <cstdint>

#include "common/bytes.h"
#include "common/clock.h"
#include "evidence/hash.h"

namespace logvault::forwarder {

inline constexpr std::int64_t kBackoffFirstNanos = kNanosPerSecond / 4;
inline constexpr std::int64_t kBackoffMaxNanos = 30 * kNanosPerSecond;

class Backoff {
 public:
  // Between half of the present step and all of it.
  std::int64_t Next() {
    std::int64_t step = step_;
    step_ = std::min(step_ * 2, kBackoffMaxNanos);
    std::string random = evidence::RandomBytes(8);
    std::uint64_t part = ByteReader(random).U64() % static_cast<std::uint64_t>(step / 2 + 1);
    return step / 2 + static_cast<std::int64_t>(part);
  }
  void Reset() { step_ = kBackoffFirstNanos; }

 private:
  std::int64_t step_ = kBackoffFirstNanos;
};

}  // namespace logvault::forwarder
