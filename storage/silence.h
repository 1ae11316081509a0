// Which hosts are silent, as the chain has it: SILENCE blocks begin and end silences (docs/FORMAT.md), and a row for each
// that lasts keeps them over a restart.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "common/status.h"

namespace logvault::storage {

// A silence that was recorded and whose end was not.
struct Silence {
  std::string host;
  UnixNanos last_seen = 0;  // wall clock
  std::uint64_t block = 0;  // the SILENCE block that says so
  bool operator==(const Silence&) const = default;
};

// What one SILENCE block says.
struct SilenceChange {
  bool began = false;          // else they returned
  std::vector<Silence> hosts;  // last_seen: where they returned, when
};
Result<SilenceChange> ParseSilence(std::string_view body, std::uint64_t block);

// Rows of the stream family; see storage/keys.h.
std::string SilenceKey(std::string_view host);
Result<Silence> ParseSilenceRow(std::string_view key, std::string_view value);
std::string SerializeSilence(const Silence& silence);

}  // namespace logvault::storage
