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
#include "forwarder/file_bytes.h"

namespace logvault::forwarder {

// How many bytes each of the two hashes covers, where the file is that long.
inline constexpr std::size_t kIdentityBytes = 4096;

// Of the first kFingerprintBytes; finds candidates fast, decides nothing.
inline constexpr std::size_t kFingerprintBytes = 256;
std::uint64_t FingerprintOf(std::string_view first_bytes);

// A compressed file as it lay there when it was read: the same size and time again need no decompression.
struct StoredFile {
  std::uint64_t size = 0;
  UnixNanos mtime = 0;
  bool operator==(const StoredFile&) const = default;
};

struct FilePosition {
  FileId id;
  UnixNanos born = 0;  // FileFacts's; tells a truncated file from one that got the same inode
  std::string path;    // where the file was last seen
  std::string live;    // the name that the pattern gave it, where that is another
  std::string target;  // where `path` leads through symbolic links, where that is another
  std::uint64_t offset =
      0;  // bytes read, sealed or about to be; of a compressed file, of what it expands to
  evidence::Hash head_hash;       // of the first checked_bytes()
  evidence::Hash tail_hash;       // of the checked_bytes() before `offset`
  std::uint64_t fingerprint = 0;  // FingerprintOf, once as much was read
  formats::Encoding encoding = formats::Encoding::kBytes;
  bool continues = false;            // `offset` lies within a record
  std::optional<int> banner_offset;  // formats::TimeContext's
  UnixNanos mtime =
      0;  // the file's own, when it was last looked at; the oldest entries are forgotten first
  bool over =
      false;  // left behind by rotation and read to its end: that it is gone later is no loss
  std::optional<StoredFile> stored;  // of a compressed file

  [[nodiscard]] std::size_t checked_bytes() const {
    return offset < kIdentityBytes ? static_cast<std::size_t>(offset) : kIdentityBytes;
  }
  // The name whose rotation made this file.
  [[nodiscard]] const std::string& family() const { return live.empty() ? path : live; }
  bool operator==(const FilePosition&) const = default;

  static Result<FilePosition> Parse(const evidence::PositionEntry& entry);
  [[nodiscard]] evidence::PositionEntry ToEntry() const;
  // The entry that makes everybody forget this file.
  [[nodiscard]] evidence::PositionEntry Removal() const;
};

}  // namespace logvault::forwarder
