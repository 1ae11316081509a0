// A small language for tests about framing.
#pragma once

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "formats/framer.h"

namespace logvault::formats {

inline constexpr std::size_t kLarge = 16 << 20;

inline std::string Utf16Le(std::string_view ascii) {
  std::string bytes;
  for (const char c : ascii) {
    bytes += c;
    bytes += '\0';
  }
  return bytes;
}

struct Framed {
  std::vector<Cut> cuts;
  std::size_t covered = 0;
  bool continues = false;
  bool operator==(const Framed&) const = default;
};

inline Framed Frame(Format format, std::string_view text, End end = End::kFinal,
                    Encoding encoding = Encoding::kBytes, std::size_t max_record = kLarge) {
  Framed framed;
  framed.covered =
      CutRecords(format, encoding, text, end, max_record, &framed.continues, framed.cuts);
  return framed;
}

// The records, as bytes, that `text` is cut into.
inline std::vector<std::string> Records(Format format, std::string_view text, End end = End::kFinal,
                                        Encoding encoding = Encoding::kBytes,
                                        std::size_t max_record = kLarge) {
  std::vector<std::string> records;
  std::size_t at = 0;
  for (const Cut& cut : Frame(format, text, end, encoding, max_record).cuts) {
    records.emplace_back(text.substr(at, cut.length));
    at += cut.length;
  }
  return records;
}

// Feeds `text` the way a reader of a growing file does.
inline Framed FrameInPieces(Format format, std::string_view text, Encoding encoding,
                            std::size_t max_record, std::mt19937_64& random) {
  Framed framed;
  std::size_t offered = 0;
  while (offered < text.size()) {
    offered = std::min(text.size(), offered + 1 + random() % 97);
    framed.covered +=
        CutRecords(format, encoding, text.substr(framed.covered, offered - framed.covered),
                   End::kMore, max_record, &framed.continues, framed.cuts);
  }
  framed.covered += CutRecords(format, encoding, text.substr(framed.covered), End::kFinal,
                               max_record, &framed.continues, framed.cuts);
  return framed;
}

}  // namespace logvault::formats
