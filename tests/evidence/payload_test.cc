// Payloads: what goes in comes out, and nothing false is accepted.
#include "evidence/payload.h"

#include <gtest/gtest.h>
#include <zstd.h>

#include <iostream>
#include <random>

#include "common/bytes.h"
#include "evidence/batch.h"
#include "evidence/merkle.h"
#include "tests/support/payload_header.h"

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
  for (char& c : record.bytes) c = static_cast<char>(random() % 8 == 0 ? '\n' : random());
  if (random() % 2 == 0) record.bytes += '\n';
  return record;
}

TEST(PayloadTest, RandomBatchesComeBackAsTheyWere) {
  std::mt19937_64 random(7);
  PayloadBuilder builder;  // reused: Finish must leave nothing behind
  for (int round = 0; round < 200; ++round) {
    std::vector<OwnedRecord> records;
    std::string blob;
    // Few; so many that the columns are put before the bytes; and so many that there is no room for them.
    static constexpr std::size_t kMost[] = {40, 40, 40, 40, 40, 40, 900, 12'000};
    for (std::size_t i = 0, n = 1 + random() % kMost[random() % std::size(kMost)]; i < n; ++i) {
      records.push_back(RandomRecord(random));
      blob += records.back().bytes;
      builder.Add(records.back().view());
    }
    std::vector<PositionEntry> position = {{"file 1", "at 7"}, {"", ""}, {"gone", ""}};
    std::uint64_t first_seq = 1 + random() % 1000;
    PayloadBuilder::Sealed sealed = builder.Finish(first_seq, kKey, position);
    EXPECT_EQ(builder.record_count(), 0u);

    Result<Payload> payload = OpenPayload(HeaderFor(sealed, first_seq), sealed.frame, {});
    ASSERT_TRUE(payload.ok()) << payload.status() << " in round " << round;
    ASSERT_EQ(payload->record_count(), records.size());
    ASSERT_TRUE(payload->blob() == blob);
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

// Many leaves are hashed several at a time; here each is by itself, some longer than what is hashed so.
TEST(PayloadTest, TheRootOfALargeBatchIsThatOfItsRecordsLeaves) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 5; ++round) {
    PayloadBuilder builder;
    std::vector<OwnedRecord> records;
    for (int i = 0; i < 700; ++i) {
      records.push_back(RandomRecord(random));
      if (random() % 100 == 0) records.back().bytes.resize(64'000 + random() % 60'000);
      builder.Add(records.back().view());
    }
    const std::string salts = RecordSalts(kKey, 700);
    CompactTree tree;
    for (std::uint32_t i = 0; i < records.size(); ++i) {
      tree.Append(RecordLeaf(std::string_view(salts).substr(i * kSaltSize, kSaltSize), 40 + i,
                             records[i].view()));
    }
    const PayloadBuilder::Sealed sealed = builder.Finish(40, kKey, {});
    EXPECT_EQ(sealed.records_root, tree.Root());
    EXPECT_TRUE(OpenPayload(HeaderFor(sealed, 40), sealed.frame, {}).ok());
  }
}

PayloadBuilder::Sealed OneRecord(std::string_view bytes) {
  PayloadBuilder builder;
  builder.Add({5, 6, 0, "origin", bytes});
  return builder.Finish(1, kKey, {});
}

TEST(PayloadTest, EachStatementOfTheHeaderIsChecked) {
  PayloadBuilder::Sealed sealed = OneRecord("bytes");
  EXPECT_TRUE(OpenPayload(HeaderFor(sealed, 1), sealed.frame, {}).ok());
  auto refused = [&](auto change) {
    BatchHeader header = HeaderFor(sealed, 1);
    change(header);
    return OpenPayload(header, sealed.frame, {}).status().code() == StatusCode::kCorruption;
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
  EXPECT_NE(Payload::Parse(frame, {}).status().message().find("more than 20 MiB"),
            std::string::npos);
}

TEST(PayloadTest, ARecordOfTheGreatestSizeFits) {
  std::string bytes(kMaxRecordSize, 'x');
  PayloadBuilder::Sealed sealed = OneRecord(bytes);
  Result<Payload> payload = OpenPayload(HeaderFor(sealed, 1), sealed.frame, {});
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

// What a payload's columns say of its one record "abc" or two lines, as hexadecimal digits.
struct ColumnsCase {
  const char* what;
  const char* version = "02";
  const char* count = "01";
  const char* ends = "0003";  // by size: 3 bytes
  const char* event_times = "00";
  const char* read_times = "00";
  const char* flags = "0000";      // value, how many times more
  const char* origins = "01016f";  // one: "o"
  const char* origin = "0000";
  const char* blob = "abc";
};

Result<Payload> ParsedCase(const ColumnsCase& c) {
  return Payload::Parse(Columns(std::string(c.version) + c.count + c.ends + c.event_times +
                                    c.read_times + c.flags + c.origins + c.origin,
                                c.blob),
                        {});
}

TEST(PayloadTest, EveryColumnMustAgree) {
  EXPECT_TRUE(ParsedCase({.what = "sound"}).ok());
  EXPECT_TRUE(ParsedCase({.what = "a line", .ends = "01", .blob = "ab\n"}).ok());
  EXPECT_TRUE(ParsedCase({.what = "two lines", .ends = "02", .blob = "a\nb\n"}).ok());
  const ColumnsCase cases[] = {
      {.what = "an older version", .version = "01"},
      {.what = "a newer version", .version = "03"},
      {.what = "no record", .count = "00"},
      {.what = "count", .count = "7f"},
      {.what = "a size beyond the blob", .ends = "0004"},
      {.what = "a size short of the blob", .ends = "0002"},
      {.what = "a line that the blob has not", .ends = "02", .blob = "ab\n"},
      {.what = "a line that does not end", .ends = "01"},
      {.what = "bytes behind the last line", .ends = "01", .blob = "ab\nc"},
      {.what = "lines beyond 32 bits", .ends = "ffffffffff01", .blob = "ab\n"},
      {.what = "a size beyond 32 bits", .ends = "00ffffffffff01"},
      {.what = "no such unit", .event_times = "0500"},
      {.what = "a fraction of a whole second", .event_times = "020003e8"},
      {.what = "a second beyond all times", .event_times = "01ffffffffffffffffff01"},
      {.what = "flags run over", .flags = "0001"},
      {.what = "flags", .flags = "ffffffffff0100"},
      {.what = "no origin", .origins = "00"},
      {.what = "origin index", .origin = "0100"},
  };
  for (const ColumnsCase& c : cases) EXPECT_FALSE(ParsedCase(c).ok()) << c.what;
}

TEST(PayloadTest, EachTimeComesBackInWhateverUnitItIs) {
  constexpr UnixNanos kSecond = 1'720'685'635 * kNanosPerSecond;
  const std::vector<UnixNanos> times = {kNoTime,
                                        0,
                                        kSecond,
                                        kSecond + 120'000'000,
                                        kSecond + 123'456'000,
                                        kSecond + 1,
                                        -1,
                                        -kSecond,
                                        -999,
                                        kNoTime,
                                        kNoTime + 1,
                                        INT64_MAX,
                                        INT64_MAX - 1,
                                        1'000'000,
                                        -1'000};
  PayloadBuilder builder;
  for (const UnixNanos time : times) builder.Add({time, 5, 0, "o", "a line\n"});
  const PayloadBuilder::Sealed sealed = builder.Finish(1, kKey, {});
  Result<Payload> payload = Payload::Parse(sealed.frame, {});
  ASSERT_TRUE(payload.ok()) << payload.status();
  for (std::uint32_t i = 0; i < times.size(); ++i)
    EXPECT_EQ(payload->record(i).event_time, times[i]) << i;
}

TEST(PayloadTest, EveryFlippedBitOfTheFrameIsRefused) {
  PayloadBuilder::Sealed sealed = OneRecord("some bytes of a record");
  BatchHeader header = HeaderFor(sealed, 1);
  for (std::size_t bit = 0; bit < sealed.frame.size() * 8; ++bit) {
    std::string altered = sealed.frame;
    altered[bit / 8] = static_cast<char>(altered[bit / 8] ^ (1 << bit % 8));
    EXPECT_FALSE(OpenPayload(header, altered, {}).ok()) << "bit " << bit;
  }
}

}  // namespace
}  // namespace logvault::evidence
