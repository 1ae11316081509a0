// Byte codec: big-endian integers, LEB128 varints and length-prefixed strings, written to a string and
// read from a view.  Byte strings are std::string and std::string_view throughout logvault.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace logvault {

class ByteWriter {
 public:
  // `out` must outlive the writer; bytes are appended to it.
  explicit ByteWriter(std::string& out) : out_(out) {}

  void U8(std::uint8_t value) { out_.push_back(static_cast<char>(value)); }
  void U16(std::uint16_t value) { BigEndian(value, 2); }
  void U32(std::uint32_t value) { BigEndian(value, 4); }
  void U64(std::uint64_t value) { BigEndian(value, 8); }
  void I64(std::int64_t value) { BigEndian(static_cast<std::uint64_t>(value), 8); }
  void Varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) U8(static_cast<std::uint8_t>(value | 0x80));
    U8(static_cast<std::uint8_t>(value));
  }
  // Zigzag: small magnitudes of either sign are short.
  void SignedVarint(std::int64_t value) {
    Varint((static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
  }
  void Bytes(std::string_view bytes) { out_.append(bytes); }
  // u16 length, bytes.  REQUIRES: at most 65,535 bytes.
  void String16(std::string_view bytes);
  // u32 length, bytes.
  void String32(std::string_view bytes);
  // Varint length, bytes.
  void VarString(std::string_view bytes);

 private:
  void BigEndian(std::uint64_t value, int size);

  std::string& out_;
};

// Reads from the front of a view.  A read past the end, or an over-long varint, makes the reader fail: it
// then answers zeros and empty views, and ok() is false, so that a parser checks once, at its end.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  std::uint8_t U8() {
    if (rest_.empty()) {
      Fail();
      return 0;
    }
    return TakeByte();
  }
  std::uint16_t U16() { return static_cast<std::uint16_t>(BigEndian(2)); }
  std::uint32_t U32() { return static_cast<std::uint32_t>(BigEndian(4)); }
  std::uint64_t U64() { return BigEndian(8); }
  std::int64_t I64() { return static_cast<std::int64_t>(BigEndian(8)); }
  std::uint64_t Varint() {
    if (rest_.empty() || static_cast<std::uint8_t>(rest_.front()) >= 0x80) return LongVarint();
    return TakeByte();
  }
  std::int64_t SignedVarint() {
    const std::uint64_t value = Varint();
    return static_cast<std::int64_t>((value >> 1) ^ (~(value & 1) + 1));
  }
  std::string_view Bytes(std::uint64_t size) {
    if (size > rest_.size()) {
      Fail();
      return {};
    }
    const std::string_view bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return bytes;
  }
  std::string_view String16() { return Bytes(U16()); }
  std::string_view String32() { return Bytes(U32()); }
  std::string_view VarString() { return Bytes(Varint()); }

  [[nodiscard]] std::string_view rest() const { return rest_; }
  [[nodiscard]] bool ok() const { return ok_; }
  // Everything was read and nothing was missing.
  [[nodiscard]] bool Done() const { return ok_ && rest_.empty(); }
  void Fail() {
    ok_ = false;
    rest_ = {};
  }

 private:
  std::uint8_t TakeByte() {
    const auto byte = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return byte;
  }
  std::uint64_t BigEndian(std::size_t size);
  std::uint64_t LongVarint();

  std::string_view rest_;
  bool ok_ = true;
};

// Lower-case hexadecimal.
std::string ToHex(std::string_view bytes);

}  // namespace logvault
