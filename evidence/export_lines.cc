#include "evidence/export_lines.h"

#include <charconv>
#include <optional>

#include "common/bytes.h"
#include "evidence/decimal.h"
#include "evidence/payload.h"

namespace logvault::evidence {
namespace {

bool IsHexDigit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }
bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

// Reads the one spelling that a line has, from the front.  A mismatch makes it fail for good.
class LineReader {
 public:
  explicit LineReader(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool Done() const { return ok_ && rest_.empty(); }
  [[nodiscard]] std::string_view rest() const { return rest_; }

  LineReader& Text(std::string_view expected) {
    if (!rest_.starts_with(expected)) return Fail();
    rest_.remove_prefix(expected.size());
    return *this;
  }
  // Whether `text` stands next; takes it where it does.
  bool Maybe(std::string_view text) {
    if (!ok_ || !rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  LineReader& Number(std::uint64_t& value) {
    const std::string_view digits = TakeWhile([](char c) { return c >= '0' && c <= '9'; });
    return ParseDecimal(digits, value) ? *this : Fail();
  }
  LineReader& SignedNumber(std::int64_t& value) {
    const std::string_view text =
        TakeWhile([](char c) { return (c >= '0' && c <= '9') || c == '-'; });
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = error == std::errc() && end == text.data() + text.size();
    return whole && std::to_string(value) == text ? *this : Fail();
  }
  LineReader& Hex(std::size_t size, std::string& bytes) {
    const std::string_view digits = TakeWhile(IsHexDigit);
    if (digits.size() != 2 * size) return Fail();
    bytes.clear();
    for (std::size_t i = 0; i < digits.size(); i += 2) {
      unsigned value = 0;
      std::from_chars(digits.data() + i, digits.data() + i + 2, value, 16);
      bytes.push_back(static_cast<char>(value));
    }
    return *this;
  }
  LineReader& HashValue(Hash& hash) {
    std::string bytes;
    if (Hex(kHashSize, bytes).ok()) hash = *Hash::FromBytes(bytes);
    return *this;
  }
  LineReader& Base64(std::string& bytes) {
    const std::string_view text = TakeWhile([](char c) { return c != '"'; });
    Result<std::string> decoded = FromBase64(text);
    if (!decoded.ok()) return Fail();
    bytes = *std::move(decoded);
    return *this;
  }
  LineReader& Name(std::string& name) {
    name = std::string(TakeWhile(IsNameCharacter));
    return name.empty() || name.size() > 63 ? Fail() : *this;
  }

 private:
  template <typename Belongs>
  std::string_view TakeWhile(Belongs belongs) {
    std::size_t size = 0;
    while (size < rest_.size() && belongs(rest_[size])) ++size;
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  LineReader& Fail() {
    ok_ = false;
    rest_ = {};
    return *this;
  }

  std::string_view rest_;
  bool ok_ = true;
};

std::string Pair(std::uint64_t a, std::uint64_t b) {
  return "[" + std::to_string(a) + "," + std::to_string(b) + "]";
}

struct LineWriter {
  std::string operator()(const PrunedLine& line) const {
    return "{\"pruned\":" + Pair(line.first, line.count) + ",\"hash\":\"" + line.hash.Hex() + "\"}";
  }
  std::string operator()(const BlockLine& line) const {
    return "{\"block\":" + std::to_string(line.index) + ",\"bytes\":\"" + ToBase64(line.bytes) +
           (line.contents ? "\",\"contents\":true}" : "\"}");
  }
  std::string operator()(const WithheldLine& line) const {
    return "{\"withheld\":" + Pair(line.first_seq, line.count) + ",\"hash\":\"" + line.hash.Hex() +
           "\"}";
  }
  std::string operator()(const RedactedLine& line) const {
    return "{\"redacted\":" + std::to_string(line.seq) + ",\"hash\":\"" + line.hash.Hex() + "\"}";
  }
  std::string operator()(const ShownLine& line) const {
    return "{\"shown\":" + Pair(line.first_seq, line.count) + "}";
  }
};

void ReadPair(LineReader& reader, std::uint64_t& a, std::uint64_t& b) {
  reader.Text("[").Number(a).Text(",").Number(b).Text("]");
}

std::optional<ExportLine> ReadLine(LineReader& reader) {
  if (reader.Maybe("{\"pruned\":")) {
    PrunedLine line;
    ReadPair(reader, line.first, line.count);
    reader.Text(",\"hash\":\"").HashValue(line.hash).Text("\"}");
    return line;
  }
  if (reader.Maybe("{\"block\":")) {
    BlockLine line;
    reader.Number(line.index).Text(",\"bytes\":\"").Base64(line.bytes).Text("\"");
    line.contents = reader.Maybe(",\"contents\":true");
    reader.Text("}");
    return line;
  }
  if (reader.Maybe("{\"withheld\":")) {
    WithheldLine line;
    ReadPair(reader, line.first_seq, line.count);
    reader.Text(",\"hash\":\"").HashValue(line.hash).Text("\"}");
    return line;
  }
  if (reader.Maybe("{\"redacted\":")) {
    RedactedLine line;
    reader.Number(line.seq).Text(",\"hash\":\"").HashValue(line.hash).Text("\"}");
    return line;
  }
  if (reader.Maybe("{\"shown\":")) {
    ShownLine line;
    ReadPair(reader, line.first_seq, line.count);
    reader.Text("}");
    return line;
  }
  return std::nullopt;
}

}  // namespace

std::string Serialize(const ExportLine& line) { return std::visit(LineWriter{}, line); }

Result<ExportLine> ParseExportLine(std::string_view text) {
  LineReader reader(text);
  std::optional<ExportLine> line = ReadLine(reader);
  if (!line || !reader.Done()) return Corruption("not a line as it must be spelt");
  return *std::move(line);
}

std::string RecordLine::Serialize() const {
  return "{\"host\":\"" + host + "\",\"source\":\"" + source + "\",\"seq\":" + std::to_string(seq) +
         ",\"block\":" + std::to_string(block) +
         ",\"event_time\":" + (event_time == kNoTime ? "null" : std::to_string(event_time)) +
         ",\"read_time\":" + std::to_string(read_time) + ",\"flags\":" + std::to_string(flags) +
         ",\"salt\":\"" + ToHex(salt) + "\",\"leaf\":\"" + leaf.Hex() +
         "\",\"offset\":" + std::to_string(offset) + ",\"size\":" + std::to_string(size) +
         ",\"origin_base64\":\"" + ToBase64(origin) + "\"";
}

Result<RecordLine> RecordLine::Parse(std::string_view& text) {
  RecordLine line;
  LineReader reader(text);
  reader.Text("{\"host\":\"").Name(line.host).Text("\",\"source\":\"").Name(line.source);
  reader.Text("\",\"seq\":").Number(line.seq).Text(",\"block\":").Number(line.block);
  reader.Text(",\"event_time\":");
  if (!reader.Maybe("null")) {
    reader.SignedNumber(line.event_time);
    if (line.event_time == kNoTime) return Corruption("not a line as it must be spelt");
  }
  std::uint64_t flags = 0;
  reader.Text(",\"read_time\":").SignedNumber(line.read_time);
  reader.Text(",\"flags\":").Number(flags);
  reader.Text(",\"salt\":\"").Hex(kSaltSize, line.salt);
  reader.Text("\",\"leaf\":\"").HashValue(line.leaf);
  reader.Text("\",\"offset\":").Number(line.offset).Text(",\"size\":").Number(line.size);
  reader.Text(",\"origin_base64\":\"").Base64(line.origin).Text("\"");
  if (!reader.ok() || flags > UINT32_MAX || line.size > kMaxRecordSize ||
      line.origin.size() > kMaxOriginSize) {
    return Corruption("not a line as it must be spelt");
  }
  line.flags = static_cast<std::uint32_t>(flags);
  text = reader.rest();
  return line;
}

}  // namespace logvault::evidence
