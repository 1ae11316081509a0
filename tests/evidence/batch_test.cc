// Batch and block headers: golden bytes, round trips, and every flipped bit noticed.
#include "evidence/batch.h"

#include <gtest/gtest.h>

#include "common/bytes.h"
#include "evidence/block.h"
#include "evidence/bodies.h"
#include "evidence/merkle.h"

namespace logvault::evidence {
namespace {

SigningKey EpochKey() { return *SigningKey::FromSeed(std::string(32, '\x05')); }
const std::string kSealKey(32, '\x06');

BatchHeader SomeHeader() {
  BatchHeader header;
  header.stream_id = StreamId("geo01", "geoserver");
  header.epoch = 0x0102030405060708;
  header.first_seq = 17;
  header.record_count = 3;
  header.seal_index = 9;
  header.read_time_first = 1'000;
  header.read_time_last = 2'000;
  header.event_time_min = 500;
  header.event_time_max = 900;
  header.stream_prev = Sha256("prev");
  header.records_root = Sha256("root");
  header.payload_hash = Sha256("payload");
  header.seen_size = 12;
  header.seen_root = Sha256("seen");
  return header;
}

TEST(BatchHeaderTest, FieldsStandWhereTheFormatSaysTheyDo) {
  std::string bytes = SealBatchHeader(SomeHeader(), kSealKey, EpochKey());
  ASSERT_EQ(bytes.size(), kBatchHeaderSize);
  EXPECT_EQ(bytes.substr(0, 16), "logvault/bat/v1\n");
  EXPECT_EQ(bytes.substr(16, 32), StreamId("geo01", "geoserver").view());
  EXPECT_EQ(ToHex(bytes.substr(48, 8)), "0102030405060708");
  EXPECT_EQ(ToHex(bytes.substr(56, 8)), "0000000000000011");
  EXPECT_EQ(ToHex(bytes.substr(64, 4)), "00000003");
  EXPECT_EQ(ToHex(bytes.substr(68, 4)), "00000009");
  EXPECT_EQ(ToHex(bytes.substr(72, 32)),
            "00000000000003e800000000000007d000000000000001f40000000000000384");
  EXPECT_EQ(bytes.substr(104, 32), Sha256("prev").view());
  EXPECT_EQ(bytes.substr(136, 32), Sha256("root").view());
  EXPECT_EQ(bytes.substr(168, 32), Sha256("payload").view());
  EXPECT_EQ(ToHex(bytes.substr(200, 8)), "000000000000000c");
  EXPECT_EQ(bytes.substr(208, 32), Sha256("seen").view());
  EXPECT_EQ(bytes.substr(240, 32), HmacSha256(kSealKey, bytes.substr(0, 240)).view());
  EXPECT_TRUE(VerifyEd25519(EpochKey().public_key(), bytes.substr(0, 272), bytes.substr(272)).ok());
}

TEST(BatchHeaderTest, AStreamIsNamedByHostAndSourceWithTheirLengths) {
  EXPECT_EQ(
      StreamId("geo01", "access"),
      Sha256(std::string_view("logvault/stream/v1\n\0\5geo01\0\6access", 19 + 2 + 5 + 2 + 6)));
  EXPECT_NE(StreamId("a", "bc"), StreamId("ab", "c"));
}

TEST(BatchHeaderTest, ReadsBackWhatItWrites) {
  BatchHeader header = SomeHeader();
  Result<BatchHeader> parsed = BatchHeader::Parse(SealBatchHeader(header, kSealKey, EpochKey()));
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  header.seal = parsed->seal;
  header.signature = parsed->signature;
  EXPECT_EQ(*parsed, header);
  EXPECT_EQ(parsed->last_seq(), 19u);
}

TEST(BatchHeaderTest, EveryFlippedBitBreaksTheSignature) {
  const std::string bytes = SealBatchHeader(SomeHeader(), kSealKey, EpochKey());
  EXPECT_TRUE(VerifyBatchSeal(bytes, kSealKey).ok());
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string altered = bytes;
    altered[bit / 8] = static_cast<char>(altered[bit / 8] ^ (1 << bit % 8));
    EXPECT_FALSE(VerifyBatchSignature(altered, EpochKey().public_key()).ok()) << "bit " << bit;
    EXPECT_EQ(VerifyBatchSeal(altered, kSealKey).ok(), bit / 8 >= kSignedSize) << "bit " << bit;
  }
}

TEST(BatchHeaderTest, RefusesWhatCannotBe) {
  auto refused = [](auto change) {
    BatchHeader header = SomeHeader();
    change(header);
    return !BatchHeader::Parse(SealBatchHeader(header, kSealKey, EpochKey())).ok();
  };
  EXPECT_FALSE(refused([](BatchHeader&) {}));
  EXPECT_TRUE(refused([](BatchHeader& h) { h.first_seq = 0; }));
  EXPECT_TRUE(refused([](BatchHeader& h) { h.record_count = 0; }));
  EXPECT_TRUE(refused([](BatchHeader& h) { h.first_seq = UINT64_MAX - 1; }));
  EXPECT_TRUE(refused([](BatchHeader& h) { h.read_time_last = h.read_time_first - 1; }));
  EXPECT_TRUE(refused([](BatchHeader& h) { h.event_time_max = h.event_time_min - 1; }));
  EXPECT_FALSE(BatchHeader::Parse("").ok());
  EXPECT_FALSE(BatchHeader::Parse(std::string(kBatchHeaderSize, 'x')).ok());
}

TEST(BlockHeaderTest, FieldsStandWhereTheFormatSaysTheyDo) {
  BlockHeader block{7, Sha256("prev"), 0x0a0b0c0d, BlockKind::kAlert, kFlagClock, "{}"};
  std::string bytes = block.Serialize();
  EXPECT_EQ(bytes.substr(0, 16), "logvault/blk/v1\n");
  EXPECT_EQ(ToHex(bytes.substr(16, 8)), "0000000000000007");
  EXPECT_EQ(bytes.substr(24, 32), Sha256("prev").view());
  EXPECT_EQ(ToHex(bytes.substr(56)),
            "000000000a0b0c0d"
            "0008"
            "0008"
            "00000002"
            "7b7d");
  Result<BlockHeader> parsed = BlockHeader::Parse(bytes);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(*parsed, block);
}

TEST(BlockHeaderTest, RefusesWhatCannotBe) {
  std::string bytes = BlockHeader{0, {}, 1, BlockKind::kGenesis, 0, "body"}.Serialize();
  EXPECT_FALSE(BlockHeader::Parse(bytes.substr(0, bytes.size() - 1)).ok());
  EXPECT_FALSE(BlockHeader::Parse(bytes + "x").ok());
  EXPECT_FALSE(BlockHeader::Parse(bytes.substr(0, 40)).ok());
  std::string unknown_kind = bytes;
  unknown_kind[65] = 99;
  EXPECT_FALSE(BlockHeader::Parse(unknown_kind).ok());
}

TEST(BodiesTest, ReadBackWhatTheyWrite) {
  GenesisBody genesis{"lab/12345678", std::string(32, 'v'), std::string(32, 'x'), 5,
                      "-----BEGIN CERTIFICATE-----\n"};
  EXPECT_EQ(*GenesisBody::Parse(genesis.Serialize()), genesis);
  for (const char* origin : {"", "lab/1 2", "lab+12345678", "lab\r12345678", "l\xC2\xA0 b"}) {
    GenesisBody unnameable = genesis;
    unnameable.origin = origin;
    EXPECT_FALSE(GenesisBody::Parse(unnameable.Serialize()).ok()) << origin;
  }
  StreamBody stream{"geo01", "access", "access", R"({"type":"file"})"};
  EXPECT_EQ(*StreamBody::Parse(stream.Serialize()), stream);
  KeyBody key{"geo01", 9, std::string(32, 'e'), Sha256("k0"), Sha256("box"), 8, "der", "signature"};
  EXPECT_EQ(*KeyBody::Parse(key.Serialize()), key);
  EXPECT_EQ(key.Serialize(), key.SignedBytes() + std::string("\0\x09signature", 11));
}

TEST(BodiesTest, AreRefusedCutOffAnywhere) {
  const std::string genesis =
      GenesisBody{"o", std::string(32, 'v'), std::string(32, 'x'), 5, "pem"}.Serialize();
  const std::string stream = StreamBody{"h", "s", "plain", "{}"}.Serialize();
  const std::string key =
      KeyBody{"h", 9, std::string(32, 'e'), {}, {}, 8, "der", "signature"}.Serialize();
  for (std::size_t size = 0; size < genesis.size(); ++size)
    EXPECT_FALSE(GenesisBody::Parse(genesis.substr(0, size)).ok());
  for (std::size_t size = 0; size < stream.size(); ++size)
    EXPECT_FALSE(StreamBody::Parse(stream.substr(0, size)).ok());
  for (std::size_t size = 0; size < key.size(); ++size)
    EXPECT_FALSE(KeyBody::Parse(key.substr(0, size)).ok());
}

TEST(BodiesTest, AStreamBodyCannotBorrowAnotherStreamsId) {
  std::string bytes = StreamBody{"geo01", "access", "access", "{}"}.Serialize();
  std::string other = StreamBody{"web01", "access", "access", "{}"}.Serialize();
  bytes.replace(16, 32, other.substr(16, 32));
  EXPECT_FALSE(StreamBody::Parse(bytes).ok());
}

TEST(BodiesTest, AnEpochFollowsTheOneBefore) {
  KeyBody key{"h", 9, std::string(32, 'e'), {}, {}, 9, "der", "signature"};
  EXPECT_FALSE(KeyBody::Parse(key.Serialize()).ok());
}

}  // namespace
}  // namespace logvault::evidence
