// The framing rule of each format: where one record ends and the next begins.  Nothing is edited or dropped:
// the cuts of a text, laid end to end, are the text.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "formats/format.h"

namespace logvault::formats {

enum class Encoding { kBytes, kUtf16Le };

// By byte order mark: FF FE is UTF-16LE (the mark belongs to the first record); everything else is bytes.
Encoding DetectEncoding(std::string_view first_bytes);

// What is known about the bytes after the given text.
enum class End {
  kMore,   // more may come at once: only records that are certainly complete are cut
  kIdle,   // nothing came for a while: a multi-line record whose last line is terminated is closed
  kFinal,  // nothing will come: an unterminated last line is cut too
};

struct Cut {
  std::size_t length = 0;  // bytes, terminator included
  bool continues = false;  // goes on where the cut before ended: a record over `max_record` bytes
  bool partial = false;    // the text ended before its terminator
  bool operator==(const Cut&) const = default;
};

// Appends the records found at the front of `text`, which begins where a record begins (or, with
// `*continues` set, within one that was split), and returns how many bytes they cover.  `*continues` says on
// return whether the next text goes on within a split record.  Pure; linear in `text`.
//
// A record over `max_record` bytes (at least 2) is cut into pieces of that size; only its last piece can be partial.
// How a text is handed over piece by piece (kMore, then kFinal) never changes its cuts.  Where nothing is cut,
// the caller offers the same bytes again with more behind them; `max_record` and kHeaderBytesMax bytes always
// suffice for a cut.
std::size_t CutRecords(Format format, Encoding encoding, std::string_view text, End end,
                       std::size_t max_record, bool* continues, std::vector<Cut>& cuts);

}  // namespace logvault::formats
