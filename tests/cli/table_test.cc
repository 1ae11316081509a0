// Columns: all of them in a pipe, those that fit on a terminal.
#include "cli/table.h"

#include <gtest/gtest.h>

namespace logvault::cli {
namespace {

Table Sample() {
  Table table({{"HOST", kAlways}, {"N", 5, true}, {"NOTE", 1}, {"STATE", kAlways}});
  table.Add({{"geo01"}, {"7"}, {"a note"}, {"ok"}});
  table.Add({{"a"}, {"1234"}, {""}, {"silent", Tone::kAlarm}});
  return table;
}

TEST(TableTest, AlignsNumbersAtTheRightAndEndsLinesWithoutBlanks) {
  EXPECT_EQ(Sample().Text(0, false),
            "HOST      N  NOTE    STATE\n"
            "geo01     7  a note  ok\n"
            "a      1234          silent\n");
}

TEST(TableTest, LeavesOutTheLeastImportantWhereItDoesNotFit) {
  EXPECT_EQ(Sample().Text(27, false), Sample().Text(0, false));
  EXPECT_EQ(Sample().Text(26, false),
            "HOST      N  STATE\n"
            "geo01     7  ok\n"
            "a      1234  silent\n");
  EXPECT_EQ(Sample().Text(13, false),
            "HOST   STATE\n"
            "geo01  ok\n"
            "a      silent\n");
  EXPECT_EQ(Sample().Text(11, false),
            "HOST   STAT\n"
            "geo01  ok\n"
            "a      sile\n")
      << "what must stay is cut at the end";
}

TEST(TableTest, ColourTakesNoRoom) {
  Table table({{"A", kAlways}, {"B", kAlways}});
  table.Add({{"x", Tone::kWarning}, {"y"}});
  EXPECT_EQ(table.Text(80, true), "\x1b[2mA\x1b[0m  \x1b[2mB\x1b[0m\n\x1b[33mx\x1b[0m  y\n");
}

TEST(TableTest, CountsCharactersAndNotBytes) {
  Table table({{"A", kAlways}, {"B", kAlways}});
  table.Add({{"\u00e4\u00e4"}, {"y"}});
  EXPECT_EQ(table.Text(0, false), "A   B\n\u00e4\u00e4  y\n");
}

TEST(AgeTextTest, InTheUnitThatIsReadAtAGlance) {
  EXPECT_EQ(AgeText(-1), "ahead");
  EXPECT_EQ(AgeText(0), "0 s");
  EXPECT_EQ(AgeText(119), "119 s");
  EXPECT_EQ(AgeText(120), "2 min");
  EXPECT_EQ(AgeText(7199), "119 min");
  EXPECT_EQ(AgeText(7200), "2 h");
  EXPECT_EQ(AgeText(3 * 86400), "3 d");
}

}  // namespace
}  // namespace logvault::cli
