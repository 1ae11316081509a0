// What each format says by name, by example.  auditd and syslog have their own tests.
#include "formats/fields.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/formats/field_matchers.h"

namespace logvault::formats {
namespace {

TEST(FieldsTest, AccessCombined) {
  EXPECT_EQ(FieldsOf(Format::kAccess,
                     "203.0.113.7 - ana [11/Jul/2024:13:14:15 +0000] "
                     "\"GET /geoserver/wfs?valueReference=exec%28java.lang%29 HTTP/1.1\" 400 512 "
                     "\"http://maps.example/\" \"curl/8.5.0\""),
            (Strings{"src.ip=203.0.113.7", "user=ana", "http.method=GET", "http.version=HTTP/1.1",
                     "http.uri=/geoserver/wfs?valueReference=exec%28java.lang%29",
                     "http.path=/geoserver/wfs", "http.query=valueReference=exec(java.lang)",
                     "http.status=400", "http.bytes=512", "http.referer=http://maps.example/",
                     "http.ua=curl/8.5.0"}));
}

TEST(FieldsTest, AccessCommonLeavesAwayWhatIsNotThere) {
  EXPECT_EQ(FieldsOf(Format::kAccess, "web9 - - [11/Jul/2024:13:14:15 +0000] \"-\" 408 -"),
            (Strings{"src.host=web9", "http.status=408"}));
}

TEST(FieldsTest, AccessDialects) {
  EXPECT_EQ(ValuesOf(Format::kAccess,
                     "localhost:443 198.51.100.4 1j0 kim [26/Jul/2023:00:01:26 -0700] "
                     "\"GET / HTTP/2.0\" 200 17 \"-\" \"x\" 116075",
                     "user"),
            Strings{"kim"});
  EXPECT_EQ(
      FieldsOf(Format::kAccess,
               "10.1.1.5 -  -  [23/Dec/2014:21:20:35 +0000] \"POST /a\" 200 - \"-\" \"-\"  293"),
      (Strings{"src.ip=10.1.1.5", "http.method=POST", "http.uri=/a", "http.path=/a",
               "http.status=200"}));
  EXPECT_EQ(ValuesOf(Format::kAccess,
                     "10.1.1.5 [23/Dec/2014:21:20:35 +0000] \"GET / HTTP/1.0\" 200 1", "src.ip"),
            Strings{"10.1.1.5"});
  EXPECT_EQ(ValuesOf(Format::kAccess, "127.0.0.1 - - \"GET /bad.foo HTTP/1.1\" 404 65508 4.386",
                     "http.status"),
            Strings{"404"});
}

TEST(FieldsTest, AccessUsersMayHaveBlanksAndProxiesNameSeveralClients) {
  const auto client = [](const std::string& before) {
    return FieldsOf(Format::kAccess, before + " [23/Dec/2014:21:20:35 +0000] \"-\" 408 -");
  };
  EXPECT_EQ(client("203.0.113.7 - John Q Doe"),
            (Strings{"src.ip=203.0.113.7", "user=John Q Doe", "http.status=408"}));
  EXPECT_EQ(client("203.0.113.7 - bob [admin]"),
            (Strings{"src.ip=203.0.113.7", "user=bob [admin]", "http.status=408"}));
  EXPECT_EQ(client("www.a.org:443 203.0.113.7 - John Doe"),
            (Strings{"http.host=www.a.org:443", "src.ip=203.0.113.7", "user=John Doe",
                     "http.status=408"}));
  EXPECT_EQ(client("10.0.0.5 203.0.113.7 - kim"),
            (Strings{"http.host=10.0.0.5", "src.ip=203.0.113.7", "user=kim", "http.status=408"}));
  EXPECT_EQ(client("203.0.113.7, 10.0.0.1 - -"),
            (Strings{"src.ip=203.0.113.7", "src.ip=10.0.0.1", "http.status=408"}));
}

// As Tomcat wrote it before it escaped quotes: a client must not hide what the server answered.
TEST(FieldsTest, AccessRequestsMayHoldQuotesThatNobodyEscaped) {
  const std::string before = "203.0.113.9 - - [11/Jul/2024:13:14:15 +0000] ";
  EXPECT_EQ(
      FieldsOf(Format::kAccess, before + "\"GET /a\"b\" HTTP/1.1\" 200 77 \"-\" \"x\""),
      (Strings{"src.ip=203.0.113.9", "http.method=GET", "http.version=HTTP/1.1", "http.uri=/a\"b\"",
               "http.path=/a\"b\"", "http.status=200", "http.bytes=77", "http.ua=x"}));
  EXPECT_EQ(
      ValuesOf(Format::kAccess, before + "\"GET /a HTTP/1.1\" 31 200 \"-\" \"x\"", "http.uri"),
      Strings{"/a"});
}

TEST(FieldsTest, AccessQuotesAreEscaped) {
  const std::string line =
      "10.0.0.9 - - [11/Jul/2024:13:14:15 +0000] \"GET /a\\\"b HTTP/1.1\" 200 1 \"\\\\x\" "
      "\"say \\\"hi\\\"\\x41\\u00e4\\n\\q\"";
  EXPECT_EQ(ValuesOf(Format::kAccess, line, "http.path"), Strings{"/a\"b"});
  EXPECT_EQ(ValuesOf(Format::kAccess, line, "http.referer"), Strings{"\\x"});
  EXPECT_EQ(ValuesOf(Format::kAccess, line, "http.ua"), Strings{"say \"hi\"Aä\n\\q"});
}

TEST(FieldsTest, AccessTargets) {
  struct Example {
    std::string_view target, path, query;
  };
  for (const Example& e : {
           Example{"/a%2", "/a%2", ""},
           Example{"/a%zz%41", "/a%zzA", ""},
           Example{"/a?b+c=%00", "/a", std::string_view("b+c=\0", 5)},
           Example{"http://h:80/p?q", "/p", "q"},
           Example{"http://h", "", ""},
           Example{"/r?to=http://h/", "/r", "to=http://h/"},
           Example{"/with blank", "/with blank", ""},
           Example{"example.org:443", "example.org:443", ""},
       }) {
    const std::string line =
        "h - - [11/Jul/2024:13:14:15 +0000] \"GET " + std::string(e.target) + " HTTP/1.1\" 200 1";
    EXPECT_EQ(ValuesOf(Format::kAccess, line, "http.uri"), Strings{std::string(e.target)});
    EXPECT_EQ(ValuesOf(Format::kAccess, line, "http.path"), Strings{std::string(e.path)});
    EXPECT_EQ(ValuesOf(Format::kAccess, line, "http.query"),
              e.query.empty() ? Strings{} : Strings{std::string(e.query)});
  }
}

TEST(FieldsTest, GeoserverMessageAndExceptions) {
  EXPECT_EQ(
      FieldsOf(Format::kGeoserver,
               "11 Jul 13:14:15 ERROR  [geoserver.ows] - \n"
               "java.lang.ClassCastException: class java.lang.ProcessImpl cannot be cast\n"
               "\tat org.geoserver.ows.Dispatcher\n"
               "Caused by: org.example.Inner$OddError\n"),
      (Strings{"level=ERROR", "logger=geoserver.ows",
               "msg=java.lang.ClassCastException: class java.lang.ProcessImpl cannot be cast\n"
               "\tat org.geoserver.ows.Dispatcher\n"
               "Caused by: org.example.Inner$OddError\n",
               "exception=java.lang.ClassCastException", "exception=org.example.Inner$OddError"}));
}

TEST(FieldsTest, GeoserverLoggersMayHoldBrackets) {
  EXPECT_EQ(FieldsOf(Format::kGeoserver, "2017-11-17 10:11:43,386 WARN [Link [id = up]] - a - b"),
            (Strings{"level=WARN", "logger=Link [id = up]", "msg=a - b"}));
}

TEST(FieldsTest, GeoserverTextBeforeAnyHeaderIsAMessage) {
  EXPECT_EQ(FieldsOf(Format::kGeoserver, "java.lang.StackOverflowError\n\tat x"),
            (Strings{"msg=java.lang.StackOverflowError\n\tat x",
                     "exception=java.lang.StackOverflowError"}));
}

TEST(FieldsTest, GeoserverRequestFilter) {
  EXPECT_EQ(
      FieldsOf(Format::kGeoserver,
               "08 gen 11:30:13 INFO [geoserver.filters] - 127.0.0.1 "
               "\"GET /geoserver/wms?REQUEST=GetMap\" \"Mozilla/5.0\" \"-\" "),
      (Strings{"level=INFO", "logger=geoserver.filters",
               "msg=127.0.0.1 \"GET /geoserver/wms?REQUEST=GetMap\" \"Mozilla/5.0\" \"-\" ",
               "src.ip=127.0.0.1", "http.method=GET", "http.uri=/geoserver/wms?REQUEST=GetMap",
               "http.path=/geoserver/wms", "http.query=REQUEST=GetMap", "http.ua=Mozilla/5.0"}));
}

std::string Errorlog(std::string_view source, std::string_view message) {
  std::string padded(source);
  padded.resize(12, ' ');
  return "2024-07-11 13:14:15.55 " + padded + std::string(message);
}

TEST(FieldsTest, SqlserverError) {
  for (const std::string_view message :
       {"Error: 18456, Severity: 14, State: 8.", "Fehler: 18456, Schweregrad: 14, Status: 8."}) {
    EXPECT_EQ(FieldsOf(Format::kSqlserver, Errorlog("Logon", message)),
              (Strings{"sql.process=Logon", "msg=" + std::string(message), "event_id=18456",
                       "sql.error=18456", "sql.severity=14", "sql.state=8"}));
  }
}

TEST(FieldsTest, SqlserverLogins) {
  const std::string failed =
      "Login failed for user 'sa'. Reason: Failed to open the explicitly specified database "
      "'msdb'. "
      "[CLIENT: 203.0.113.7]";
  EXPECT_EQ(FieldsOf(Format::kSqlserver, Errorlog("Logon", failed)),
            (Strings{"sql.process=Logon", "msg=" + failed, "event_id=18456", "sql.user=sa",
                     "user=sa", "src.ip=203.0.113.7", "sql.database=msdb"}));
  const std::string succeeded =
      "Login succeeded for user 'DOM\\ana'. Connection made using Windows authentication. "
      "[CLIENT: <local machine>]";
  EXPECT_EQ(FieldsOf(Format::kSqlserver, Errorlog("Logon", succeeded)),
            (Strings{"sql.process=Logon", "msg=" + succeeded, "event_id=18453", "sql.user=DOM\\ana",
                     "user=DOM\\ana", "src.host=<local machine>"}));
}

TEST(FieldsTest, SqlserverUserNamesAndClientsMayTryToDeceive) {
  const std::string message =
      "Login failed for user 'x'. Reason: none. [CLIENT: 192.0.2.1]'. Reason: Could not find a "
      "login. "
      "[CLIENT: fe80::1%55]";
  EXPECT_EQ(ValuesOf(Format::kSqlserver, Errorlog("Logon", message), "sql.user"),
            Strings{"x'. Reason: none. [CLIENT: 192.0.2.1]"});
  EXPECT_EQ(ValuesOf(Format::kSqlserver, Errorlog("Logon", message), "src.ip"), Strings{"fe80::1"});
}

TEST(FieldsTest, SqlserverConfigurationChange) {
  const std::string message =
      "Configuration option 'xp_cmdshell' changed from 0 to 1. Run the RECONFIGURE statement to "
      "install.";
  EXPECT_EQ(FieldsOf(Format::kSqlserver, Errorlog("spid55", message) + "\r\n"),
            (Strings{"sql.process=spid55", "msg=" + message, "event_id=15457",
                     "sql.option=xp_cmdshell", "sql.old=0", "sql.new=1"}));
}

TEST(FieldsTest, SqlserverProcedure) {
  EXPECT_EQ(ValuesOf(Format::kSqlserver,
                     Errorlog("spid51",
                              "Using 'xplog70.dll' version '2019.150' to execute extended "
                              "stored procedure 'xp_msver'. This"),
                     "sql.procedure"),
            Strings{"xp_msver"});
}

TEST(FieldsTest, JsonLeavesHaveTheirPathAndWhereItFitsTheCanonicalName) {
  EXPECT_EQ(
      FieldsOf(
          Format::kJson,
          R"({"message":"hi","src":{"ip":"192.0.2.1"},"n":[1,2.50,true,null,{"x":"y"}],"z":"\u00e4"})"),
      (Strings{"msg=hi", "json.message=hi", "src.ip=192.0.2.1", "json.src.ip=192.0.2.1", "json.n=1",
               "json.n=2.50", "json.n=true", "json.n.x=y", "json.z=ä"}));
}

TEST(FieldsTest, JsonThatBreaksOffGivesWhatCameBefore) {
  EXPECT_EQ(FieldsOf(Format::kJson, R"({"a":"b","c":)"), Strings{"json.a=b"});
  EXPECT_EQ(FieldsOf(Format::kJson, "plain text"), Strings{});
}

TEST(FieldsTest, JsonOfAnyDepthCostsNoMoreThanItsLength) {
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += R"({"a":1,"b":)";
  const Fields fields = ParseFields(Format::kJson, deep);
  EXPECT_EQ(fields.size(), 32U);
  std::string wide = "[";
  for (int i = 0; i < 100'000; ++i) wide += R"({"a":1},)";
  EXPECT_EQ(ParseFields(Format::kJson, wide).size(), kFieldsMax);
  EXPECT_EQ(FieldsOf(Format::kJson, "{\"" + std::string(600, 'k') + "\":{\"x\":1},\"y\":2}"),
            Strings{"json.y=2"});
}

TEST(FieldsTest, PlainSaysNothingByName) { EXPECT_EQ(FieldsOf(Format::kPlain, "a=b"), Strings{}); }

TEST(FieldNamesTest, NamesAreSortedAndFound) {
  const auto names = KnownFieldNames();
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  for (const std::string_view name : names) EXPECT_TRUE(IsFieldName(name)) << name;
  for (const std::string_view name : {"json.a.b", "sd.ex@32473.iut", "audit.odd", "a10", "a123"}) {
    EXPECT_TRUE(IsFieldName(name)) << name;
  }
  for (const std::string_view name : {"", "json.", "sd", "jsonx", "a", "a1x", "Type", "srcip"}) {
    EXPECT_FALSE(IsFieldName(name)) << name;
  }
}

}  // namespace
}  // namespace logvault::formats
