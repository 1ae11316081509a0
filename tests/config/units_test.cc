// Units, addresses and names: what people write, read strictly.
#include "config/units.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/address.h"
#include "config/forwarder_config.h"
#include "config/name.h"
#include "formats/format.h"

namespace logvault::config {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

TEST(UnitsTest, DurationsAreAWholeNumberAndOneUnit) {
  struct Case {
    const char* text;
    std::int64_t nanos;
  };
  for (const Case& c :
       {Case{"0s", 0}, Case{"1s", kSecond}, Case{"90s", 90 * kSecond},
        Case{"15m", 15 * 60 * kSecond}, Case{"2h", 2 * 3600 * kSecond},
        Case{"7d", 7 * 86400 * kSecond}, Case{"36525d", 36525 * (86400 * kSecond)}}) {
    Result<std::int64_t> duration = ParseDuration(c.text);
    ASSERT_TRUE(duration.ok()) << c.text << ": " << duration.status();
    EXPECT_EQ(*duration, c.nanos) << c.text;
  }
}

TEST(UnitsTest, AnythingElseIsNoDuration) {
  for (const char* text :
       {"", "s", "90", "90 s", " 90s", "90s ", "90S", "90sec", "1.5h", "-1s", "+1s", "1h30m",
        "0x10s", "36526d", "9223372036854775808s", "99999999999999999999d", "1w", "1ms"}) {
    Result<std::int64_t> duration = ParseDuration(text);
    EXPECT_EQ(duration.status().code(), StatusCode::kInvalidArgument) << text;
  }
}

TEST(UnitsTest, SizesAreBytesOrBinaryUnits) {
  struct Case {
    const char* text;
    std::uint64_t bytes;
  };
  for (const Case& c : {Case{"0", 0}, Case{"0B", 0}, Case{"1B", 1}, Case{"4096", 4096},
                        Case{"64KiB", 65536}, Case{"3MiB", 3u << 20}, Case{"20GiB", 20ull << 30},
                        Case{"2TiB", 2ull << 40}, Case{"9223372036854775807", INT64_MAX}}) {
    Result<std::uint64_t> size = ParseSize(c.text);
    ASSERT_TRUE(size.ok()) << c.text << ": " << size.status();
    EXPECT_EQ(*size, c.bytes) << c.text;
  }
}

TEST(UnitsTest, AnythingElseIsNoSize) {
  for (const char* text : {"", "GiB", "1GB", "1 GiB", "1gib", "1G", "-1", "1.5GiB",
                           "9223372036854775808", "8388608TiB", "1GiBB"}) {
    EXPECT_EQ(ParseSize(text).status().code(), StatusCode::kInvalidArgument) << text;
  }
}

TEST(UnitsTest, WhatIsFormattedReadsBackAndIsShort) {
  EXPECT_EQ(FormatDuration(90 * kSecond), "90s");
  EXPECT_EQ(FormatDuration(7200 * kSecond), "2h");
  EXPECT_EQ(FormatDuration(0), "0s");
  EXPECT_EQ(FormatDuration(kSecond / 2), "0s");
  EXPECT_EQ(FormatDuration(-90 * kSecond), "-90s");
  EXPECT_EQ(FormatSize(1ull << 30), "1GiB");
  EXPECT_EQ(FormatSize(1025), "1025B");
  EXPECT_EQ(FormatSize(0), "0B");
  for (std::int64_t seconds : {1, 59, 60, 61, 3599, 3600, 86400, 86401, 604800}) {
    EXPECT_EQ(*ParseDuration(FormatDuration(seconds * kSecond)), seconds * kSecond);
  }
}

TEST(AddressTest, TakesNamesAndBothKindsOfIp) {
  EXPECT_EQ(*ParseAddress("127.0.0.1:7443"), (Address{"127.0.0.1", 7443}));
  EXPECT_EQ(*ParseAddress("localhost:0"), (Address{"localhost", 0}));
  EXPECT_EQ(*ParseAddress("vault_1.example.org:65535"), (Address{"vault_1.example.org", 65535}));
  EXPECT_EQ(*ParseAddress("[::1]:514"), (Address{"::1", 514}));
}

TEST(AddressTest, RefusesWhatNobodyCouldListenOnOrConnectTo) {
  for (const char* text : {"",
                           ":",
                           ":7443",
                           "127.0.0.1",
                           "127.0.0.1:",
                           "127.0.0.1:65536",
                           "127.0.0.1:-1",
                           "127.0.0.1:+1",
                           "127.0.0.1:7443x",
                           "127.0.0.1: 7443",
                           "::1:514",
                           "[::1]",
                           "[::1]514",
                           "[127.0.0.1]:1",
                           "[::g]:1",
                           "256.0.0.1:1",
                           "1.2.3:4",
                           "a b:1",
                           "http://a:1",
                           "a..b:1",
                           "-a:1",
                           ".a:1",
                           "true"}) {
    EXPECT_EQ(ParseAddress(text).status().code(), StatusCode::kInvalidArgument) << text;
  }
}

TEST(NameTest, IsShortAndLowerCase) {
  for (const std::string& name :
       {std::string("a"), std::string("geo01.dmz_a-b"), std::string(63, 'x'), std::string("...")}) {
    EXPECT_TRUE(IsValidName(name)) << name;
  }
  for (const std::string& name :
       {std::string(), std::string("."), std::string(".."), std::string("A"), std::string("a b"),
        std::string("a/b"), std::string("\xc3\xa9"), std::string("a\0", 2), std::string(64, 'x')}) {
    EXPECT_FALSE(IsValidName(name)) << name;
  }
}

TEST(FormatNamesTest, AreThoseThatFormatsKnows) {
  ASSERT_EQ(kFormatNames.size(), formats::kFormats.size());
  for (std::string_view name : kFormatNames)
    EXPECT_TRUE(formats::FormatByName(name).has_value()) << name;
}

}  // namespace
}  // namespace logvault::config
