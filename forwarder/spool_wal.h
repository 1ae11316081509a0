// The write-ahead log beside the spool's file, read without SQLite.
//
// SQLite takes a log up to its first frame that does not verify and drops the rest without a word: right for a torn
// tail, silent loss where a bit of an older frame flipped.  A transaction that was synced is followed by the frames of
// the next one, and that shows the difference.  Layout: sqlite.org/fileformat2.html, section 4.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/status.h"

namespace logvault::forwarder {

inline constexpr std::uint32_t kSpoolPageSize = 4096;  // SQLite's default, which the spool keeps

struct WalFrame {
  std::uint32_t page = 0;  // from 1
  std::uint32_t commit_pages =
      0;                 // of a transaction's last frame: pages of the file after it; else 0
  bool present = false;  // of the log's present run, by its salt; else an older run's, or damaged
  bool intact = false;   // present, and follows from the frame before it by its checksum
};

struct SpoolWal {
  // Up to the last intact one; frame i's page begins at PageOffset(i).
  std::vector<WalFrame> frames;
  bool header_intact = false;
  // Something that was synced does not verify any more.
  [[nodiscard]] bool damaged() const;
  // How many frames count: as SQLite has it, or, where the log is damaged, all up to the last commit.
  [[nodiscard]] std::size_t usable() const;

  static std::uint64_t PageOffset(std::size_t frame);
};

// An absent or empty file has no frames.  May be read while SQLite appends to it.
Result<SpoolWal> ReadSpoolWal(const std::string& path);

}  // namespace logvault::forwarder
