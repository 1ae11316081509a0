// What a spool holds, for a person: `logvault-forwarder status`.  Read beside a running forwarder, without its lock.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/status.h"
#include "evidence/note.h"

namespace logvault::forwarder {

struct SpoolStatus {
  struct Stream {
    std::string source;
    std::uint64_t last_seq = 0;   // sealed
    std::uint64_t acked_seq = 0;  // proven to be in the vault
  };
  std::string host;
  std::uint64_t waiting_items = 0;
  std::uint64_t waiting_bytes = 0;
  std::uint64_t kept_bytes = 0;
  std::uint64_t set_aside = 0;  // batches that the vault refused for their content
  std::vector<Stream> streams;
  std::string note;                      // the newest checkpoint that was verified; empty for none
  std::vector<std::string> older_notes;  // oldest first
  std::string contradiction;  // what the vault signed and was not believed; empty for none
  std::string refused;        // what was not signed by the key pinned then; empty for none
};

// kNotFound where there is no spool in `dir`.
Result<SpoolStatus> ReadSpoolStatus(const std::string& dir);

// The spool's sums and a line a stream.
std::string DescribeQueue(const SpoolStatus& status);

// The newest note stands at the end, verbatim, so that it can be compared with another host's.  `all` adds the older
// ones.
std::string Describe(const SpoolStatus& status, const evidence::VerifierKey& vault_key, bool all);

// Whether the vault's own signature stands under something that contradicts what this host saw.
bool HasProofOfFork(const SpoolStatus& status, const evidence::VerifierKey& vault_key);
// Whether something answered in the vault's place: what was refused is not signed by today's key either, which a host may
// have been given too late.
bool HasRefused(const SpoolStatus& status, const evidence::VerifierKey& vault_key);

}  // namespace logvault::forwarder
