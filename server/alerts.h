// The vault's own words about what it saw: ALERT and SILENCE blocks.  A body is one JSON object
// with a `type`; docs/FORMAT.md lists them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "evidence/batch.h"
#include "server/silence_watch.h"
#include "storage/vault.h"

namespace logvault::server {

// A second session for `host` from `address` while the first, from `first_address`, answers.
storage::Entry CloneAlert(const std::string& host, const std::string& address,
                          const std::string& first_address);
// `host` sent a batch of a stream that belongs to `owner`.
storage::Entry ForeignStreamAlert(const std::string& host, const std::string& owner,
                                  const std::string& owner_source);
// The epoch before `epoch` ended without a stop record; the last seal of it here has number
// `last_seal`.
storage::Entry UncleanAlert(const std::string& host, std::uint64_t epoch,
                            std::uint64_t previous_epoch, std::uint32_t last_seal);
// `host` says that it saw a checkpoint which is not in our history: its word alone.
storage::Entry SeenAlert(const std::string& host, const std::string& source,
                         const evidence::BatchHeader& batch, bool ahead);
// The clock of `host` is ahead by `ahead_ns`.
storage::Entry ClockAlert(const std::string& host, std::int64_t ahead_ns);
// `host` has used up its bytes of the day.
storage::Entry QuotaAlert(const std::string& host, std::uint64_t bytes_per_day);
// The revocation list is past its next update; the last good one stays in force for ingest.
storage::Entry CrlExpiredAlert();

// The blocks that record what a tick found: those who returned, then those who fell silent.  One of each, or more where
// the hosts do not fit one.
std::vector<storage::Entry> SilenceEntries(const SilenceWatch::Changes& changes);

}  // namespace logvault::server
