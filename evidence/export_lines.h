// The lines of an export's blocks.jsonl and records.jsonl.  Layout: docs/FORMAT.md, section "Export"; this file and
// that section change together.  Each line has one spelling: what is parsed is written back to the same bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "common/clock.h"
#include "common/status.h"
#include "evidence/hash.h"

namespace logvault::evidence {

inline constexpr std::size_t kMaxExportLineSize = 1024 * 1024;  // without its '\n'

// 2^level consecutive leaves of the vault's tree of which the export has only the node over them.
struct PrunedLine {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  Hash hash;
  bool operator==(const PrunedLine&) const = default;
};

struct BlockLine {
  std::uint64_t index = 0;
  std::string bytes;      // as stored
  bool contents = false;  // the lines that follow account for every record of this RECORDS block
  bool operator==(const BlockLine&) const = default;
};

// Records of which the export has only the node over their leaves.
struct WithheldLine {
  std::uint64_t first_seq = 0;
  std::uint64_t count = 0;
  Hash hash;
  bool operator==(const WithheldLine&) const = default;
};

// A record that matches, and that the investigator gives as its leaf hash only.
struct RedactedLine {
  std::uint64_t seq = 0;
  Hash hash;
  bool operator==(const RedactedLine&) const = default;
};

// Records that are the next lines of records.jsonl.
struct ShownLine {
  std::uint64_t first_seq = 0;
  std::uint64_t count = 0;
  bool operator==(const ShownLine&) const = default;
};

using ExportLine = std::variant<PrunedLine, BlockLine, WithheldLine, RedactedLine, ShownLine>;

// Without '\n'.
std::string Serialize(const ExportLine& line);
Result<ExportLine> ParseExportLine(std::string_view text);

// A line of records.jsonl up to what is there for people: the members that follow (time, origin, message) say the same
// again as text and prove nothing.
struct RecordLine {
  std::string host;
  std::string source;
  std::uint64_t seq = 0;
  std::uint64_t block = 0;
  UnixNanos event_time = kNoTime;
  UnixNanos read_time = 0;
  std::uint32_t flags = 0;
  std::string salt;  // 16 bytes
  Hash leaf;
  std::uint64_t offset = 0;  // of the record's bytes in raw/HOST/SOURCE
  std::uint64_t size = 0;
  std::string origin;
  bool operator==(const RecordLine&) const = default;

  // Everything before the members for people: begins with '{' and is not closed.
  [[nodiscard]] std::string Serialize() const;
  // Takes that from the front of `text` and leaves the rest there.
  static Result<RecordLine> Parse(std::string_view& text);
};

}  // namespace logvault::evidence
