// ExportPlan: which blocks and records of a vault an export takes, and the hash of every block of the tree.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/export_source.h"
#include "evidence/dictionary.h"
#include "evidence/hash.h"

namespace logvault::cli {

// A record that was found.
struct FoundAt {
  std::uint64_t block = 0;
  std::uint64_t seq = 0;
  auto operator<=>(const FoundAt&) const = default;
};

struct ExportPlan {
  std::vector<FoundAt> matches;            // ascending
  std::vector<FoundAt> redacted;           // of these; ascending
  std::vector<evidence::Hash> leaves;      // of every block: 32 bytes each are held
  std::vector<std::uint64_t> blocks;       // that go into the export whole; ascending
  std::vector<std::uint64_t> payloads_of;  // of these, the ones with matches; ascending
  evidence::Dictionaries dictionaries;     // that the payloads are compressed with
  Answer answer;                           // of the search
};

struct ExportQuestion {
  PreparedQuery matches;
  std::optional<PreparedQuery> redact;  // the same, narrowed to what is redacted
  std::string fingerprint;              // of the investigator's certificate, hexadecimal
};

// Searches, then goes once through all headers.  Besides the blocks with matches an export has GENESIS; of each stream
// with a match every batch from the first to the last that has one or may lie in the question's window; those
// streams' STREAM blocks, their hosts' KEY blocks, the ALERT behind each gap; and the ACCESS blocks of this very reading.
// kIntegrity where the blocks are not those of the signed tree.
Result<ExportPlan> PlanExport(ExportSource& source, const ExportQuestion& question);

}  // namespace logvault::cli
