// A journal entry in systemd's Journal Export Format: field after field, each `NAME=value LF`, or, where the value
// holds control bytes or is not UTF-8, `NAME LF`, its length as 8 bytes little-endian, the value, LF; a blank line
// ends the entry.  The format: systemd.io/JOURNAL_EXPORT_FORMATS; what we make of it: docs/formats.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace logvault::formats {

// journald stores no longer value; a length beyond it is not one.
inline constexpr std::uint64_t kJournalValueBytesMax = std::uint64_t{1} << 30;

struct JournalField {
  std::string_view name;
  std::string_view value;
};

// Takes an entry apart, in order.  Lines that are no field are skipped; a field that is cut off ends the entry.  Pure.
class JournalFields {
 public:
  explicit JournalFields(std::string_view entry) : rest_(entry) {}
  std::optional<JournalField> Next();

 private:
  std::string_view rest_;
};

// The first field of that name.
std::optional<std::string_view> FindJournalField(std::string_view entry, std::string_view name);

// What a person reads of it: the message, behind who wrote it: "sshd[12]: Connection closed".  nullopt where it has no message.
std::optional<std::string> JournalLine(std::string_view entry);

// Appends a field as `journalctl -o export` writes it.
void AppendJournalField(std::string_view name, std::string_view value, std::string& entry);

// Past the blank line that ends the entry at the front of `text`; npos where there is none yet.  Linear.
std::size_t JournalEntryEnd(std::string_view text);

// The same for a text that begins somewhere within an entry: a blank line that `__CURSOR=` follows.  npos where there
// is none; `*wait` where more bytes must tell.
std::size_t JournalEntryEndAnywhere(std::string_view text, bool* wait);

}  // namespace logvault::formats
