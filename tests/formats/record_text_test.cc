// Bytes as text: UTF-16LE, line ends, invalid UTF-8.
#include <gtest/gtest.h>

#include "formats/fields.h"

namespace logvault::formats {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kBad = "\xEF\xBF\xBD";

TEST(RecordTextTest, TheFinalLineEndIsLeftAway) {
  EXPECT_EQ(RecordText("a\n", false), "a");
  EXPECT_EQ(RecordText("a\r\n", false), "a");
  EXPECT_EQ(RecordText("a\n\n", false), "a\n");
  EXPECT_EQ(RecordText("a\r", false), "a\r");
  EXPECT_EQ(RecordText("", false), "");
}

TEST(RecordTextTest, BytesStayAsTheyAre) {
  EXPECT_EQ(RecordText("\xFF\xFE\0x\n"sv, false), "\xFF\xFE\0x"sv);
}

TEST(RecordTextTest, Utf16BecomesUtf8WithoutItsMark) {
  EXPECT_EQ(RecordText("\xFF\xFE"
                       "a\0\xE4\0\x3D\xD8\x00\xDE\r\0\n\0"sv,
                       true),
            "aä😀");
  EXPECT_EQ(RecordText("\xAC\x20"sv, true), "€");
}

TEST(RecordTextTest, SurrogatesWithoutAPartnerAndHalfUnitsAreReplaced) {
  EXPECT_EQ(RecordText("\x00\xD8"
                       "a\0"sv,
                       true),
            std::string(kBad) + "a");
  EXPECT_EQ(RecordText("\x00\xDC"sv, true), kBad);
  EXPECT_EQ(RecordText("\x00\xD8"sv, true), kBad);
  EXPECT_EQ(RecordText("a\0b"sv, true), "a" + std::string(kBad));
}

TEST(ValidUtf8Test, ValidTextIsUnchanged) {
  bool changed = true;
  EXPECT_EQ(ToValidUtf8("a\0ä€😀\xEF\xBF\xBD"sv, &changed), "a\0ä€😀\xEF\xBF\xBD"sv);
  EXPECT_FALSE(changed);
}

TEST(ValidUtf8Test, EachInvalidSequenceBecomesOneReplacement) {
  struct Case {
    std::string_view bytes;
    int replacements;
  };
  for (const Case& c :
       {Case{"\xFF"sv, 1}, Case{"\xC0\x80"sv, 2}, Case{"\xE2\x82"sv, 1}, Case{"\xED\xA0\x80"sv, 3},
        Case{"\xF0\x9F\x98"sv, 1}, Case{"\xF5\x80\x80\x80"sv, 4}, Case{"\x80\x80"sv, 2}}) {
    bool changed = false;
    std::string expected = "<";
    for (int i = 0; i < c.replacements; ++i) expected += kBad;
    EXPECT_EQ(ToValidUtf8("<" + std::string(c.bytes) + ">", &changed), expected + ">");
    EXPECT_TRUE(changed);
  }
}

}  // namespace
}  // namespace logvault::formats
