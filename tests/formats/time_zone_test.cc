// Civil times, zones, and the hour that a clock change repeats or skips.
#include "formats/time_zone.h"

#include <gtest/gtest.h>

namespace logvault::formats {
namespace {

TimeZone Zone(std::string_view name) {
  Result<TimeZone> zone = TimeZone::Load(name);
  EXPECT_TRUE(zone.ok()) << zone.status();
  return zone.ok() ? *zone : TimeZone::Utc();
}

TEST(TimeZoneTest, OnlyDatesThatExistAreValid) {
  EXPECT_TRUE(IsValid({2024, 2, 29}));
  EXPECT_FALSE(IsValid({2018, 2, 29}));
  EXPECT_FALSE(IsValid({2024, 0, 1}));
  EXPECT_FALSE(IsValid({2024, 13, 1}));
  EXPECT_FALSE(IsValid({2024, 4, 31}));
  EXPECT_FALSE(IsValid({2024, 4, 0}));
  EXPECT_FALSE(IsValid({2024, 1, 1, 24}));
  EXPECT_FALSE(IsValid({2024, 1, 1, 0, 60}));
  EXPECT_TRUE(IsValid({2024, 1, 1, 0, 0, 60}));
  EXPECT_FALSE(IsValid({2024, 1, 1, 0, 0, 61}));
}

TEST(TimeZoneTest, YearsThatNanosecondsCannotHoldAreNotValid) {
  EXPECT_FALSE(IsValid({0, 1, 1}));
  EXPECT_FALSE(IsValid({1677, 12, 31}));
  EXPECT_FALSE(IsValid({2262, 1, 1}));
  EXPECT_EQ(FormatUtc(AsUtc({1678, 1, 1})), "1678-01-01T00:00:00.000000000Z");
  EXPECT_EQ(FormatUtc(AsUtc({2261, 12, 31, 23, 59, 60})), "2262-01-01T00:00:00.000000000Z");
}

TEST(TimeZoneTest, UtcIsWrittenWithNanoseconds) {
  EXPECT_EQ(AsUtc({2024, 7, 11, 13, 14, 15, 16}), 1'720'703'655'000'000'016);
  EXPECT_EQ(FormatUtc(1'720'703'655'000'000'016), "2024-07-11T13:14:15.000000016Z");
  EXPECT_EQ(FormatUtc(-1), "1969-12-31T23:59:59.999999999Z");
}

TEST(TimeZoneTest, LocalTimeTakesTheOffsetOfItsSeason) {
  const TimeZone berlin = Zone("Europe/Berlin");
  EXPECT_EQ(FormatUtc(berlin.ToInstant({2024, 7, 1, 12})), "2024-07-01T10:00:00.000000000Z");
  EXPECT_EQ(FormatUtc(berlin.ToInstant({2024, 1, 1, 12})), "2024-01-01T11:00:00.000000000Z");
  EXPECT_EQ(berlin.name(), "Europe/Berlin");
}

TEST(TimeZoneTest, ARepeatedHourTakesTheOffsetBeforeTheChange) {
  EXPECT_EQ(FormatUtc(Zone("Europe/Berlin").ToInstant({2024, 10, 27, 2, 30})),
            "2024-10-27T00:30:00.000000000Z");
}

TEST(TimeZoneTest, ASkippedHourTakesTheOffsetBeforeTheChange) {
  EXPECT_EQ(FormatUtc(Zone("Europe/Berlin").ToInstant({2024, 3, 31, 2, 30})),
            "2024-03-31T01:30:00.000000000Z");
}

TEST(TimeZoneTest, CivilTimeAndInstantAreInverse) {
  const TimeZone zone = Zone("Asia/Kolkata");
  for (const UnixNanos instant :
       {UnixNanos{0}, UnixNanos{-1}, UnixNanos{1'720'703'655'123'456'789}}) {
    EXPECT_EQ(zone.ToInstant(zone.ToCivil(instant)), instant);
  }
}

TEST(TimeZoneTest, UnknownAndUnsafeNamesAreRefused) {
  for (const std::string_view name :
       {"", "Europe/Nowhere", "/etc/localtime", "../../etc/passwd", "Europe/../UTC", "a b"}) {
    const Result<TimeZone> zone = TimeZone::Load(name);
    ASSERT_FALSE(zone.ok()) << name;
    EXPECT_EQ(zone.status().code(), StatusCode::kInvalidArgument);
  }
}

TEST(TimeZoneTest, AZoneThatWasNotLoadedIsUtc) {
  EXPECT_EQ(TimeZone().ToInstant({1970, 1, 2}), 86'400 * kNanosPerSecond);
  EXPECT_EQ(TimeZone::Utc().name(), "UTC");
}

}  // namespace
}  // namespace logvault::formats
