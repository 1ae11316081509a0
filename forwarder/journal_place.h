// JournalPlace: how far one journal file was read, as the stream's position keeps it.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "common/status.h"
#include "evidence/payload.h"

namespace logvault::forwarder {

struct JournalPlace {
  std::string file_id;        // the entry's key: journald's own, whatever the file is called
  std::string path;           // where the file was last seen
  std::string cursor;         // of the newest entry read; empty: none yet
  std::uint64_t read = 0;     // entries read, or told as lost
  std::uint64_t entries = 0;  // that the file was known to have
  std::uint64_t taken = 0;    // bytes of the entry after the cursor that are records already
  bool archived = false;
  bool operator==(const JournalPlace&) const = default;

  static Result<JournalPlace> Parse(const evidence::PositionEntry& entry);
  [[nodiscard]] evidence::PositionEntry ToEntry() const;
  // The entry that makes everybody forget this file.
  static evidence::PositionEntry Removal(std::string file_id) { return {std::move(file_id), ""}; }
};

}  // namespace logvault::forwarder
