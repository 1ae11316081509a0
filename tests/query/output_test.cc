// Output: each format's lines, byte for byte.
#include "query/output.h"

#include <gtest/gtest.h>

#include "evidence/payload.h"

namespace logvault::query {
namespace {

constexpr UnixNanos kEvent = 1'720'685'635'123'456'789;
constexpr UnixNanos kRead = 1'764'000'000 * kNanosPerSecond;

Row RowWith(std::string_view bytes) {
  Row row;
  row.host = "geo01";
  row.source = "app";
  row.seq = 17;
  row.event_time = kEvent;
  row.read_time = kRead;
  row.commit_time = kRead + 1;
  row.block = 5;
  row.origin = "/var/log/app.log";
  row.bytes = bytes;
  return row;
}

std::string Written(OutputFormat format, const Row& row) {
  RowWriter writer(format, formats::TimeZone::Utc());
  std::string out;
  writer.Begin(out);
  writer.Add(row, out);
  return out;
}

TEST(JsonOutputTest, OneObjectALine) {
  EXPECT_EQ(
      Written(OutputFormat::kJson, RowWith("a \"b\" \\ \x1b[31m\n")),
      R"({"host":"geo01","source":"app","seq":17,"time":"2024-07-11T08:13:55.123456789Z",)"
      R"("read_time":"2025-11-24T16:00:00.000000000Z","commit_time":"2025-11-24T16:00:00.000000001Z","block":5,)"
      R"("message":"a \"b\" \\ \u001b[31m","origin":"/var/log/app.log","fields":{}})"
      "\n");
}

TEST(JsonOutputTest, AFieldWithSeveralValuesIsAListWhereItStoodFirst) {
  Row row = RowWith("{\"a\":[1,2],\"b\":\"x\",\"c\":3,\"a\":4,\"c\":5}\n");
  row.format = formats::Format::kJson;
  const std::string out = Written(OutputFormat::kJson, row);
  EXPECT_EQ(
      out.substr(out.find("\"fields\"")),
      "\"fields\":{\"json.a\":[\"1\",\"2\",\"4\"],\"json.b\":\"x\",\"json.c\":[\"3\",\"5\"]}}\n");
}

TEST(JsonOutputTest, BytesThatAreNoTextComeBackInBase64WithTheirTerminator) {
  const std::string out = Written(OutputFormat::kJson, RowWith("a\xff\r\n"));
  EXPECT_NE(out.find("\"message\":\"a\xef\xbf\xbd\",\"message_base64\":\"Yf8NCg==\""),
            std::string::npos)
      << out;
}

TEST(JsonOutputTest, SaysWhenTheTimeIsThatOfReading) {
  Row row = RowWith("x");
  row.event_time = kNoTime;
  const std::string out = Written(OutputFormat::kJson, row);
  EXPECT_NE(out.find("\"time\":\"2025-11-24T16:00:00.000000000Z\",\"time_from\":\"read\""),
            std::string::npos)
      << out;
}

TEST(JsonOutputTest, MarksWhatLiesOutsideTheWindowAndWhatWasCut) {
  Row row = RowWith("x");
  row.outside_window = true;
  row.flags = evidence::kRecordPartial | evidence::kRecordReread;
  const std::string out = Written(OutputFormat::kJson, row);
  EXPECT_NE(out.find("\"flags\":[\"partial\",\"reread\"],\"outside_window\":true"),
            std::string::npos)
      << out;
}

TEST(JsonOutputTest, Utf16IsShownAsUtf8) {
  Row row = RowWith(std::string_view("\xff\xfe\x41\x00\xe4\x00\x0d\x00\x0a\x00", 10));
  row.flags = evidence::kRecordUtf16Le;
  const std::string out = Written(OutputFormat::kJson, row);
  EXPECT_NE(out.find("\"message\":\"A\xc3\xa4\",\"origin\""), std::string::npos) << out;
}

TEST(CsvOutputTest, QuotesAsRfc4180Has) {
  EXPECT_EQ(Written(OutputFormat::kCsv, RowWith("a,\"b\"\nc\x1d\n")),
            "host,source,seq,time,read_time,commit_time,block,message\n"
            "geo01,app,17,2024-07-11T08:13:55.123456789Z,2025-11-24T16:00:00.000000000Z,"
            "2025-11-24T16:00:00.000000001Z,5,\"a,\"\"b\"\"\nc\\x1d\"\n");
}

TEST(RawOutputTest, IsTheBytes) {
  const std::string_view bytes("a\0\xff\x1b\r\n", 6);
  EXPECT_EQ(Written(OutputFormat::kRaw, RowWith(bytes)), bytes);
}

TEST(TextOutputTest, OneSafeLineARecord) {
  EXPECT_EQ(Written(OutputFormat::kText, RowWith("a\tb\nc\x1b[31m\x9b\xff \xe2\x80\xae\n")),
            "2024-07-11T08:13:55.123Z  geo01  app  a\\tb\\nc\\x1b[31m\\x9b\\xff \\u202e\n");
  EXPECT_EQ(EscapeForTerminal("\xc2\x9b"), "\\u009b");
  // Marks of direction, separators of lines, and what has no width at all.
  EXPECT_EQ(EscapeForTerminal(
                "\xd8\x9c \xe2\x80\xa8 \xe2\x80\xa9 \xe2\x80\x8b \xe2\x81\xa0 \xef\xbb\xbf"),
            "\\u061c \\u2028 \\u2029 \\u200b \\u2060 \\ufeff");
}

TEST(TextOutputTest, AJournalEntryIsItsMessageAndElsewhereAllOfIt) {
  Row row = RowWith("_PID=812\nMESSAGE=Connection \x1b closed\nSYSLOG_IDENTIFIER=sshd\n\n");
  row.format = formats::Format::kJournal;
  EXPECT_TRUE(Written(OutputFormat::kText, row).ends_with("  sshd[812]: Connection \\x1b closed\n"))
      << Written(OutputFormat::kText, row);
  EXPECT_EQ(Written(OutputFormat::kRaw, row), row.bytes);
  EXPECT_NE(Written(OutputFormat::kJson, row).find("_PID=812\\nMESSAGE="), std::string::npos);
  row.bytes = "_PID=812\n\n";
  EXPECT_TRUE(Written(OutputFormat::kText, row).ends_with("  _PID=812\\n\n"));
}

TEST(TextOutputTest, ColumnsGrowAndStay) {
  RowWriter writer(OutputFormat::kText, formats::TimeZone::Utc());
  std::string out;
  Row row = RowWith("x\n");
  row.host = "longer-name";
  writer.Add(row, out);
  out.clear();
  row.host = "geo01";
  writer.Add(row, out);
  EXPECT_EQ(out, "2024-07-11T08:13:55.123Z  geo01        app  x\n");
}

TEST(TextOutputTest, TimesAreInTheAskedZone) {
  Result<formats::TimeZone> zone = formats::TimeZone::Load("America/St_Johns");
  ASSERT_TRUE(zone.ok()) << zone.status();
  EXPECT_EQ(FormatInZone(kEvent, *zone), "2024-07-11T05:43:55.123-02:30");
  EXPECT_EQ(FormatInZone(-1, formats::TimeZone::Utc()), "1969-12-31T23:59:59.999Z");
}

}  // namespace
}  // namespace logvault::query
