// `verify --offline`: opens a vault's folder read-only and recomputes everything from the stored
// bytes.  Shares no path with the committer: evidence::Auditor does the chain, this file the tiles,
// checkpoints, heads, anchor and payloads around it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/status.h"
#include "evidence/auditor.h"
#include "evidence/note.h"

namespace logvault::storage {

struct VerifyOptions {
  std::string dir;
  std::string anchor;                        // read where it exists
  std::optional<evidence::VerifierKey> key;  // pinned; else GENESIS's key is used
  std::optional<std::string> known_note;     // --anchor: a checkpoint kept elsewhere
  evidence::CertificateCheck certificate_check;
  std::function<void(std::uint64_t blocks_done, std::uint64_t blocks)> on_progress;  // may be empty
};

struct VerifyReport {
  std::vector<evidence::Finding> findings;  // proof that something is not as it must be
  std::vector<evidence::Finding> claims;    // hosts' words only; none where there are findings
  std::vector<std::string> damaged_files;   // that RocksDB refused to read
  std::uint64_t blocks = 0;
  std::uint64_t records = 0;
  std::uint64_t payload_bytes = 0;
  std::uint64_t deleted_payloads = 0;  // gone by a RETENTION block that was lawful
  std::uint64_t seals_checked = 0;
  std::string origin;
  std::string note;  // the newest stored checkpoint
  bool key_pinned = false;
};

// A Status only where nothing could be checked at all (no vault there); damage and tampering are
// findings.
Result<VerifyReport> VerifyVault(const VerifyOptions& options);

}  // namespace logvault::storage
