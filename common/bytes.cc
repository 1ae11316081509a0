#include "common/bytes.h"

#include "common/check.h"

namespace logvault {

void ByteWriter::BigEndian(std::uint64_t value, int size) {
  for (int shift = (size - 1) * 8; shift >= 0; shift -= 8)
    U8(static_cast<std::uint8_t>(value >> shift));
}

void ByteWriter::String16(std::string_view bytes) {
  LV_CHECK(bytes.size() <= UINT16_MAX);
  U16(static_cast<std::uint16_t>(bytes.size()));
  Bytes(bytes);
}

void ByteWriter::String32(std::string_view bytes) {
  LV_CHECK(bytes.size() <= UINT32_MAX);
  U32(static_cast<std::uint32_t>(bytes.size()));
  Bytes(bytes);
}

void ByteWriter::VarString(std::string_view bytes) {
  Varint(bytes.size());
  Bytes(bytes);
}

std::uint64_t ByteReader::BigEndian(std::size_t size) {
  std::uint64_t value = 0;
  for (char byte : Bytes(size)) value = value << 8 | static_cast<std::uint8_t>(byte);
  return value;
}

std::uint64_t ByteReader::LongVarint() {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    std::uint8_t byte = U8();
    if (shift == 63 && byte > 1) break;
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  Fail();
  return 0;
}

std::string ToHex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (char c : bytes) {
    hex.push_back(kDigits[static_cast<std::uint8_t>(c) >> 4]);
    hex.push_back(kDigits[static_cast<std::uint8_t>(c) & 15]);
  }
  return hex;
}

}  // namespace logvault
