// The byte codec: what is written reads back, and nothing is read that is not there.
#include "common/bytes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace logvault {
namespace {

using ::testing::HasSubstr;

std::string Varint(std::uint64_t value) {
  std::string bytes;
  ByteWriter(bytes).Varint(value);
  return bytes;
}

TEST(BytesTest, IntegersAreBigEndian) {
  std::string bytes;
  ByteWriter writer(bytes);
  writer.U8(0x01);
  writer.U16(0x0203);
  writer.U32(0x04050607);
  writer.U64(0x08090a0b0c0d0e0f);
  writer.I64(-2);
  EXPECT_EQ(ToHex(bytes), "0102030405060708090a0b0c0d0e0ffffffffffffffffe");

  ByteReader reader(bytes);
  EXPECT_EQ(reader.U8(), 0x01);
  EXPECT_EQ(reader.U16(), 0x0203);
  EXPECT_EQ(reader.U32(), 0x04050607u);
  EXPECT_EQ(reader.U64(), 0x08090a0b0c0d0e0fu);
  EXPECT_EQ(reader.I64(), -2);
  EXPECT_TRUE(reader.Done());
}

TEST(BytesTest, VarintsHaveTheBytesOfLeb128) {
  EXPECT_EQ(ToHex(Varint(0)), "00");
  EXPECT_EQ(ToHex(Varint(127)), "7f");
  EXPECT_EQ(ToHex(Varint(128)), "8001");
  EXPECT_EQ(ToHex(Varint(300)), "ac02");
  EXPECT_EQ(ToHex(Varint(std::numeric_limits<std::uint64_t>::max())), "ffffffffffffffffff01");
}

TEST(BytesTest, AVarintOfMoreThan64BitsFails) {
  const std::string eleven_bytes = std::string(10, '\x80') + '\x01';
  ByteReader eleven(eleven_bytes);
  eleven.Varint();
  EXPECT_FALSE(eleven.ok());

  const std::string bit_64 = std::string(9, '\xff') + '\x02';
  ByteReader wide(bit_64);
  wide.Varint();
  EXPECT_FALSE(wide.ok());
}

TEST(BytesTest, SignedVarintsAreZigzagAndReadBackAtTheLimits) {
  for (std::int64_t value :
       {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1}, std::int64_t{-64},
        std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()}) {
    std::string bytes;
    ByteWriter(bytes).SignedVarint(value);
    ByteReader reader(bytes);
    EXPECT_EQ(reader.SignedVarint(), value);
    EXPECT_TRUE(reader.Done());
  }
  std::string minus_one;
  ByteWriter(minus_one).SignedVarint(-1);
  EXPECT_EQ(ToHex(minus_one), "01");
}

TEST(BytesTest, StringsCarryTheirLength) {
  std::string bytes;
  ByteWriter writer(bytes);
  writer.String16("ab");
  writer.String32(std::string_view("\0c", 2));
  writer.VarString("");
  EXPECT_EQ(ToHex(bytes), "0002616200000002006300");

  ByteReader reader(bytes);
  EXPECT_EQ(reader.String16(), "ab");
  EXPECT_EQ(reader.String32(), std::string_view("\0c", 2));
  EXPECT_EQ(reader.VarString(), "");
  EXPECT_TRUE(reader.Done());
}

TEST(BytesTest, AReadPastTheEndAnswersNothingFromThenOn) {
  ByteReader reader("\x01\x02\x03");
  EXPECT_EQ(reader.U32(), 0u);
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.U8(), 0);
  EXPECT_EQ(reader.rest(), "");
  EXPECT_FALSE(reader.Done());
}

TEST(BytesTest, ALengthLargerThanWhatIsThereIsNoRead) {
  ByteReader reader(std::string_view("\xff\xff\xff\xff\x61", 5));
  EXPECT_EQ(reader.String32(), "");
  EXPECT_FALSE(reader.ok());
}

TEST(BytesTest, DoneIsFalseWhileBytesAreLeft) {
  ByteReader reader("ab");
  reader.U8();
  EXPECT_TRUE(reader.ok());
  EXPECT_FALSE(reader.Done());
}

TEST(BytesTest, AnyTruncationOfARandomMessageIsNoticed) {
  const std::uint64_t seed = std::random_device()();
  RecordProperty("seed", std::to_string(seed));
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 200; ++round) {
    const std::uint64_t number = random() >> (random() % 64);
    const auto signed_number = static_cast<std::int64_t>(random()) >> (random() % 64);
    const std::string text(random() % 300, static_cast<char>(random()));
    std::string bytes;
    ByteWriter writer(bytes);
    writer.Varint(number);
    writer.SignedVarint(signed_number);
    writer.VarString(text);
    for (std::size_t size = 0; size <= bytes.size(); ++size) {
      ByteReader reader(std::string_view(bytes).substr(0, size));
      const bool same = reader.Varint() == number && reader.SignedVarint() == signed_number &&
                        reader.VarString() == text;
      EXPECT_EQ(reader.Done(), size == bytes.size());
      EXPECT_TRUE(same || !reader.ok());
    }
  }
}

TEST(BytesTest, ToHexIsLowerCaseAndKeepsEveryByte) {
  EXPECT_EQ(ToHex(std::string_view("\x00\x7f\x80\xff", 4)), "007f80ff");
  EXPECT_EQ(ToHex(""), "");
}

TEST(BytesDeathTest, AnOverlongString16IsOurBug) {
  std::string bytes;
  EXPECT_DEATH(ByteWriter(bytes).String16(std::string(65536, 'x')), HasSubstr("check failed"));
}

}  // namespace
}  // namespace logvault
