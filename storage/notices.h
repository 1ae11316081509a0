// Bodies of the blocks that the vault writes of its own accord: what it noticed, as one JSON object
// each. docs/FORMAT.md, section "Block bodies".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/clock.h"
#include "evidence/batch.h"

namespace logvault::storage {

// ALERT: numbers first_seq..last_seq of a stream never came; block `block` holds the batch behind
// them.
std::string GapNotice(std::string_view host, std::string_view source, std::uint64_t first_seq,
                      std::uint64_t last_seq, std::uint64_t block);
// CONFLICT: a batch that claims numbers, or a predecessor, that the stream has otherwise.
std::string ConflictNotice(std::string_view host, std::string_view source,
                           const evidence::BatchHeader& refused, std::string_view header_bytes);
// CONFLICT: a second registration of an epoch, another than the first; its certificate and keys are
// in the body.
std::string EpochConflictNotice(std::string_view host, std::uint64_t epoch,
                                std::string_view key_body);
// ALERT: the vault's clock reads `now`, the newest block before has `last_commit_time`.
std::string ClockNotice(UnixNanos now, UnixNanos last_commit_time);

// ALERT: RocksDB refused the end of its log for `reason`; it was cut at the record that made `size` blocks.
std::string LogDamagedNotice(std::string_view reason, std::uint64_t size);

}  // namespace logvault::storage
