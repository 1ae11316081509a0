// ContentProbe: whether a file holds the bytes that a position was read from, whatever its name and inode.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "forwarder/file_bytes.h"
#include "forwarder/position.h"

namespace logvault::forwarder {

struct FoundFile {
  std::string path;
  FileFacts facts;
};

// Positions shorter than this are not recognised by their content alone: short files are often alike.
inline constexpr std::uint64_t kMinContentMatch = kFingerprintBytes;

// Compares the bytes of one file with many positions; opens it when it must, and once.  Cheapest in the order of offsets.
class ContentProbe {
 public:
  // `found` must outlive the probe.
  explicit ContentProbe(const FoundFile& found) : found_(found) {}

  // Whether it can be opened at all: what cannot may still be the file that it was.
  bool CanOpen();
  // FingerprintOf its beginning; 0 where it is too short or cannot be read.
  std::uint64_t Fingerprint();
  // Whether the bytes that `position` was read from, at least `min_bytes`, stand at the beginning of the file.
  bool Has(const FilePosition& position, std::uint64_t min_bytes = kMinContentMatch);
  // Whether the last bytes of `beginning` stand here at the same place, as far as can be told: not of compressed ones.
  bool MayBeginWith(ContentProbe& beginning);
  // Whether it may be an unfinished copy of that file: what there is of it does not contradict that.
  bool MayBecome(const FilePosition& position);
  // The file's end as a position, where it ends before `position` and begins like what that was read from, as far as the
  // hash of the beginning tells; else nullopt.  Of a compressed one the offset stays: it is known by what is stored.
  std::optional<FilePosition> EndBefore(const FilePosition& position);

 private:
  // The first kIdentityBytes, or fewer where the file ends.
  const std::string& Head();
  bool HasHash(std::uint64_t offset, std::size_t size, const evidence::Hash& hash);

  const FoundFile& found_;
  std::unique_ptr<FileBytes> bytes_;
  std::optional<std::string> head_;
};

}  // namespace logvault::forwarder
