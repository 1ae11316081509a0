// Syslog's fields by example, and by the test vectors of two other implementations where they are
// there.
#include <gtest/gtest.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <sstream>

#include "formats/event_time.h"
#include "tests/formats/field_matchers.h"
#include "tests/formats/sample_files.h"

namespace logvault::formats {
namespace {

using Json = nlohmann::json;

Strings Syslog(std::string_view text) { return FieldsOf(Format::kSyslog, text); }

TEST(SyslogFieldsTest, Files) {
  EXPECT_EQ(Syslog("Mar  6 01:02:03 web1 sshd[123]: Accepted key for ana: yes"),
            (Strings{"syslog.host=web1", "app=sshd", "pid=123", "msg=Accepted key for ana: yes"}));
  EXPECT_EQ(Syslog("2024-07-01T10:11:12.123456+02:00 web1 kernel: oops"),
            (Strings{"syslog.host=web1", "app=kernel", "msg=oops"}));
  EXPECT_EQ(Syslog("Jun  9 06:06:01 combo syslogd 1.4.1: restart."),
            (Strings{"syslog.host=combo", "app=syslogd", "msg=1.4.1: restart."}));
  EXPECT_EQ(Syslog("Sep 13 00:58:45 mac sandboxd[129] ([31211]): deny"),
            (Strings{"syslog.host=mac", "app=sandboxd", "pid=129", "msg=([31211]): deny"}));
  EXPECT_EQ(Syslog("Mar  6 01:02:03 h -- MARK --"),
            (Strings{"syslog.host=h", "app=--", "msg=MARK --"}));
  EXPECT_EQ(Syslog("Mar  6 01:02:03 fe80::1 postfix/smtpd[7]: x"),
            (Strings{"syslog.host=fe80::1", "app=postfix/smtpd", "pid=7", "msg=x"}));
}

TEST(SyslogFieldsTest, LinesThatGoOnFromTheOneBeforeAreMessagesOnly) {
  EXPECT_EQ(Syslog("\tASL Module claims"), Strings{"msg=\tASL Module claims"});
  EXPECT_EQ(Syslog("-- Logs begin at"), Strings{"msg=-- Logs begin at"});
  EXPECT_EQ(Syslog("{ \"c1\":1 }"), Strings{"msg={ \"c1\":1 }"});
  EXPECT_EQ(Syslog(""), Strings{});
}

TEST(SyslogFieldsTest, PrioritiesOutOfRangeAreSkippedNotGuessed) {
  EXPECT_EQ(Syslog("<34>Mar  6 01:02:03 h t: x")[1], "facility=auth");
  EXPECT_EQ(Syslog("<34>Mar  6 01:02:03 h t: x")[2], "severity=crit");
  EXPECT_EQ(Syslog("<192>Mar  6 01:02:03 h t: x"), (Strings{"syslog.host=h", "app=t", "msg=x"}));
  EXPECT_EQ(Syslog("<9999999999999999999999999999999>Mar  6 01:02:03 h t: x"),
            (Strings{"syslog.host=h", "app=t", "msg=x"}));
}

TEST(SyslogFieldsTest, StructuredData) {
  EXPECT_EQ(Syslog("<165>1 2003-10-11T22:14:15.003Z h evntslog - ID47 [ex@32473 iut=\"3\" "
                   "q=\"a\\\"b\\]\\\\\\n\"][e] \xEF\xBB\xBFhi"),
            (Strings{"pri=165", "facility=local4", "severity=notice", "syslog.host=h",
                     "app=evntslog", "msgid=ID47", "sd.ex@32473.iut=3", "sd.ex@32473.q=a\"b]\\\\n",
                     "sd.e=", "msg=\xEF\xBB\xBFhi"}));
}

TEST(SyslogFieldsTest, StructuredDataThatIsNoneBelongsToTheMessage) {
  EXPECT_EQ(Syslog("<165>1 - h a - - [broken x=1] hi").back(), "msg=[broken x=1] hi");
  EXPECT_EQ(Syslog("<165>1 - h a - - [broken x=\"1\"").back(), "msg=[broken x=\"1\"");
}

TEST(SyslogFieldsTest, NulsAndLineFeedsAfterAMessageAreNotPartOfIt) {
  EXPECT_EQ(Syslog(std::string_view("<34>Mar  6 01:02:03 h t: x\n\0", 28)).back(), "msg=x");
}

Json Vectors(const std::string& name) {
  const std::optional<std::filesystem::path> path =
      logvault::testing::SharedData("logs/syslog/parser-tests/" + name);
  if (!path) return Json::array();
  std::ifstream in(*path);
  return Json::parse(in);
}

std::string FromHex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

std::string First(std::string_view text, std::string_view name) {
  const Strings values = ValuesOf(Format::kSyslog, text, name);
  return values.empty() ? std::string() : values.front();
}

std::string Expected(const Json& value) {
  return value.is_string() ? value.get<std::string>() : "";
}

TEST(SyslogVectorTest, ValidRfc5424MessagesHaveTheFieldsAndTimeThatGoSyslogFinds) {
  int valid = 0;
  int invalid = 0;
  for (const Json& vector : Vectors("go-syslog_rfc5424_vectors.json")) {
    const std::string input = FromHex(vector["input_hex"]);
    TimeContext context;
    const UnixNanos time = EventTime(Format::kSyslog, input, context);
    if (!vector["valid"]) {
      FieldsOf(Format::kSyslog, input);
      ++invalid;
      continue;
    }
    const Json& expect = vector["expect"];
    SCOPED_TRACE(input);
    EXPECT_EQ(First(input, "pri"), std::to_string(expect["priority"].get<int>()));
    EXPECT_EQ(First(input, "syslog.host"), Expected(expect["hostname"]));
    EXPECT_EQ(First(input, "app"), Expected(expect["appname"]));
    EXPECT_EQ(First(input, "pid"), Expected(expect["procID"]));
    EXPECT_EQ(First(input, "msgid"), Expected(expect["msgID"]));
    EXPECT_EQ(First(input, "msg"), Expected(expect["message"]));
    EXPECT_EQ(time == kNoTime, expect["timestamp"].is_null());
    if (time != kNoTime) {
      // Read by the other path, as a line of a file begins with it.
      const std::string line = Expected(expect["timestamp"]) + " h t: x";
      EXPECT_EQ(time, EventTime(Format::kSyslog, line, context));
    }
    ++valid;
  }
  std::printf("%d valid and %d invalid RFC 5424 vectors\n", valid, invalid);
}

std::vector<std::string> Split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, separator);) parts.push_back(part);
  return parts;
}

