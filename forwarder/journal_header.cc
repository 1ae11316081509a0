#include "forwarder/journal_header.h"

namespace logvault::forwarder {

namespace {

constexpr std::string_view kSignature = "LPKSHHRH";
constexpr std::size_t kState = 16, kFileId = 24, kSeqnumId = 72, kHeaderSize = 88, kArenaSize = 96,
                      kEntries = 152, kHeadSeqnum = 168;
constexpr std::size_t kIdBytes = 16;
constexpr char kArchived = 2;
// An entry's object in the file, at the least.
constexpr std::uint64_t kSmallestEntryBytes = 64;

std::uint64_t LittleEndian(std::string_view bytes, std::size_t at) {
  std::uint64_t value = 0;
  for (std::size_t i = sizeof value; i-- > 0;) {
    value = value << 8 | static_cast<std::uint8_t>(bytes[at + i]);
  }
  return value;
}

std::string Id(std::string_view bytes, std::size_t at) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes.substr(at, kIdBytes)) {
    const auto byte = static_cast<std::uint8_t>(c);
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  return text;
}

}  // namespace

Result<JournalHeader> JournalHeader::Parse(std::string_view bytes) {
  if (bytes.size() < kJournalHeaderBytes || !bytes.starts_with(kSignature))
    return Corruption("not a journal file");
  JournalHeader header;
  header.file_id = Id(bytes, kFileId);
  header.seqnum_id = Id(bytes, kSeqnumId);
  header.archived = bytes[kState] == kArchived;
  header.entries = LittleEndian(bytes, kEntries);
  header.head_seqnum = LittleEndian(bytes, kHeadSeqnum);
  header.used_bytes = LittleEndian(bytes, kHeaderSize) + LittleEndian(bytes, kArenaSize);
  if (header.entries > header.used_bytes / kSmallestEntryBytes)
    return Corruption("the journal file's header is damaged");
  return header;
}

}  // namespace logvault::forwarder
