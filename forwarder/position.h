// How far one file was read: which file it is, and what its bytes looked like there.
//
// A name says nothing about a file (rotation) and an inode little (ext4 hands a freed one out again at once), so a
// position carries hashes of the file's beginning and of what stands just before the offset; reading goes on only
// where both still match.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/status.h"
#include "evidence/hash.h"
#include "evidence/payload.h"
#include "formats/framer.h"

namespace logvault::forwarder {

// How many bytes each of the two hashes covers, where the file is that long.
inline constexpr std::size_t kIdentityBytes = 4096;

struct FileId {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  auto operator<=>(const FileId&) const = default;
};

struct FilePosition {
  FileId id;
  std::string path;          // where the file was last seen
  std::uint64_t offset = 0;  // bytes read, sealed or about to be
  evidence::Hash head_hash;  // of the first checked_bytes()
  evidence::Hash tail_hash;  // of the checked_bytes() before `offset`
  formats::Encoding encoding = formats::Encoding::kBytes;
  bool continues = false;            // `offset` lies within a record
  std::optional<int> banner_offset;  // formats::TimeContext's
  std::int64_t seen = 0;  // Unix seconds of the last change; the oldest entries are forgotten first

  [[nodiscard]] std::size_t checked_bytes() const {
    return offset < kIdentityBytes ? static_cast<std::size_t>(offset) : kIdentityBytes;
  }
  bool operator==(const FilePosition&) const = default;

  static Result<FilePosition> Parse(const evidence::PositionEntry& entry);
  [[nodiscard]] evidence::PositionEntry ToEntry() const;
  // The entry that makes everybody forget this file.
  [[nodiscard]] evidence::PositionEntry Removal() const;
};

}  // namespace logvault::forwarder
