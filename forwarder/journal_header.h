// JournalHeader: what a journal file says of itself in its first bytes.  It is how we know what libsystemd, which passes
// over what it cannot read, did not give us.  Layout: systemd.io/JOURNAL_FILE_FORMAT, "Header".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/status.h"

namespace logvault::forwarder {

inline constexpr std::size_t kJournalHeaderBytes = 208;

struct JournalHeader {
  std::string file_id;  // 32 hexadecimal digits; stays when journald renames the file
  std::string seqnum_id;
  bool archived = false;  // rotated: no more is written into it
  std::uint64_t entries = 0;
  std::uint64_t head_seqnum = 0;
  std::uint64_t used_bytes = 0;

  // kCorruption where `bytes` begin no journal file.
  static Result<JournalHeader> Parse(std::string_view bytes);
};

}  // namespace logvault::forwarder
