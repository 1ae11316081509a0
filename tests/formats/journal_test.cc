// The journal's export format: cut at its blank lines and nowhere else, whatever bytes its fields hold.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/event_time.h"
#include "formats/journal_entry.h"
#include "tests/formats/field_matchers.h"
#include "tests/formats/framing.h"

namespace logvault::formats {
namespace {

using testing::ElementsAre;

std::string Entry(std::string_view message, std::string_view more = "") {
  std::string entry;
  AppendJournalField("__CURSOR", "s=1;i=2", entry);
  AppendJournalField("__REALTIME_TIMESTAMP", "1720703655123456", entry);
  AppendJournalField("MESSAGE", message, entry);
  entry.append(more);
  return entry + "\n";
}

TEST(JournalEntryTest, TextIsALineAndAnythingElseIsCounted) {
  std::string entry;
  AppendJournalField("A", "tab\tand \xC3\xA4", entry);
  AppendJournalField("B", "two\nlines", entry);
  AppendJournalField("C", std::string_view("\0", 1), entry);
  EXPECT_EQ(entry, std::string("A=tab\tand \xC3\xA4\n"
                               "B\n\x09\0\0\0\0\0\0\0two\nlines\n"
                               "C\n\x01\0\0\0\0\0\0\0\0\n",
                               13 + 2 + 8 + 10 + 2 + 8 + 2));
}

// What systemd writes as text and what not: surrogates, noncharacters, C1 and cut sequences are not.
TEST(JournalEntryTest, OnlyPrintableUtf8IsALine) {
  for (const std::string_view text : {"", "=", "\xEF\xBF\xBD", "\xF0\x9F\x98\x80", "\xC2\xA0"}) {
    std::string entry;
    AppendJournalField("A", text, entry);
    EXPECT_EQ(entry, "A=" + std::string(text) + "\n");
  }
  for (const std::string_view bytes :
       {"\x1b[31m", "\x7f", "\xC2\x85", "\xED\xA0\x80", "\xEF\xBF\xBF", "\xEF\xB7\x90", "\xC3",
        "\xC0\x80", "\xFF", "\xF4\x90\x80\x80"}) {
    std::string entry;
    AppendJournalField("A", bytes, entry);
    EXPECT_EQ(entry.substr(0, 2), "A\n") << testing::PrintToString(bytes);
    EXPECT_EQ(FindJournalField(entry, "A"), bytes);
  }
}

TEST(JournalFramingTest, ABlankLineEndsAnEntry) {
  EXPECT_THAT(Records(Format::kJournal, Entry("a") + Entry("b")),
              ElementsAre(Entry("a"), Entry("b")));
}

TEST(JournalFramingTest, ABlankLineWithinAFieldEndsNothing) {
  const std::string one = Entry("a\n\n__CURSOR=x\n\nb");
  EXPECT_THAT(Records(Format::kJournal, one + Entry("b")), ElementsAre(one, Entry("b")));
}

TEST(JournalFramingTest, AnEntryWithoutItsBlankLineWaitsAndIsPartialInTheEnd) {
  std::string open = Entry("a");
  open.pop_back();
  EXPECT_THAT(Records(Format::kJournal, open, End::kIdle), ElementsAre());
  EXPECT_TRUE(Frame(Format::kJournal, open).cuts.at(0).partial);
  EXPECT_FALSE(Frame(Format::kJournal, open + "\n").cuts.at(0).partial);
}

TEST(JournalFramingTest, ALineThatIsNoFieldIsPassedOver) {
  EXPECT_THAT(Records(Format::kJournal, "-- Journal begins at Thu --\nA=b\n\nA=c\n\n"),
              ElementsAre("-- Journal begins at Thu --\nA=b\n\n", "A=c\n\n"));
}

// After a cut nothing says where in a field we are: the next entry's first line does.
TEST(JournalFramingTest, ASplitEntryEndsWhereTheNextOneBegins) {
  const std::string large = Entry("x\n\ny" + std::string(1000, 'z'));
  const Framed framed =
      Frame(Format::kJournal, large + Entry("b"), End::kFinal, Encoding::kBytes, 300);
  std::size_t pieces = 0;
  for (std::size_t sum = 0; sum < large.size(); ++pieces) sum += framed.cuts.at(pieces).length;
  EXPECT_EQ(framed.cuts.size(), pieces + 1);
  EXPECT_EQ(framed.cuts.back(), (Cut{.length = Entry("b").size()}));
  for (std::size_t i = 0; i < pieces; ++i) EXPECT_EQ(framed.cuts[i].continues, i > 0);
}

TEST(JournalTimeTest, IsWhenJournaldReceivedTheEntry) {
  TimeContext context;
  EXPECT_EQ(EventTime(Format::kJournal, Entry("a", "_SOURCE_REALTIME_TIMESTAMP=1\n"), context),
            1'720'703'655'123'456'000);
  EXPECT_EQ(EventTime(Format::kJournal, "MESSAGE=a\n__REALTIME_TIMESTAMP=\n\n", context), kNoTime);
  EXPECT_EQ(EventTime(Format::kJournal, "__REALTIME_TIMESTAMP=99999999999999999\n\n", context),
            kNoTime);
}

// A message cannot state a time or a field: it is a value, whatever lines it holds.
TEST(JournalFieldsTest, AMessageOfSeveralLinesForgesNothing) {
  const std::string entry = Entry("a\n__REALTIME_TIMESTAMP=5\n_UID=0\n", "_UID=1000\n");
  TimeContext context;
  EXPECT_EQ(EventTime(Format::kJournal, entry, context), 1'720'703'655'123'456'000);
  const Fields fields = ParseFields(Format::kJournal, entry);
  EXPECT_THAT(fields, testing::Contains(Field{"uid", "1000"}));
  EXPECT_THAT(fields, testing::Not(testing::Contains(Field{"uid", "0"})));
}

TEST(JournalEntryTest, ALineForAPersonIsTheMessageBehindWhoWroteIt) {
  EXPECT_EQ(JournalLine("_COMM=sshd-session\nSYSLOG_IDENTIFIER=sshd\nSYSLOG_PID=1\n_PID=812\n"
                        "MESSAGE=Connection closed\n"),
            "sshd[812]: Connection closed");
  EXPECT_EQ(JournalLine("MESSAGE=a\n_COMM=x\nSYSLOG_PID=7\n"), "x[7]: a");
  EXPECT_EQ(JournalLine("MESSAGE=alone\n"), "alone");
  EXPECT_EQ(JournalLine("_PID=812\nXMESSAGE=no\n"), std::nullopt);
  // A message of several lines is counted, and no line of it is a field.
  std::string entry;
  AppendJournalField("MESSAGE", "two\n_PID=9", entry);
  EXPECT_EQ(JournalLine(entry + "_PID=8\n"), "[8]: two\n_PID=9");
}

TEST(JournalFieldsTest, CanonicalNamesStandBesideTheJournalsOwn) {
  const Fields fields = ParseFields(
      Format::kJournal,
      Entry("hello",
            "PRIORITY=3\nSYSLOG_FACILITY=10\nSYSLOG_IDENTIFIER=sshd\n_PID=812\n_UID=0\n_COMM=sshd\n"
            "_EXE=/usr/sbin/sshd\n_CMDLINE=sshd: ops [priv]\n_SYSTEMD_UNIT=ssh.service\n"
            "_HOSTNAME=web1\n_AUDIT_LOGINUID=1000\n_AUDIT_SESSION=3\nMY_OWN=x\n"));
  const std::pair<const char*, const char*> expected[] = {{"msg", "hello"},
                                                          {"severity", "err"},
                                                          {"facility", "authpriv"},
                                                          {"app", "sshd"},
                                                          {"pid", "812"},
                                                          {"uid", "0"},
                                                          {"comm", "sshd"},
                                                          {"exe", "/usr/sbin/sshd"},
                                                          {"cmd", "sshd: ops [priv]"},
                                                          {"unit", "ssh.service"},
                                                          {"syslog.host", "web1"},
                                                          {"auid", "1000"},
                                                          {"ses", "3"},
                                                          {"journal.MY_OWN", "x"},
                                                          {"journal.PRIORITY", "3"}};
  for (const auto& [name, value] : expected) {
    EXPECT_THAT(fields, testing::Contains(Field{name, value}));
    EXPECT_TRUE(IsFieldName(name)) << name;
  }
}

}  // namespace
}  // namespace logvault::formats
