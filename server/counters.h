// What the collector has done since it started, and what it must not run out of, for the metrics endpoint.
#pragma once

#include <atomic>
#include <cstdint>

#include "common/clock.h"

namespace logvault::server {

struct Counters {
  std::atomic<std::uint64_t> records{0};        // committed
  std::atomic<std::uint64_t> payload_bytes{0};  // committed, as shipped
  std::atomic<std::uint64_t> batches{0};        // committed
  std::atomic<std::uint64_t> repeated{0};       // batches that were there already
  std::atomic<std::uint64_t> conflicts{0};
  std::atomic<std::uint64_t> refused_items{0};       // batches and registrations
  std::atomic<std::uint64_t> refused_calls{0};       // role, revocation, expiry
  std::atomic<std::uint64_t> refused_handshakes{0};  // chain, expiry
  std::atomic<std::uint64_t> queries{0};
  std::atomic<std::uint64_t> deleted_payloads{0};   // under the retention policy
  std::atomic<std::uint64_t> indexed_segments{0};   // built, and built anew
  std::atomic<std::uint64_t> limited_calls{0};      // beyond what one certificate may make
  std::atomic<std::uint32_t> flush_interval_ms{0};  // that receipts carry
  std::atomic<UnixNanos> certificate_not_after{0};  // of the certificate presented now
  std::atomic<UnixNanos> crl_next_update{0};        // of the revocation list in force
};

}  // namespace logvault::server
