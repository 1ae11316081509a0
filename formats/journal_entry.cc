#include "formats/journal_entry.h"

#include <cstring>

namespace logvault::formats {
namespace {

constexpr std::size_t kNone = std::string_view::npos;
constexpr std::size_t kLengthBytes = 8;
constexpr std::string_view kFirstField = "__CURSOR=";

std::uint64_t LittleEndian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = kLengthBytes; i-- > 0;) {
    value = value << 8 | static_cast<std::uint8_t>(bytes[i]);
  }
  return value;
}

// What stands at the front of a text.
struct Element {
  enum class Kind { kField, kEnd, kNoField, kCut } kind = Kind::kCut;
  std::size_t size = 0;  // with its line end
  JournalField field;
};

// The field `NAME LF length value LF` whose name's line has `line` bytes.
Element BinaryField(std::string_view text, std::size_t line) {
  const std::size_t value = line + 1 + kLengthBytes;
  if (text.size() < value) return {};
  const std::uint64_t length = LittleEndian(text.substr(line + 1, kLengthBytes));
  if (length > kJournalValueBytesMax) return {Element::Kind::kNoField, line + 1, {}};
  if (text.size() - value <= length) return {};
  const auto size = static_cast<std::size_t>(length);
  if (text[value + size] != '\n') return {Element::Kind::kNoField, line + 1, {}};
  return {Element::Kind::kField,
          value + size + 1,
          {.name = text.substr(0, line), .value = text.substr(value, size)}};
}

Element First(std::string_view text) {
  const std::size_t line = text.find('\n');
  if (line == kNone) return {};
  if (line == 0) return {Element::Kind::kEnd, 1, {}};
  const std::string_view whole = text.substr(0, line);
  const std::size_t equals = whole.find('=');
  if (equals == kNone) return BinaryField(text, line);
  if (equals == 0) return {Element::Kind::kNoField, line + 1, {}};
  return {Element::Kind::kField,
          line + 1,
          {.name = whole.substr(0, equals), .value = whole.substr(equals + 1)}};
}

// The code point at the front of `text`, its length in `*length`; nothing where it is not well-formed UTF-8.
std::optional<std::uint32_t> CodePoint(std::string_view text, std::size_t* length) {
  const auto first = static_cast<std::uint8_t>(text.front());
  *length = first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (*length == 0 || first > 0xF4 || *length > text.size()) return std::nullopt;
  std::uint32_t point = *length == 1 ? first : first & (0x7FU >> *length);
  for (std::size_t i = 1; i < *length; ++i) {
    const auto byte = static_cast<std::uint8_t>(text[i]);
    if ((byte & 0xC0) != 0x80) return std::nullopt;
    point = point << 6 | (byte & 0x3F);
  }
  constexpr std::uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (point < kSmallest[*length]) return std::nullopt;
  return point;
}

// systemd's idea of a code point that text may hold: no surrogate, no noncharacter, no control but TAB.
bool IsText(std::uint32_t point) {
  const bool exists = point < 0x110000 && (point & 0xFFFFF800) != 0xD800 &&
                      (point < 0xFDD0 || point > 0xFDEF) && (point & 0xFFFE) != 0xFFFE;
  const bool control = (point < ' ' && point != '\t') || (point >= 0x7F && point <= 0x9F);
  return exists && !control;
}

bool IsText(std::string_view value) {
  while (!value.empty()) {
    std::size_t length = 0;
    const std::optional<std::uint32_t> point = CodePoint(value, &length);
    if (!point || !IsText(*point)) return false;
    value.remove_prefix(length);
  }
  return true;
}

}  // namespace

std::optional<JournalField> JournalFields::Next() {
  while (!rest_.empty()) {
    const Element element = First(rest_);
    if (element.kind == Element::Kind::kCut) break;
    rest_.remove_prefix(element.size);
    if (element.kind == Element::Kind::kField) return element.field;
  }
  rest_ = {};
  return std::nullopt;
}

std::optional<std::string_view> FindJournalField(std::string_view entry, std::string_view name) {
  JournalFields fields(entry);
  while (const std::optional<JournalField> field = fields.Next()) {
    if (field->name == name) return field->value;
  }
  return std::nullopt;
}

std::optional<std::string> JournalLine(std::string_view entry) {
  std::optional<std::string_view> message, identifier, comm, pid, stated_pid;
  const auto take = [](std::optional<std::string_view>& first, std::string_view value) {
    if (!first) first = value;
  };
  JournalFields fields(entry);
  while (const std::optional<JournalField> field = fields.Next()) {
    if (field->name == "MESSAGE") take(message, field->value);
    if (field->name == "SYSLOG_IDENTIFIER") take(identifier, field->value);
    if (field->name == "_COMM") take(comm, field->value);
    if (field->name == "_PID") take(pid, field->value);
    if (field->name == "SYSLOG_PID") take(stated_pid, field->value);
  }
  if (!message) return std::nullopt;
  if (!identifier) identifier = comm;
  if (!pid) pid = stated_pid;
  std::string line(identifier.value_or(""));
  if (pid) line.append("[").append(*pid).append("]");
  if (!line.empty()) line += ": ";
  return line.append(*message);
}

void AppendJournalField(std::string_view name, std::string_view value, std::string& entry) {
  entry.append(name);
  if (IsText(value)) {
    entry.push_back('=');
  } else {
    entry.push_back('\n');
    for (std::size_t i = 0; i < kLengthBytes; ++i) {
      entry.push_back(static_cast<char>(std::uint64_t{value.size()} >> (8 * i) & 0xFF));
    }
  }
  entry.append(value);
  entry.push_back('\n');
}

std::size_t JournalEntryEnd(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const Element element = First(text.substr(at));
    if (element.kind == Element::Kind::kCut) return kNone;
    at += element.size;
    if (element.kind == Element::Kind::kEnd) return at;
  }
  return kNone;
}

std::size_t JournalEntryEndAnywhere(std::string_view text, bool* wait) {
  *wait = false;
  for (std::size_t at = 0; (at = text.find('\n', at)) != kNone; ++at) {
    if (at > 0 && text[at - 1] != '\n') continue;
    const std::string_view next = text.substr(at + 1, kFirstField.size());
    if (!kFirstField.starts_with(next)) continue;
    if (next.size() == kFirstField.size()) return at + 1;
    *wait = true;
    return kNone;
  }
  return kNone;
}

}  // namespace logvault::formats
