// Events of several records: arguments over records, each value once; beside what other programs read out of the same records.
#include "formats/event_fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>

#include "formats/hex.h"
#include "tests/support/shared_data.h"

namespace logvault::formats {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using Json = nlohmann::json;
using Strings = std::vector<std::string>;

constexpr const char* kStamp = " msg=audit(1720703655.123:4711): ";

std::string Record(const std::string& type, const std::string& body) {
  return "type=" + type + kStamp + body;
}

Strings ValuesOf(const Fields& fields, std::string_view name) {
  Strings values;
  for (const Field& field : fields) {
    if (field.name == name) values.push_back(field.value);
  }
  return values;
}

TEST(EventFieldsTest, OneEventSaysWhatItsRecordsSay) {
  const Strings records = {
      Record("SYSCALL", "arch=c000003e syscall=59 success=yes pid=9 exe=\"/usr/bin/wget\""),
      Record("EXECVE", "argc=2 a0=\"wget\" a1=\"http://x/y\""), Record("CWD", "cwd=\"/tmp\""),
      Record("PATH", "item=0 name=\"/usr/bin/wget\""),
      Record("PATH", "item=1 name=\"/lib/ld.so\"")};
  const Fields fields = ParseAuditEvent(records);
  EXPECT_THAT(ValuesOf(fields, "type"), ElementsAre("SYSCALL", "EXECVE", "CWD", "PATH"));
  EXPECT_THAT(ValuesOf(fields, "serial"), ElementsAre("4711"));
  EXPECT_THAT(ValuesOf(fields, "syscall"), ElementsAre("59", "execve"));
  EXPECT_THAT(ValuesOf(fields, "cmd"), ElementsAre("wget http://x/y"));
  EXPECT_THAT(ValuesOf(fields, "file"), ElementsAre("/usr/bin/wget", "/lib/ld.so"));
  EXPECT_EQ(ValueOf(fields, "cwd"), "/tmp");
}

TEST(EventFieldsTest, ArgumentsGoOnFromOneRecordToTheNext) {
  const Strings records = {Record("EXECVE", "argc=4 a0=\"sh\" a1_len=6 a1[0]=6161"),
                           Record("EXECVE",
                                  " a1[1]=6262 a1[2]=6363\x1D"
                                  "ARCH=x"),
                           Record("EXECVE", "a2=\"d\" a3=6520")};
  const Fields fields = ParseAuditEvent(records);
  EXPECT_THAT(ValuesOf(fields, "a1"), ElementsAre("aabbcc"));
  EXPECT_THAT(ValuesOf(fields, "a3"), ElementsAre("e "));
  EXPECT_THAT(ValuesOf(fields, "cmd"), ElementsAre("sh aabbcc d e "));
}

TEST(EventFieldsTest, AnErrorOfSqlServerAndItsSentence) {
  const Strings records = {
      "2024-07-11 13:14:15.55 Logon       Error: 18456, Severity: 14, State: 8.",
      "2024-07-11 13:14:15.55 Logon       Login failed for user 'sa'. Reason: Password did not "
      "match that for the login "
      "provided. [CLIENT: 203.0.113.7]"};
  const Fields fields = JoinFields(Format::kSqlserver, records);
  EXPECT_THAT(ValuesOf(fields, "event_id"), ElementsAre("18456"));
  EXPECT_EQ(ValueOf(fields, "sql.state"), "8");
  EXPECT_EQ(ValueOf(fields, "user"), "sa");
  EXPECT_EQ(ValueOf(fields, "src.ip"), "203.0.113.7");
}

std::string FileText(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

Strings Lines(const std::string& text) {
  Strings lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

// Argument lists as laurel writes them: strings, or nothing comparable.
std::optional<std::string> CommandOf(const Json& event) {
  if (!event.contains("EXECVE") || !event["EXECVE"].contains("ARGV")) return std::nullopt;
  std::string command;
  for (const Json& argument : event["EXECVE"]["ARGV"]) {
    if (!argument.is_string()) return std::nullopt;
    command += (command.empty() ? "" : " ") + argument.get<std::string>();
  }
  return command;
}

// The values of one event that both give, compared.
std::size_t CompareWithLaurel(const Fields& fields, const Json& event) {
  std::size_t compared = 0;
  if (const std::optional<std::string> command = CommandOf(event)) {
    EXPECT_THAT(ValuesOf(fields, "cmd"), Contains(*command));
    ++compared;
  }
  const Json syscall = event.value("SYSCALL", Json::object());
  for (const char* name : {"comm", "exe", "success", "tty", "SYSCALL", "ARCH", "AUID", "UID", "pid",
                           "ppid", "uid", "syscall", "exit"}) {
    if (!syscall.contains(name) || syscall[name].is_null() || syscall[name].is_object()) continue;
    const std::string value =
        syscall[name].is_string() ? syscall[name].get<std::string>() : syscall[name].dump();
    EXPECT_THAT(ValuesOf(fields, name), Contains(value)) << name;
    ++compared;
  }
  return compared;
}

TEST(EventFieldsTest, AgreesWithLaurel) {
  const auto folder = testing::SharedData("logs/auditd/laurel");
  if (!folder) return;
  std::size_t events = 0, compared = 0;
  for (const auto& entry : std::filesystem::directory_iterator(*folder)) {
    if (entry.path().extension() != ".json") continue;
    SCOPED_TRACE(entry.path().filename());
    std::filesystem::path log = entry.path();
    const Strings lines = Lines(FileText(log.replace_extension(".txt")));
    for (const std::string& line : Lines(FileText(entry.path()))) {
      const Json event = Json::parse(line);
      Strings records;
      const std::string stamp = "audit(" + event["ID"].get<std::string>() + ")";
      std::copy_if(
          lines.begin(), lines.end(), std::back_inserter(records),
          [&stamp](const std::string& record) { return record.find(stamp) != std::string::npos; });
      ++events;
      compared += CompareWithLaurel(ParseAuditEvent(records), event);
    }
  }
  std::cout << "laurel: " << events << " events, " << compared << " values compared\n";
  EXPECT_GT(compared, 0U);
}

// go-libaudit's golden files: what each record says, by names of ours.
TEST(EventFieldsTest, AgreesWithGoLibaudit) {
  const auto folder = testing::SharedData("logs/auditd/go-libaudit");
  if (!folder) return;
  std::size_t records = 0, compared = 0;
  for (const auto& entry : std::filesystem::directory_iterator(*folder)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with("auparse_") || entry.path().extension() != ".golden") continue;
    for (const Json& record : Json::parse(FileText(entry.path()))) {
      if (!record.is_object() || !record.contains("raw_msg") || !record.contains("data") ||
          !record["data"].is_object())
        continue;
      std::string type = record["record_type"];
      for (char& c : type) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      const std::string raw = "type=" + type + " msg=" + record["raw_msg"].get<std::string>();
      const Fields fields = ParseFields(Format::kAuditd, raw);
      ++records;
      for (const char* field :
           {"exe", "cwd", "comm", "acct", "name", "cmd", "terminal", "hostname", "tty", "pid",
            "ppid", "op", "proctitle", "argc", "nametype", "inode", "key"}) {
        if (!record["data"].contains(field) || !record["data"][field].is_string()) continue;
        EXPECT_THAT(ValuesOf(fields, field), Contains(record["data"][field].get<std::string>()))
            << name << ": " << raw;
        ++compared;
      }
    }
  }
  std::cout << "go-libaudit: " << records << " records, " << compared << " values compared\n";
  EXPECT_GT(compared, 0U);
}

}  // namespace
}  // namespace logvault::formats
