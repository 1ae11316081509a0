// What to do about a damaged spool: keep the damaged file aside, put a new one in its place that holds every row that
// still verifies, and owe a gap record for each run of numbers that does not.  Never a silent fresh start.
//
// The new file is complete before the old one moves, and a crash in between is finished by the next start:
//   spool.sqlite            damaged, copied flat (file and log into one) to   spool.flat
//   spool.salvage           being made from it
//   spool.salvaged          complete
//   spool.sqlite            → spool.sqlite.damaged-N      (and its log → spool.sqlite.damaged-N-wal)
//   spool.salvaged          → spool.sqlite
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/status.h"
#include "evidence/note.h"

namespace logvault::forwarder {

struct SalvageReport {
  std::string kept_as;              // the damaged file's new name, without its folder
  std::vector<std::string> faults;  // why
  std::uint64_t items = 0;          // waiting, in the new file
  std::uint64_t kept = 0;           // acknowledged or set aside, in the new file
  std::uint64_t gaps = 0;           // runs of numbers that are lost
  [[nodiscard]] std::string Sentence() const;
};

// Ends what a crash interrupted.  Call before the spool's file is opened.  REQUIRES: the folder's lock is held.
Status FinishSalvage(const std::string& dir);

// REQUIRES: the folder's lock is held, and nobody has the file open.  A kept checkpoint is believed only where
// `vault_key` signed it.
Result<SalvageReport> Salvage(const std::string& dir, const std::string& host,
                              const std::optional<evidence::VerifierKey>& vault_key,
                              std::vector<std::string> faults);

}  // namespace logvault::forwarder
