// The batch header: what a forwarder states and signs about consecutive records of one stream.  Byte
// layout: docs/FORMAT.md, section "Batch header"; this file and that section change together.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/clock.h"
#include "common/status.h"
#include "evidence/hash.h"
#include "evidence/keys.h"

namespace logvault::evidence {

inline constexpr std::size_t kBatchHeaderSize = 336;
inline constexpr std::size_t kSealedSize = 240;  // the bytes the seal covers
inline constexpr std::size_t kSignedSize = 272;  // the bytes the signature covers

// SHA-256("logvault/stream/v1\n" || host || source), both with a u16 length before them.
Hash StreamId(std::string_view host, std::string_view source);

struct BatchHeader {
  Hash stream_id;
  std::uint64_t epoch = 0;
  std::uint64_t first_seq = 0;     // from 1
  std::uint32_t record_count = 0;  // at least 1
  std::uint32_t seal_index = 0;    // which K_i made `seal`
  UnixNanos read_time_first = 0;
  UnixNanos read_time_last = 0;
  UnixNanos event_time_min = kNoTime;  // kNoTime where no record states one
  UnixNanos event_time_max = kNoTime;
  Hash stream_prev;  // LeafHash of the stream's previous batch header; zeros for the first
  Hash records_root;
  Hash payload_hash;            // SHA-256 of the zstd frame as shipped and stored
  std::uint64_t seen_size = 0;  // the newest checkpoint this forwarder verified; 0 is none
  Hash seen_root;
  Hash seal;
  std::string signature;  // 64 bytes

  [[nodiscard]] std::uint64_t last_seq() const { return first_seq + record_count - 1; }
  bool operator==(const BatchHeader&) const = default;

  // Checks size, magic, that the sequence range is not empty and does not wrap, and that times are in order.
  static Result<BatchHeader> Parse(std::string_view bytes);
};

// The bytes of `header`, sealed with `seal_key` and signed with `epoch_key`; its seal and signature fields
// are ignored.
std::string SealBatchHeader(const BatchHeader& header, std::string_view seal_key,
                            const SigningKey& epoch_key);

// OK, or kCorruption.  `bytes` is a whole header.
Status VerifyBatchSeal(std::string_view bytes, std::string_view seal_key);
Status VerifyBatchSignature(std::string_view bytes, std::string_view epoch_public_key);

}  // namespace logvault::evidence
