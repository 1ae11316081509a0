// The time each format states of itself, by example.
#include "formats/event_time.h"

#include <gtest/gtest.h>

#include <array>
#include <random>

namespace logvault::formats {
namespace {

// 2024-08-01T00:00:00Z: what records without a year are read at.
constexpr UnixNanos kReadAt = 1'722'470'400 * kNanosPerSecond;

TimeContext Context(std::string_view zone = "UTC", UnixNanos not_after = kReadAt) {
  Result<TimeZone> loaded = TimeZone::Load(zone);
  EXPECT_TRUE(loaded.ok());
  TimeContext context;
  context.zone = *loaded;
  context.not_after = not_after;
  return context;
}

// "none", or the time in UTC without trailing zeros of its fraction.
std::string TimeOf(Format format, std::string_view text, TimeContext context = Context()) {
  const UnixNanos time = EventTime(format, text, context);
  if (time == kNoTime) return "none";
  std::string written = FormatUtc(time);
  written.pop_back();
  written.erase(written.find_last_not_of('0') + 1);
  if (written.ends_with('.')) written.pop_back();
  return written;
}

struct Example {
  std::string_view text;
  std::string_view time;
};

TEST(EventTimeTest, Syslog) {
  for (const Example& e : {
           Example{"Mar  6 01:02:03 web1 sshd[1]: x", "2024-03-06T01:02:03"},
           Example{"Oct 02 01:02:03 web1 kubelet[1]: x", "2023-10-02T01:02:03"},
           Example{"Mar 7 01:02:03 web1 x", "2024-03-07T01:02:03"},
           Example{"<34>Mar  6 01:02:03 web1 x", "2024-03-06T01:02:03"},
           Example{"<6>AUG 10 22:18:24 host tag x", "2023-08-10T22:18:24"},
           Example{"<6>AUG 10 22:18:24 2009 host tag x", "2023-08-10T22:18:24"},
           Example{"<34>Mar 7 2008 19:06:53: %PIX-7-710005: x", "2008-03-07T19:06:53"},
           Example{"<9999999999999999999999999999999>Mar  6 01:02:03 h x", "2024-03-06T01:02:03"},
           Example{"<34>Oct 16 2009 23:47:31 hostname tag x", "2009-10-16T23:47:31"},
           Example{"août 19 11:08:37 nlaptop symphorien[4961]: test", "2023-08-19T11:08:37"},
           Example{"2024-07-01T10:11:12.123456+02:00 web1 sshd[1]: x",
                   "2024-07-01T08:11:12.123456"},
           Example{"<34>1 2003-10-11T22:14:15.003Z m su - ID47 - x", "2003-10-11T22:14:15.003"},
           Example{"<34>1 2003-08-24T05:14:15.000003-07:00 m su - - - x",
                   "2003-08-24T12:14:15.000003"},
           Example{"<34>2003-10-11T22:14:15.003Z m su: x", "2003-10-11T22:14:15.003"},
           Example{"2022-06-22T10:20:33 host x", "2022-06-22T10:20:33"},
           Example{"\xEF\xBB\xBFMar  6 01:02:03 web1 x", "2024-03-06T01:02:03"},
       }) {
    EXPECT_EQ(TimeOf(Format::kSyslog, e.text), e.time) << e.text;
  }
}

TEST(EventTimeTest, SyslogWithoutATime) {
  for (const std::string_view text : {
           "",
           "<",
           "<34>",
           "\tASL Module claims",
           "-- Logs begin at Mon 2020-01-06 --",
           "<27>xapi: [error]",
           "This is a message!",
           "Feb 30 01:02:03 host x",
           "Xyz  1 01:02:03 x",
           "Mar  6 25:02:03 host x",
           "Mar  6 01:02:03x host",
           "<34>1 - m su - - - x",
           "<34>1 2018-02-29T10:00:00Z m su - - -",
           "2015-04-24T21:08:10.313913FOO err",
       }) {
    EXPECT_EQ(TimeOf(Format::kSyslog, text), "none") << text;
  }
}

TEST(EventTimeTest, AMissingYearIsTheLatestWithin24HoursAfterTheReading) {
  const UnixNanos new_year = AsUtc({2024, 1, 1, 0, 0, 10});
  EXPECT_EQ(TimeOf(Format::kSyslog, "Dec 31 23:59:59 h x", Context("UTC", new_year)),
            "2023-12-31T23:59:59");
  EXPECT_EQ(TimeOf(Format::kSyslog, "Jan  2 00:00:10 h x", Context("UTC", new_year)),
            "2024-01-02T00:00:10");
  EXPECT_EQ(TimeOf(Format::kSyslog, "Jan  2 00:00:11 h x", Context("UTC", new_year)),
            "2023-01-02T00:00:11");
}

TEST(EventTimeTest, AMissingYearMayBeTheNextOneAtTheTurn) {
  const UnixNanos last_day = AsUtc({2023, 12, 31, 12});
  EXPECT_EQ(TimeOf(Format::kSyslog, "Jan  1 00:00:00 h x", Context("UTC", last_day)),
            "2024-01-01T00:00:00");
}

TEST(EventTimeTest, A29thOfFebruaryBelongsToALeapYear) {
  EXPECT_EQ(TimeOf(Format::kSyslog, "Feb 29 01:02:03 h x", Context("UTC", AsUtc({2023, 6, 1}))),
            "2020-02-29T01:02:03");
  EXPECT_EQ(TimeOf(Format::kSyslog, "Feb 29 01:02:03 h x", Context("UTC", AsUtc({1903, 6, 1}))),
            "1896-02-29T01:02:03");
}

TEST(EventTimeTest, ATimeWithoutZoneIsInTheSourcesZone) {
  EXPECT_EQ(TimeOf(Format::kSyslog, "Mar  6 01:02:03 h x", Context("Asia/Tokyo")),
            "2024-03-05T16:02:03");
  EXPECT_EQ(TimeOf(Format::kSyslog, "2024-03-06T01:02:03Z h x", Context("Asia/Tokyo")),
            "2024-03-06T01:02:03");
}

struct Day {
  const char* zone;
  int year, month, day;
};

// A context that has seen an hour's records says what a new one says, which cannot remember anything: on days on which clocks change, some
// of them a minute past midnight or by half an hour, and where `not_after` lets the year change within the hour.
TEST(EventTimeTest, WhatAContextRemembersChangesNoTime) {
  static constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::uint64_t seed = std::random_device{}();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  const auto below = [&random](int end) {
    return static_cast<int>(random() % static_cast<unsigned>(end));
  };
  for (const Day& day :
       {Day{"UTC", 2024, 2, 29}, Day{"UTC", 2024, 8, 1}, Day{"UTC", 2024, 2, 30},
        Day{"Europe/Berlin", 2024, 3, 31}, Day{"Europe/Berlin", 2024, 10, 27},
        Day{"America/St_Johns", 2010, 3, 14}, Day{"America/St_Johns", 2010, 11, 7},
        Day{"America/St_Johns", 2010, 11, 6}, Day{"Australia/Lord_Howe", 2024, 4, 7},
        Day{"Australia/Lord_Howe", 2024, 10, 6}, Day{"Africa/Monrovia", 1972, 1, 7},
        Day{"Africa/Monrovia", 1972, 1, 6}, Day{"Pacific/Apia", 2011, 12, 30},
        Day{"Pacific/Apia", 2011, 12, 29}, Day{"UTC", 2023, 12, 31}}) {
    const auto text_of = [&](bool iso, int hour, int minute, int second, int millis) {
      std::array<char, 64> text{};
      const int size =
          iso ? std::snprintf(text.data(), text.size(), "%d-%02d-%02dT", day.year, day.month,
                              day.day)
              : std::snprintf(text.data(), text.size(), "%s %2d ", kMonths[day.month - 1], day.day);
      std::snprintf(text.data() + size, text.size() - size, "%02d:%02d:%02d.%03d host x", hour,
                    minute, second, millis);
      return std::string(text.data());
    };
    TimeContext used = Context(day.zone);
    for (int round = 0; round < 2'000; ++round) {
      const int hour = below(25);
      if (random() % 4 == 0) {
        TimeContext fresh = Context(day.zone);
        const UnixNanos end =
            EventTime(Format::kSyslog, text_of(true, hour, 59, 59, below(1000)), fresh);
        used.not_after =
            (random() % 2 == 0 || end == kNoTime ? kReadAt : end) - 24 * 3600 * kNanosPerSecond;
      }
      const bool iso = random() % 2 == 0;
      // A few in a row, as in a log: it is from the second on that the hour is known.
      for (int i = 0; i < 5; ++i) {
        const bool at_the_end = random() % 3 == 0;
        const std::string text = text_of(iso, hour, at_the_end ? 59 : below(61),
                                         at_the_end ? 59 : below(62), below(1000));
        TimeContext fresh = Context(day.zone, used.not_after);
        ASSERT_EQ(EventTime(Format::kSyslog, text, used), EventTime(Format::kSyslog, text, fresh))
            << day.zone << " " << day.year << ": " << text;
      }
    }
  }
}

TEST(EventTimeTest, Auditd) {
  for (const Example& e : {
           Example{"type=CWD msg=audit(1720703655.123:7): cwd=\"/\"", "2024-07-11T13:14:15.123"},
           Example{"node=a type=CWD msg=audit(1720703655.000:4294967295): ", "2024-07-11T13:14:15"},
           Example{"type=CKADDR", "none"},
           Example{"type=CWD msg=audit(1720703655.12:7):", "none"},
           Example{"type=CWD msg=audit(99999999999.123:7):", "none"},
           Example{"type=CWD msg=audit(", "none"},
       }) {
    EXPECT_EQ(TimeOf(Format::kAuditd, e.text), e.time) << e.text;
  }
}

TEST(EventTimeTest, Geoserver) {
  for (const Example& e : {
           Example{"2017-11-17 10:11:43,386 WARN [geoserver.config] - x",
                   "2017-11-17T10:11:43.386"},
           Example{"16 Sep 15:44:36 CONFIG [geoserver.logging] - x", "2023-09-16T15:44:36"},
           Example{"06 5月 10:13:02 INFO   [geoserver.wms] - ", "2024-05-06T10:13:02"},
           Example{"08 gen 11:30:13 INFO [geoserver.filters] - x", "2024-01-08T11:30:13"},
           Example{"08 janv. 11:30:13 INFO [geoserver.filters] - x", "2024-01-08T11:30:13"},
           Example{"08 thg 5 11:30:13 INFO [geoserver.filters] - x", "2024-05-08T11:30:13"},
           Example{"08 Foo 11:30:13 INFO [geoserver.filters] - x", "none"},
           Example{"31 Jun 11:30:13 INFO [geoserver.filters] - x", "none"},
           Example{"16 Sep 15:44:36 no header", "none"},
           Example{"\tat java.lang.Thread.run", "none"},
       }) {
    EXPECT_EQ(TimeOf(Format::kGeoserver, e.text), e.time) << e.text;
  }
}

TEST(EventTimeTest, Access) {
  for (const Example& e : {
           Example{"10.0.0.9 - - [11/Jul/2024:13:14:15 +0200] \"GET / HTTP/1.1\" 200 1",
                   "2024-07-11T11:14:15"},
           Example{"10.0.0.9 - a[b] [11/Jul/2024:13:14:15 -0530] \"-\" 400 0",
                   "2024-07-11T18:44:15"},
           Example{"10.0.0.9 - - [11/Jul/2024 13:14:15] \"GET / HTTP/1.1\" 200 -",
                   "2024-07-11T13:14:15"},
           Example{"2024-07-11T13:14:15 10.0.0.9 - GET /", "2024-07-11T13:14:15"},
           Example{"10.0.0.9 - - [31/Jun/2024:13:14:15 +0200] \"GET / HTTP/1.1\" 200 1", "none"},
           Example{"10.0.0.9 - - \"GET / HTTP/1.1\" 200 1", "none"},
           Example{"[[[[", "none"},
       }) {
    EXPECT_EQ(TimeOf(Format::kAccess, e.text), e.time) << e.text;
  }
}

TEST(EventTimeTest, ErrorlogTakesItsZoneFromTheBannerOnceItStood) {
  TimeContext context = Context("Europe/Berlin");
  EXPECT_EQ(FormatUtc(EventTime(Format::kSqlserver,
                                "2024-06-19 00:11:06.55 Server      Microsoft SQL", context)),
            "2024-06-18T22:11:06.550000000Z");
  EXPECT_EQ(
      FormatUtc(EventTime(Format::kSqlserver,
                          "2024-06-19 00:11:06.56 Server      UTC adjustment: 9:00\r\n", context)),
      "2024-06-18T15:11:06.560000000Z");
  EXPECT_EQ(context.banner_offset, 9 * 3600);
  EXPECT_EQ(FormatUtc(EventTime(Format::kSqlserver, "2024-06-19 00:11:06.57 spid9s      Starting",
                                context)),
            "2024-06-18T15:11:06.570000000Z");
  EventTime(Format::kSqlserver, "2024-06-19 00:11:06.56 Server      UTC adjustment: -5:30",
            context);
  EXPECT_EQ(context.banner_offset, -(5 * 3600 + 1800));
}

TEST(EventTimeTest, OnlyTheServerStatesTheErrorlogsZone) {
  TimeContext context = Context();
  EventTime(Format::kSqlserver, "2024-06-19 00:11:06.56 spid51      UTC adjustment: 9:00", context);
  EventTime(Format::kSqlserver, "2024-06-19 00:11:06.56 Server      Say: UTC adjustment: 9:00",
            context);
  EXPECT_EQ(context.banner_offset, std::nullopt);
}

TEST(EventTimeTest, Json) {
  for (const Example& e : {
           Example{R"({"time":"2024-07-11T13:14:15.5Z","msg":"x"})", "2024-07-11T13:14:15.5"},
           Example{
               R"({"a":{"time":"2001-01-01T00:00:00Z"},"@timestamp":"2024-07-11T15:14:15+02:00"})",
               "2024-07-11T13:14:15"},
           Example{R"({"ts":1720703655.25})", "2024-07-11T13:14:15.25"},
           Example{R"({"ts":"1720703655"})", "2024-07-11T13:14:15"},
           Example{R"({"timestamp":1720703655123})", "2024-07-11T13:14:15.123"},
           Example{R"({"timestamp":1720703655123456})", "2024-07-11T13:14:15.123456"},
           Example{R"({"timestamp":1720703655123456789})", "2024-07-11T13:14:15.123456789"},
           Example{R"({"time":"yesterday","ts":1720703655})", "2024-07-11T13:14:15"},
           Example{R"({"time":"2024-07-11T13:14:15Z","cut off)", "2024-07-11T13:14:15"},
           Example{R"({"time":-5})", "none"},
           Example{R"({"time":99999999999999999999})", "none"},
           Example{R"({"time":18446744073709551615})", "none"},
           Example{R"({"time":true})", "none"},
           Example{R"({"time":null})", "none"},
           Example{"[1720703655]", "none"},
           Example{"no json", "none"},
           Example{"", "none"},
       }) {
    EXPECT_EQ(TimeOf(Format::kJson, e.text), e.time) << e.text;
  }
}

TEST(EventTimeTest, PlainStatesNone) {
  EXPECT_EQ(TimeOf(Format::kPlain, "2024-07-11T13:14:15Z x"), "none");
}

}  // namespace
}  // namespace logvault::formats
