// Times as people write them.
#include "query/time_argument.h"

#include <gtest/gtest.h>

#include <string>

namespace logvault::query {
namespace {

constexpr UnixNanos kNow = 1'720'685'635 * kNanosPerSecond;  // 2024-07-11T08:13:55Z

std::string Read(std::string_view text, std::string_view zone_name = "UTC") {
  Result<formats::TimeZone> zone = formats::TimeZone::Load(zone_name);
  EXPECT_TRUE(zone.ok()) << zone.status();
  Result<UnixNanos> time = ParseTimeOrAge(text, kNow, zone.ok() ? *zone : formats::TimeZone::Utc());
  return time.ok() ? formats::FormatUtc(*time) : "refused";
}

TEST(TimeArgumentTest, WhatIsUnderstood) {
  struct Case {
    const char* text;
    const char* utc;
  };
  const Case kCases[] = {
      {"2024-07-11T08:13:55Z", "2024-07-11T08:13:55.000000000Z"},
      {"2024-07-11t08:13:55.123456789z", "2024-07-11T08:13:55.123456789Z"},
      {"2024-07-11T08:13:55.5+02:00", "2024-07-11T06:13:55.500000000Z"},
      {"2024-07-11T08:13:55-09:30", "2024-07-11T17:43:55.000000000Z"},
      {"2024-07-11", "2024-07-11T00:00:00.000000000Z"},
      {"2024-07-11 08:13", "2024-07-11T08:13:00.000000000Z"},
      {"2024-07-11 08:13:55", "2024-07-11T08:13:55.000000000Z"},
      {"2024-07-11T08:13:55", "2024-07-11T08:13:55.000000000Z"},
      {"2024-02-29", "2024-02-29T00:00:00.000000000Z"},
      {"90s", "2024-07-11T08:12:25.000000000Z"},
      {"15m", "2024-07-11T07:58:55.000000000Z"},
      {"2h", "2024-07-11T06:13:55.000000000Z"},
      {"7d", "2024-07-04T08:13:55.000000000Z"},
  };
  for (const Case& c : kCases) EXPECT_EQ(Read(c.text), c.utc) << c.text;
}

TEST(TimeArgumentTest, ATimeWithoutAZoneIsInTheGivenOne) {
  EXPECT_EQ(Read("2024-07-11 08:00", "Asia/Tokyo"), "2024-07-10T23:00:00.000000000Z");
  EXPECT_EQ(Read("2024-01-11 08:00", "Europe/Berlin"), "2024-01-11T07:00:00.000000000Z");
  EXPECT_EQ(Read("2024-07-11T08:00:00Z", "Asia/Tokyo"), "2024-07-11T08:00:00.000000000Z");
}

TEST(TimeArgumentTest, WhatIsRefused) {
  for (const char* text : {"",
                           "x",
                           "2024",
                           "2024-7-11",
                           "2024-07-32",
                           "2023-02-29",
                           "2024-07-11 25:00",
                           "2024-07-11 08",
                           "2024-07-11 08:13:55.",
                           "2024-07-11T08:13:55+2",
                           "2024-07-11T08:13:55+24:00",
                           "2024-07-11Z ",
                           " 2024-07-11",
                           "2024-07-11 ",
                           "15",
                           "15 m",
                           "m",
                           "-5m",
                           "1.5h",
                           "now",
                           "99999-01-01",
                           "0001-01-01",
                           "9223372036854775807d",
                           "2024-07-11T08:13:55Zx"}) {
    EXPECT_EQ(Read(text), "refused") << text;
  }
}

TEST(TimeArgumentTest, ARefusalSaysWhatToWrite) {
  Result<UnixNanos> time = ParseTimeOrAge("yesterday", kNow, formats::TimeZone::Utc());
  ASSERT_FALSE(time.ok());
  EXPECT_NE(time.status().message().find("'yesterday' is not a time; write 2024"),
            std::string::npos);
}

}  // namespace
}  // namespace logvault::query
