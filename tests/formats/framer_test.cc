// The framing rules by example.
#include "formats/framer.h"

#include <gtest/gtest.h>

#include "tests/formats/framing.h"

namespace logvault::formats {
namespace {

using Strings = std::vector<std::string>;

TEST(FramerTest, LinesEndAtLineFeedAndKeepCarriageReturnAndNul) {
  const std::string text("one\r\n\nt\0wo\nlast", 15);
  EXPECT_EQ(Records(Format::kPlain, text),
            (Strings{"one\r\n", "\n", std::string("t\0wo\n", 5), "last"}));
}

TEST(FramerTest, AnUnterminatedLastLineWaitsUntilNothingWillCome) {
  EXPECT_EQ(Records(Format::kSyslog, "a\nb", End::kMore), Strings{"a\n"});
  EXPECT_EQ(Records(Format::kSyslog, "a\nb", End::kIdle), Strings{"a\n"});
  const Framed framed = Frame(Format::kSyslog, "a\nb", End::kFinal);
  EXPECT_EQ(framed.cuts, (std::vector<Cut>{{2, false, false}, {1, false, true}}));
}

TEST(FramerTest, EmptyTextHasNoRecords) {
  for (const NamedFormat& named : kFormats) {
    EXPECT_EQ(Frame(named.format, ""), Framed{}) << named.name;
  }
}

TEST(FramerTest, ARecordOverTheLimitIsSplitAndItsPiecesContinue) {
  const Framed framed = Frame(Format::kPlain, "abcdefgh\nx\n", End::kMore, Encoding::kBytes, 4);
  EXPECT_EQ(framed.cuts, (std::vector<Cut>{{4}, {4, true}, {1, true}, {2}}));
  EXPECT_FALSE(framed.continues);
}

TEST(FramerTest, ASplitRecordGoesOnInTheNextText) {
  std::vector<Cut> cuts;
  bool continues = false;
  const auto feed = [&](std::string_view text) {
    return CutRecords(Format::kPlain, Encoding::kBytes, text, End::kMore, 4, &continues, cuts);
  };
  EXPECT_EQ(feed("abcdef"), 4U);
  EXPECT_TRUE(continues);
  EXPECT_EQ(feed("ef\n"), 3U);
  EXPECT_FALSE(continues);
  EXPECT_EQ(cuts, (std::vector<Cut>{{4}, {3, true}}));
}

TEST(FramerTest, ARecordOfExactlyTheLimitIsOnePiece) {
  EXPECT_EQ(Frame(Format::kPlain, "abc\nd", End::kMore, Encoding::kBytes, 4).cuts,
            (std::vector<Cut>{{4}}));
}

constexpr std::string_view kTrace =
    "16 Sep 15:44:38 ERROR  [geoserver.ows] - \n"
    "java.lang.ClassCastException: no\n"
    "\tat org.geoserver.Dispatcher\n"
    "\n"
    "Request: getMap\n";
constexpr std::string_view kNext = "16 Sep 15:44:39 INFO   [geoserver.wms] - next\n";

TEST(FramerTest, AGeoserverRecordReachesToTheNextHeader) {
  const std::string text = std::string(kTrace) + std::string(kNext);
  EXPECT_EQ(Records(Format::kGeoserver, text), (Strings{std::string(kTrace), std::string(kNext)}));
  EXPECT_EQ(Records(Format::kGeoserver, text, End::kMore), Strings{std::string(kTrace)});
  EXPECT_EQ(Records(Format::kGeoserver, text, End::kIdle).size(), 2U);
}

TEST(FramerTest, AnIdleRecordStaysOpenWhileItsLastLineIsUnterminated) {
  EXPECT_EQ(Frame(Format::kGeoserver, "16 Sep 15:44:38 INFO [a] - x\n\tat", End::kIdle).covered,
            0U);
  const std::string unfinished = std::string(kTrace).append("16 Sep 15");
  EXPECT_EQ(Frame(Format::kGeoserver, unfinished, End::kIdle).covered, 0U);
}

TEST(FramerTest, GeoserverHeadersOfBothLog4jGenerationsInAnyLanguage) {
  for (const std::string_view header : {
           "2017-11-17 10:11:43,386 WARN [geoserver.config] - lock",
           "2024-11-17T10:11:43,386 WARN   [geoserver.config] - lock",
           "16 Sep 15:44:36 CONFIG [geoserver.logging] - x",
           "06 5月 10:13:02 INFO   [geoserver.wms] - ",
           "08 gen 11:30:13 INFO [geoserver.filters] - GET",
           "19 août 11:30:13 INFO [geoserver.filters] -",
           "03 thg 5 11:30:13 INFO [geoserver.filters] - x",
           "16 Sep 15:44:36 INFO [ImageAjaxLink [Component id = up]] - x",
       }) {
    EXPECT_EQ(Records(Format::kGeoserver, "lead\n" + std::string(header) + "\n").size(), 2U)
        << header;
  }
}

TEST(FramerTest, LinesThatOnlyResembleAHeaderAreContinuations) {
  for (const std::string_view line : {
           "16 Sep 15:44:36 something happened",
           "16 Sep 15:44 CONFIG [a] - x",
           "2017-11-17 10:11:43 WARN [geoserver.config] - no milliseconds",
           " 16 Sep 15:44:36 CONFIG [a] - indented",
           "... 16 more",
           "2024-06-19 00:11:06.55 Server      of another product",
       }) {
    const std::string text = std::string(kTrace) + std::string(line) + "\n";
    EXPECT_EQ(Records(Format::kGeoserver, text).size(), 1U) << line;
  }
}

TEST(FramerTest, LeadingTextBeforeAnyHeaderIsARecordOfItsOwn) {
  EXPECT_EQ(Records(Format::kGeoserver, "at x\nat y\n" + std::string(kNext)),
            (Strings{"at x\nat y\n", std::string(kNext)}));
}

constexpr std::string_view kBanner =
    "2024-06-19 00:11:06.55 Server      Microsoft SQL Server 2019\r\n"
    "\tSep 24 2019 13:48:23\r\n"
    "\r\n";
constexpr std::string_view kLogon =
    "2024-06-19 00:11:06.56 Logon       Error: 18456, Severity: 14, State: 8.\r\n";

TEST(FramerTest, AnErrorlogRecordReachesToTheNextHeaderInBytesAndInUtf16) {
  const std::string text = std::string(kBanner) + std::string(kLogon);
  EXPECT_EQ(Records(Format::kSqlserver, text),
            (Strings{std::string(kBanner), std::string(kLogon)}));

  const std::string mark = "\xFF\xFE";
  EXPECT_EQ(Records(Format::kSqlserver, mark + Utf16Le(text), End::kFinal, Encoding::kUtf16Le),
            (Strings{mark + Utf16Le(kBanner), Utf16Le(kLogon)}));
}

TEST(FramerTest, Utf16LineFeedsAreWholeCodeUnits) {
  // U+0A0A and U+0A00 hold the byte 0A, but no line feed; nor is one 0A 00 at an odd offset.
  const std::string text("a\0\x0A\x0A\x00\x0A\r\0\n\0b\0", 12);
  EXPECT_EQ(Records(Format::kPlain, text, End::kFinal, Encoding::kUtf16Le),
            (Strings{text.substr(0, 10), text.substr(10)}));
}

TEST(FramerTest, AUtf16RecordIsSplitBetweenCodeUnits) {
  EXPECT_EQ(Frame(Format::kPlain, Utf16Le("abcd\n"), End::kMore, Encoding::kUtf16Le, 5).cuts,
            (std::vector<Cut>{{4}, {4, true}, {2, true}}));
}

TEST(FramerTest, AHeaderIsNotDecidedFromHalfALine) {
  const std::string text = std::string(kTrace) + std::string(kNext);
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_EQ(Frame(Format::kGeoserver, text.substr(0, size), End::kMore).covered, 0U) << size;
  }
}

TEST(FramerTest, TheEncodingShowsInTheByteOrderMarkOnly) {
  EXPECT_EQ(DetectEncoding("\xFF\xFE"
                           "2"),
            Encoding::kUtf16Le);
  EXPECT_EQ(DetectEncoding("\xFF"), Encoding::kBytes);
  EXPECT_EQ(DetectEncoding("\xEF\xBB\xBFx"), Encoding::kBytes);
  EXPECT_EQ(DetectEncoding(""), Encoding::kBytes);
}

}  // namespace
}  // namespace logvault::formats
