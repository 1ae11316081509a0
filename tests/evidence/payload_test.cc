// Payloads: what goes in comes out, and nothing false is accepted.
#include "evidence/payload.h"

#include <gtest/gtest.h>
#include <zstd.h>

#include <iostream>
#include <random>

#include "common/bytes.h"
#include "evidence/batch.h"
#include "evidence/merkle.h"

namespace logvault::evidence {
namespace {

struct OwnedRecord {
  UnixNanos event_time;
  UnixNanos read_time;
  std::uint32_t flags;
  std::string origin;
  std::string bytes;
  [[nodiscard]] RecordView view() const { return {event_time, read_time, flags, origin, bytes}; }
};

const std::string kKey(32, '\x0b');

OwnedRecord RandomRecord(std::mt19937_64& random) {
  static const std::string kOrigins[] = {"/var/log/syslog", "/var/log/syslog.1", "192.0.2.1:514",
                                         ""};
  OwnedRecord record;
  record.event_time = random() % 4 == 0 ? kNoTime : static_cast<UnixNanos>(random());
  record.read_time = static_cast<UnixNanos>(1'790'000'000'000'000'000 + random() % 1'000'000'000);
  record.flags = static_cast<std::uint32_t>(random() % 3);
  record.origin = kOrigins[random() % 4];
  record.bytes.resize(random() % 300);
  for (char& c : record.bytes) c = static_cast<char>(random());
  return record;
}

BatchHeader HeaderFor(const PayloadBuilder::Sealed& sealed, std::uint64_t first_seq) {
  BatchHeader header;
  header.first_seq = first_seq;
  header.record_count = sealed.record_count;
  header.payload_hash = sealed.payload_hash;
  header.records_root = sealed.records_root;
  header.read_time_first = sealed.read_time_first;
  header.read_time_last = sealed.read_time_last;
  header.event_time_min = sealed.event_time_min;
  header.event_time_max = sealed.event_time_max;
  return header;
}

TEST(PayloadTest, RandomBatchesComeBackAsTheyWere) {
  std::mt19937_64 random(7);
  PayloadBuilder builder;  // reused: Finish must leave nothing behind
  for (int round = 0; round < 200; ++round) {
    std::vector<OwnedRecord> records;
    std::string blob;
    for (std::size_t i = 0, n = 1 + random() % 40; i < n; ++i) {
      records.push_back(RandomRecord(random));
      blob += records.back().bytes;
      builder.Add(records.back().view());
    }
    std::vector<PositionEntry> position = {{"file 1", "at 7"}, {"", ""}, {"gone", ""}};
    std::uint64_t first_seq = 1 + random() % 1000;
    PayloadBuilder::Sealed sealed = builder.Finish(first_seq, kKey, position);
    EXPECT_EQ(builder.record_count(), 0u);

    Result<Payload> payload = OpenPayload(HeaderFor(sealed, first_seq), sealed.frame);
    ASSERT_TRUE(payload.ok()) << payload.status() << " in round " << round;
    ASSERT_EQ(payload->record_count(), records.size());
    EXPECT_EQ(payload->blob(), blob);
    EXPECT_EQ(payload->position(), position);
    for (std::uint32_t i = 0; i < records.size(); ++i) {
      RecordView got = payload->record(i);
      EXPECT_EQ(got.event_time, records[i].event_time);
      EXPECT_EQ(got.read_time, records[i].read_time);
      EXPECT_EQ(got.flags, records[i].flags);
      EXPECT_EQ(got.origin, records[i].origin);
      EXPECT_EQ(got.bytes, records[i].bytes);
    }
  }
}

PayloadBuilder::Sealed OneRecord(std::string_view bytes) {
  PayloadBuilder builder;
  builder.Add({5, 6, 0, "origin", bytes});
  return builder.Finish(1, kKey, {});
}

TEST(PayloadTest, EachStatementOfTheHeaderIsChecked) {
  PayloadBuilder::Sealed sealed = OneRecord("bytes");
  EXPECT_TRUE(OpenPayload(HeaderFor(sealed, 1), sealed.frame).ok());
  auto refused = [&](auto change) {
    BatchHeader header = HeaderFor(sealed, 1);
    change(header);
    return OpenPayload(header, sealed.frame).status().code() == StatusCode::kCorruption;
  };
  EXPECT_TRUE(refused([](BatchHeader& h) { h.payload_hash = Hash{}; }));
  EXPECT_TRUE(refused([](BatchHeader& h) { h.records_root = Hash{}; }));
  EXPECT_TRUE(refused([](BatchHeader& h) { h.first_seq = 2; }));
  EXPECT_TRUE(refused([](BatchHeader& h) { h.record_count = 2; }));
  EXPECT_TRUE(refused([](BatchHeader& h) { h.read_time_first = 0; }));
  EXPECT_TRUE(refused([](BatchHeader& h) { h.read_time_last = 99; }));
  EXPECT_TRUE(refused([](BatchHeader& h) { h.event_time_min = 0; }));
  EXPECT_TRUE(refused([](BatchHeader& h) { h.event_time_max = 99; }));
}

TEST(PayloadTest, ARecordsLeafBindsEverythingAboutIt) {
  const std::string salt(16, 's');
  const RecordView record{1, 2, 3, "origin", "bytes"};
  const Hash leaf = RecordLeaf(salt, 4, record);
  EXPECT_EQ(leaf, Sha256(std::string(1, '\0') + salt + std::string("\0\0\0\0\0\0\0\4", 8) +
                         std::string("\0\0\0\0\0\0\0\1", 8) + std::string("\0\0\0\0\0\0\0\2", 8) +
                         std::string("\0\0\0\3", 4) + std::string("\0\6", 2) + "originbytes"));
  EXPECT_NE(RecordLeaf(std::string(16, 't'), 4, record), leaf);
  EXPECT_NE(RecordLeaf(salt, 5, record), leaf);
  EXPECT_NE(RecordLeaf(salt, 4, {9, 2, 3, "origin", "bytes"}), leaf);
  EXPECT_NE(RecordLeaf(salt, 4, {1, 9, 3, "origin", "bytes"}), leaf);
  EXPECT_NE(RecordLeaf(salt, 4, {1, 2, 9, "origin", "bytes"}), leaf);
  EXPECT_NE(RecordLeaf(salt, 4, {1, 2, 3, "originb", "ytes"}), leaf);
  EXPECT_NE(RecordLeaf(salt, 4, {1, 2, 3, "origin", "bytez"}), leaf);
}

// NIST SP 800-38A has no zero IV; the oracle is: openssl enc -aes-256-ctr -K <0b x 32> -iv <0 x 16> over zeros.
TEST(PayloadTest, SaltsAreTheKeystreamOfTheBatchKey) {
  std::string salts = RecordSalts(kKey, 3);
  ASSERT_EQ(salts.size(), 48u);
  EXPECT_EQ(ToHex(salts),
            "ec11c65ab6b0486ddca68258c37aed23777747e43e7ecacb07b43df28d5780e928da41f3819b8ca1d2b0dc"
            "1d3dd8b21c");
  EXPECT_EQ(RecordSalts(kKey, 2), salts.substr(0, 32));
}

TEST(PayloadTest, ABombIsRefusedBeforeItUnpacks) {
  std::string zeros(kMaxPayloadSize + 1, '\0');
  std::string frame(ZSTD_compressBound(zeros.size()), '\0');
  frame.resize(ZSTD_compress(frame.data(), frame.size(), zeros.data(), zeros.size(), 1));
  EXPECT_LT(frame.size(), 10'000u);
  EXPECT_NE(Payload::Parse(frame).status().message().find("more than 20 MiB"), std::string::npos);
}

TEST(PayloadTest, ARecordOfTheGreatestSizeFits) {
  std::string bytes(kMaxRecordSize, 'x');
  PayloadBuilder::Sealed sealed = OneRecord(bytes);
  Result<Payload> payload = OpenPayload(HeaderFor(sealed, 1), sealed.frame);
  ASSERT_TRUE(payload.ok()) << payload.status();
  EXPECT_EQ(payload->record(0).bytes, bytes);
}

// Columns made by hand, so that each check of the parser has its case.
std::string Columns(std::string_view hex_columns, std::string_view blob) {
  std::string bytes;
  for (std::size_t i = 0; i < hex_columns.size(); i += 2) {
    bytes.push_back(
        static_cast<char>(std::stoi(std::string(hex_columns.substr(i, 2)), nullptr, 16)));
  }
  bytes += kKey;
  bytes += '\0';  // no position entries
  bytes += blob;
  std::string frame(ZSTD_compressBound(bytes.size()), '\0');
  frame.resize(ZSTD_compress(frame.data(), frame.size(), bytes.data(), bytes.size(), 1));
  return frame;
}

TEST(PayloadTest, EveryColumnMustAgree) {
  //            version count length event read flags(value,more) origins("o") origin(value,more)
  EXPECT_TRUE(Payload::Parse(Columns("01"
                                     "01"
                                     "03"
                                     "00"
                                     "00"
                                     "0000"
                                     "01016f"
                                     "0000",
                                     "abc"))
                  .ok());
  EXPECT_FALSE(Payload::Parse(Columns("02"
                                      "01"
                                      "03"
                                      "00"
                                      "00"
                                      "0000"
                                      "01016f"
                                      "0000",
                                      "abc"))
                   .ok())
      << "version";
  EXPECT_FALSE(Payload::Parse(Columns("01"
                                      "00"
                                      "03"
                                      "00"
                                      "00"
                                      "0000"
                                      "01016f"
                                      "0000",
                                      "abc"))
                   .ok())
      << "no record";
  EXPECT_FALSE(Payload::Parse(Columns("01"
                                      "7f"
                                      "03"
                                      "00"
                                      "00"
                                      "0000"
                                      "01016f"
                                      "0000",
                                      "abc"))
                   .ok())
      << "count";
  EXPECT_FALSE(Payload::Parse(Columns("01"
                                      "01"
                                      "04"
                                      "00"
                                      "00"
                                      "0000"
                                      "01016f"
                                      "0000",
                                      "abc"))
                   .ok())
      << "length";
  EXPECT_FALSE(Payload::Parse(Columns("01"
                                      "01"
                                      "02"
                                      "00"
                                      "00"
                                      "0000"
                                      "01016f"
                                      "0000",
                                      "abc"))
                   .ok())
      << "blob over";
  EXPECT_FALSE(Payload::Parse(Columns("01"
                                      "01"
                                      "03"
                                      "00"
                                      "00"
                                      "0001"
                                      "01016f"
                                      "0000",
                                      "abc"))
                   .ok())
      << "flags run over";
  EXPECT_FALSE(Payload::Parse(Columns("01"
                                      "01"
                                      "03"
                                      "00"
                                      "00"
                                      "0000"
                                      "00"
                                      "0000",
                                      "abc"))
                   .ok())
      << "no origin";
  EXPECT_FALSE(Payload::Parse(Columns("01"
                                      "01"
                                      "03"
                                      "00"
                                      "00"
                                      "0000"
                                      "01016f"
                                      "0100",
                                      "abc"))
                   .ok())
      << "origin index";
  EXPECT_FALSE(Payload::Parse(Columns("01"
                                      "01"
                                      "03"
                                      "00"
                                      "00"
                                      "ffffffffff0100"
                                      "01016f"
                                      "0000",
                                      "abc"))
                   .ok())
      << "flags";
}

TEST(PayloadTest, EveryFlippedBitOfTheFrameIsRefused) {
  PayloadBuilder::Sealed sealed = OneRecord("some bytes of a record");
  BatchHeader header = HeaderFor(sealed, 1);
  for (std::size_t bit = 0; bit < sealed.frame.size() * 8; ++bit) {
    std::string altered = sealed.frame;
    altered[bit / 8] = static_cast<char>(altered[bit / 8] ^ (1 << bit % 8));
    EXPECT_FALSE(OpenPayload(header, altered).ok()) << "bit " << bit;
  }
}

}  // namespace
}  // namespace logvault::evidence
