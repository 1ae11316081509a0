// What a host's forwarder last said of its sources: the newest heartbeat in its own stream.  It is the host's word.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "common/clock.h"
#include "common/status.h"
#include "storage/reader.h"

namespace logvault::query {

struct SourceReport {
  std::string state;            // ok waiting missing unreadable
  std::uint64_t lag_bytes = 0;  // known to exist, not yet in a batch
  std::string detail;           // of a state that is not ok
  bool operator==(const SourceReport&) const = default;
};

struct Heartbeat {
  UnixNanos time = 0;  // when the host said it
  std::map<std::string, SourceReport> sources;
  bool operator==(const Heartbeat&) const = default;
};

// nullopt for a record that is none, or not of the documented form.  Pure.
std::optional<Heartbeat> ParseHeartbeat(std::string_view record, UnixNanos time);

// The newest one of `host`; nullopt where none is found in the last batches of its own stream.
Result<std::optional<Heartbeat>> NewestHeartbeat(const storage::Reader& reader,
                                                 const std::string& host);

}  // namespace logvault::query
