// Is a batch what its host says it is?  Everything that can be known before the order of its
// stream, which is the vault's to judge.  Cheap questions come first.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/clock.h"
#include "common/status.h"
#include "evidence/batch.h"
#include "server/seal_keys.h"
#include "storage/reader.h"
#include "storage/vault.h"

namespace logvault::server {

// A batch read this long before its epoch's KEY block was committed could have been sealed by
// whoever held the host meanwhile: kFlagLateKey.
inline constexpr std::int64_t kLateKeyAfterNs = 30 * kNanosPerSecond;
// A host whose clock is ahead by more is flagged kFlagClock.  One that is behind looks like one
// that was offline, and cannot be told from it here.
inline constexpr std::int64_t kClockAheadMaxNs = 300 * kNanosPerSecond;

// A batch whose header is its host's.
struct CheckedHeader {
  evidence::BatchHeader batch;
  UnixNanos epoch_committed = 0;  // its epoch's KEY block
};

struct CheckedBatch {
  evidence::BatchHeader header;
  std::int64_t clock_ahead_ns = 0;  // 0: within kClockAheadMaxNs
  storage::Entry entry;             // a RECORDS block
};

// Whose stream a batch named that was not its sender's.
struct StreamOwner {
  std::string host;
  std::string source;
};

// Both fail with a code of WillStayWrong where the batch is wrong: kUnauthenticated where its epoch or its dictionary is not
// one of this vault.  `foreign` is set where the batch names another host's stream.
Result<CheckedHeader> CheckHeader(const storage::Reader& reader, SealKeys& seal_keys,
                                  const std::string& host, std::string_view header,
                                  std::optional<StreamOwner>& foreign);
// `payload` is moved away where it is right.
Result<CheckedBatch> CheckPayload(const storage::Reader& reader, const CheckedHeader& header,
                                  std::string_view header_bytes, std::string& payload,
                                  UnixNanos now);

}  // namespace logvault::server
