// Random records of several formats, and random queries that are often true of some of them.
#pragma once

#include <array>
#include <random>
#include <string>
#include <vector>

#include "formats/fields.h"
#include "tests/query/index_fixture.h"

namespace logvault::query {

// Text of few letters, so that random literals are found, with everything tokens are cut at and made of.
class RandomRecords {
 public:
  explicit RandomRecords(std::uint64_t seed) : random_(seed) {}

  std::size_t Below(std::size_t n) { return random_() % n; }

  std::string Piece() {
    static const std::vector<std::string> kPieces = {
        "a",
        "b",
        "ab",
        "Z",
        "z",
        "1",
        "12",
        ".",
        "..",
        " ",
        " ",
        "=",
        "\"",
        "%",
        "_",
        "-",
        "/",
        ":",
        "::",
        "\\",
        "\xC3",
        "\xA9",
        std::string(1, '\0'),
        "10.0.0.1",
        "10.0.0.12",
        "1.2",
        "fe80::1",
        "::ffff:a00:1",
        "%61",
        "612062",
        "0x1F",
        "a1[0]=",
        "\\u0061",
        "saddr=02000050",
        "0A000001",
        "d41d8cd98f00b204e9800998ecf8427e",
        "T08",
        "msg=",
        "\t",
        "é",
    };
    return kPieces[Below(kPieces.size())];
  }
  std::string Text(std::size_t pieces) {
    std::string text;
    for (std::size_t i = 0; i < pieces; ++i) text += Piece();
    if (Below(40) == 0) text += std::string(kMaxTokenBytes - 1 + Below(3), 'a');
    return text;
  }

  IndexedBlock Block() {
    static constexpr std::array kSome = {formats::Format::kPlain,  formats::Format::kAuditd,
                                         formats::Format::kAccess, formats::Format::kJson,
                                         formats::Format::kSyslog, formats::Format::kGeoserver};
    IndexedBlock block;
    block.format = kSome[Below(kSome.size())];
    for (std::size_t i = 0, n = 1 + Below(4); i < n; ++i) {
      std::string bytes = Framed(block.format);
      if (Below(3) > 0) bytes += '\n';
      block.records.push_back({bytes, Below(8) == 0 ? evidence::kRecordUtf16Le : 0});
    }
    return block;
  }

  // An expression that is often true of some record of `blocks`.
  std::string Expression(const std::vector<IndexedBlock>& blocks, int depth = 0) {
    const std::size_t kind = depth > 2 ? Below(4) : Below(8);
    if (kind == 4)
      return "(" + Expression(blocks, depth + 1) + " or " + Expression(blocks, depth + 1) + ")";
    if (kind == 5)
      return "(" + Expression(blocks, depth + 1) + " " + Expression(blocks, depth + 1) + ")";
    if (kind == 6) return "not " + Expression(blocks, depth + 1);
    if (kind == 7) return Field(blocks);
    if (kind == 3) return Below(2) == 0 ? "10.0.0.1" : "10.0.0.0/28";
    return Quoted(Slice(blocks));
  }

 private:
  // Something of the format's own around the text, so that there are fields.
  std::string Framed(formats::Format format) {
    const std::string text = Text(1 + Below(10));
    switch (format) {
      case formats::Format::kAuditd:
        return "type=EXECVE msg=audit(1.000:7): argc=1 a0=" + text + " comm=" + Text(2) +
               " saddr=02000050" + (Below(2) == 0 ? "0A000001" : "0A00000C");
      case formats::Format::kAccess:
        return "10.0.0." + std::to_string(Below(20)) + " - " + Text(1) +
               " [11/Jul/2024:08:00:00 +0000] \"GET /" + text + " HTTP/1.1\" 200 5";
      case formats::Format::kJson:
        return "{\"user\":\"" + Text(1 + Below(3)) + "\",\"src.ip\":\"10.0.0.1\"}";
      default:
        return text;
    }
  }
  // A piece of a record, or of a field's value.
  std::string Slice(const std::vector<IndexedBlock>& blocks) {
    if (Below(5) == 0) return Text(1 + Below(3));
    const IndexedBlock& block = blocks[Below(blocks.size())];
    const std::string& bytes = block.records[Below(block.records.size())].bytes;
    const std::size_t begin = Below(bytes.size());
    std::string slice = bytes.substr(begin, 1 + Below(8));
    return slice.empty() ? "a" : slice;
  }
  std::string Field(const std::vector<IndexedBlock>& blocks) {
    const IndexedBlock& block = blocks[Below(blocks.size())];
    const IndexedRecord& record = block.records[Below(block.records.size())];
    const formats::Fields fields = formats::ParseFields(
        block.format,
        formats::RecordText(record.bytes, (record.flags & evidence::kRecordUtf16Le) != 0));
    if (fields.empty()) return Quoted(Slice(blocks));
    const formats::Field& field = fields[Below(fields.size())];
    // A name with other bytes than a name's cannot be written in a query.
    for (const char c : field.name) {
      if (IsTokenByte(c) ? static_cast<std::uint8_t>(c) >= 0x80 : c != '-')
        return Quoted(Slice(blocks));
    }
    if (field.value.empty() || !IsFieldName(field.name)) return Quoted(Slice(blocks));
    const std::size_t begin = Below(field.value.size());
    if (Below(2) == 0) return field.name + "=" + Quoted(field.value);
    return field.name + ":" + Quoted(field.value.substr(begin, 1 + Below(6)));
  }
  static std::string Quoted(const std::string& text) {
    std::string quoted = "\"";
    for (const char c : text) {
      if (c == '"' || c == '\\') quoted += '\\';
      quoted += c;
    }
    return quoted + "\"";
  }

  std::mt19937_64 random_;
};

}  // namespace logvault::query
