#include "forwarder/journal_cursor.h"

#include <charconv>

namespace logvault::forwarder {

namespace {

bool ParseHex(std::string_view text, std::uint64_t* value) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value, 16);
  return error == std::errc() && end == text.data() + text.size();
}

bool SetPart(std::string_view part, JournalCursor& cursor) {
  if (part.size() < 3 || part[1] != '=') return false;
  const std::string_view value = part.substr(2);
  switch (part.front()) {
    case 's':
      cursor.seqnum_id = value;
      return true;
    case 'i':
      return ParseHex(value, &cursor.seqnum);
    case 'b':
      cursor.boot_id = value;
      return true;
    case 'm':
      return ParseHex(value, &cursor.monotonic);
    case 't':
      return ParseHex(value, &cursor.realtime);
    case 'x':
      return ParseHex(value, &cursor.xor_hash);
    default:
      return true;  // A later systemd may say more.
  }
}

int Order(std::uint64_t a, std::uint64_t b) { return a < b ? -1 : a > b ? 1 : 0; }

}  // namespace

std::optional<JournalCursor> JournalCursor::Parse(std::string_view text) {
  JournalCursor cursor;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(';'));
    if (!SetPart(part, cursor)) return std::nullopt;
    text.remove_prefix(part.size() < text.size() ? part.size() + 1 : part.size());
  }
  if (cursor.seqnum_id.empty() || cursor.boot_id.empty()) return std::nullopt;
  return cursor;
}

int Compare(const JournalCursor& a, const JournalCursor& b) {
  if (a.seqnum_id == b.seqnum_id && a.seqnum != b.seqnum) return Order(a.seqnum, b.seqnum);
  if (a.boot_id == b.boot_id && a.monotonic != b.monotonic) return Order(a.monotonic, b.monotonic);
  if (a.realtime != b.realtime) return Order(a.realtime, b.realtime);
  return Order(a.xor_hash, b.xor_hash);
}

}  // namespace logvault::forwarder
