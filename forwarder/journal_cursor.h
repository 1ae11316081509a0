// JournalCursor: what a cursor of libsystemd says of an entry, and the order of entries that comes from it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace logvault::forwarder {

// "s=SEQNUM_ID;i=SEQNUM;b=BOOT_ID;m=MONOTONIC;t=REALTIME;x=XOR_HASH", numbers in hexadecimal, times in microseconds.
struct JournalCursor {
  std::string
      seqnum_id;  // whose numbers these are; those of one journald may have gaps within a file
  std::uint64_t seqnum = 0;
  std::string boot_id;
  std::uint64_t monotonic = 0;
  std::uint64_t realtime = 0;
  std::uint64_t xor_hash = 0;  // of the entry's fields
  bool operator==(const JournalCursor&) const = default;

  static std::optional<JournalCursor> Parse(std::string_view text);
};

// Below 0, 0 or above as libsystemd puts entries of several files in order.  0: one entry that lies in two files.
int Compare(const JournalCursor& a, const JournalCursor& b);

}  // namespace logvault::forwarder