std::string Found(std::string_view input, std::initializer_list<std::string_view> names) {
  std::string joined;
  for (const std::string_view name : names) {
    joined += (joined.empty() ? "" : ",") + First(input, name);
  }
  return joined;
}

// Compares with what rsyslog printed by the template of its own test.  False where the template or
// its options say nothing about our fields.
bool Compare(const std::string& test, const std::string& input, const std::string& expected) {
  const std::vector<std::string> parts = Split(expected, ',');
  SCOPED_TRACE(input);
  if (test == "parsertest-parse-nodate.sh") {
    // A priority that was not sent is not made up, and neither is a host.
    EXPECT_EQ(First(input, "pri"), input.starts_with('<') ? parts[0] : "");
    EXPECT_EQ(First(input, "syslog.host"), parts[3].starts_with('$') ? "" : parts[3]);
    EXPECT_EQ(First(input, "app"), parts[4]);
    return true;
  }
  if (test == "parsertest-parse2.sh" || test == "parsertest-parse_8bit_escape.sh") {
    EXPECT_EQ(Found(input, {"pri", "facility", "severity"}),
              parts[0] + "," + parts[1] + "," + parts[2]);
    EXPECT_EQ(First(input, "app"), parts[parts.size() - 3]);
    return true;
  }
  if (test == "parsertest-parse3.sh") {
    TimeContext context;
    const std::string time = FormatUtc(EventTime(Format::kSyslog, input, context)).substr(0, 19);
    EXPECT_EQ(parts[0], "\"" + time + "\"");
    EXPECT_EQ(parts[1], " \"" + First(input, "syslog.host") + "\"");
    EXPECT_EQ(parts[2], " \"" + First(input, "app") + "\"");
    EXPECT_EQ(parts[3], " \"" + First(input, "pid") + "\"");
    return true;
  }
  if (test == "pmrfc3164-msgFirstSpace.sh") {
    EXPECT_EQ(First(input, "msg"), expected.substr(1, expected.size() - 2));
    return true;
  }
  if (test == "pmrfc3164-json.sh") {
    EXPECT_EQ(First(input, "msg"), expected.substr(0, expected.find("---")));
    return true;
  }
  return false;
}

TEST(SyslogVectorTest, Rfc3164MessagesHaveTheTagsAndHostsThatRsyslogFinds) {
  int inputs = 0;
  int compared = 0;
  for (const Json& vector : Vectors("rsyslog_testbench_vectors.json")) {
    for (std::size_t i = 0; i < vector["inputs"].size(); ++i) {
      const std::string input = vector["inputs"][i];
      FieldsOf(Format::kSyslog, input);
      ++inputs;
      if (!vector["expected"].is_array() || i >= vector["expected"].size()) continue;
      if (Compare(vector["test"], input, vector["expected"][i])) ++compared;
    }
  }
  std::printf("%d RFC 3164 vectors, %d compared\n", inputs, compared);
}

}  // namespace
}  // namespace logvault::formats
