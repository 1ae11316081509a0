// The block header: a leaf of the vault's tree.  Byte layout: docs/FORMAT.md, section "Block header"; this
// file and that section change together.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/clock.h"
#include "common/status.h"
#include "evidence/hash.h"

namespace logvault::evidence {

inline constexpr std::size_t kBlockPrefixSize = 72;  // everything before the body
inline constexpr std::size_t kMaxBlockBodySize = 60 * 1024;

enum class BlockKind : std::uint16_t {
  kGenesis = 1,
  kStream = 2,
  kKey = 3,
  kRecords = 4,
  kAccess = 5,
  kAccessEnd = 6,
  kIndex = 7,
  kAlert = 8,
  kSilence = 9,
  kConflict = 10,
  kRetention = 11,
  kRetentionDone = 12,
  kHold = 13,
  kConfig = 14,
};
// "RECORDS"; "UNKNOWN" for a kind that this version does not know.
std::string_view ToString(BlockKind kind);

// Bits of `flags`.
inline constexpr std::uint16_t kFlagGap =
    1;  // the batch does not follow on the stream's last number
inline constexpr std::uint16_t kFlagLateKey =
    2;  // sealed before its epoch's key was committed here
inline constexpr std::uint16_t kFlagUnclean = 4;  // the epoch before ended without a stop record
inline constexpr std::uint16_t kFlagClock = 8;    // the clock of the vault or of the host was off

struct BlockHeader {
  std::uint64_t index = 0;
  Hash prev;                  // LeafHash of the block before; zeros for block 0
  UnixNanos commit_time = 0;  // rises from block to block
  BlockKind kind = BlockKind::kGenesis;
  std::uint16_t flags = 0;
  std::string body;  // RECORDS: the batch header; others: docs/FORMAT.md

  bool operator==(const BlockHeader&) const = default;

  static Result<BlockHeader> Parse(std::string_view bytes);
  // REQUIRES: body.size() <= kMaxBlockBodySize.
  [[nodiscard]] std::string Serialize() const;
};

}  // namespace logvault::evidence
