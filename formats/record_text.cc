// A record's bytes as text that a person reads: UTF-16LE decoded, line end cut, invalid UTF-8
// replaced.
#include <cstdint>

#include "formats/fields.h"
#include "formats/utf16.h"

namespace logvault::formats {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr std::string_view kUtf16Mark = "\xFF\xFE";

std::uint8_t ByteAt(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint8_t>(bytes[at]);
}

std::uint32_t UnitAt(std::string_view bytes, std::size_t at) {
  return ByteAt(bytes, at) | static_cast<std::uint32_t>(ByteAt(bytes, at + 1)) << 8;
}

void AppendUtf8(std::uint32_t code_point, std::string& out) {
  const auto append = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code_point < 0x80) {
    append(code_point);
  } else if (code_point < 0x800) {
    append(0xC0 | code_point >> 6);
    append(0x80 | (code_point & 0x3F));
  } else if (code_point < 0x10000) {
    append(0xE0 | code_point >> 12);
    append(0x80 | (code_point >> 6 & 0x3F));
    append(0x80 | (code_point & 0x3F));
  } else {
    append(0xF0 | code_point >> 18);
    append(0x80 | (code_point >> 12 & 0x3F));
    append(0x80 | (code_point >> 6 & 0x3F));
    append(0x80 | (code_point & 0x3F));
  }
}

bool IsHighSurrogate(std::uint32_t unit) { return unit >= 0xD800 && unit < 0xDC00; }
bool IsLowSurrogate(std::uint32_t unit) { return unit >= 0xDC00 && unit < 0xE000; }

struct Sequence {
  std::size_t length;
  bool valid;
};

// The sequence at the front of `text`, valid or the longest part that begins a valid one (Unicode
// 15, table 3-7 and "U+FFFD substitution of maximal subparts").
Sequence FirstSequence(std::string_view text) {
  const std::uint8_t first = ByteAt(text, 0);
  if (first < 0x80) return {1, true};
  if (first < 0xC2 || first > 0xF4) return {1, false};
  const std::size_t wanted = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  std::uint8_t low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  std::uint8_t high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  std::size_t length = 1;
  while (length < wanted && length < text.size() && ByteAt(text, length) >= low &&
         ByteAt(text, length) <= high) {
    low = 0x80;
    high = 0xBF;
    ++length;
  }
  return {length, length == wanted};
}

void RemoveLineEnd(std::string& text) {
  if (!text.ends_with('\n')) return;
  text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
}

}  // namespace

std::string Utf16LeToUtf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  std::size_t at = 0;
  for (; at + 2 <= bytes.size(); at += 2) {
    const std::uint32_t unit = UnitAt(bytes, at);
    if (IsHighSurrogate(unit) && at + 4 <= bytes.size() && IsLowSurrogate(UnitAt(bytes, at + 2))) {
      AppendUtf8(0x10000 + ((unit - 0xD800) << 10) + (UnitAt(bytes, at + 2) - 0xDC00), out);
      at += 2;
    } else if (IsHighSurrogate(unit) || IsLowSurrogate(unit)) {
      out.append(kReplacement);
    } else {
      AppendUtf8(unit, out);
    }
  }
  if (at < bytes.size()) out.append(kReplacement);
  return out;
}

std::string RecordText(std::string_view bytes, bool utf16le) {
  if (utf16le && bytes.starts_with(kUtf16Mark)) bytes.remove_prefix(kUtf16Mark.size());
  std::string text = utf16le ? Utf16LeToUtf8(bytes) : std::string(bytes);
  RemoveLineEnd(text);
  return text;
}

std::string ToValidUtf8(std::string_view text, bool* changed) {
  std::string out;
  out.reserve(text.size());
  *changed = false;
  while (!text.empty()) {
    const Sequence sequence = FirstSequence(text);
    out.append(sequence.valid ? text.substr(0, sequence.length) : kReplacement);
    *changed = *changed || !sequence.valid;
    text.remove_prefix(sequence.length);
  }
  return out;
}

}  // namespace logvault::formats
