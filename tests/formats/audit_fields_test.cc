// auditd's records by example, and every real one of the samples.
#include <gtest/gtest.h>
#include <re2/re2.h>

#include <cstdio>

#include "formats/event_time.h"
#include "tests/formats/field_matchers.h"
#include "tests/formats/framing.h"
#include "tests/formats/sample_files.h"

namespace logvault::formats {
namespace {

constexpr std::string_view kStamp = "msg=audit(1720703655.123:77): ";

Strings Audit(std::string_view type, std::string_view body) {
  Strings fields = FieldsOf(
      Format::kAuditd, "type=" + std::string(type) + " " + std::string(kStamp) + std::string(body));
  EXPECT_GE(fields.size(), 2U);
  if (fields.size() < 2) return fields;
  EXPECT_EQ(fields[0], "type=" + std::string(type));
  EXPECT_EQ(fields[1], "serial=77");
  return {fields.begin() + 2, fields.end()};
}

TEST(AuditFieldsTest, EnrichedNamesStandBesideTheirNumbers) {
  EXPECT_EQ(Audit("SYSCALL",
                  "arch=c000003e syscall=59 success=yes exit=0 a0=55d0 pid=9 uid=0 tty=(none) "
                  "comm=\"sh\" exe=\"/bin/dash\" key=(null)\x1D"
                  "ARCH=x86_64 SYSCALL=execve UID=\"root\""),
            (Strings{"arch=c000003e", "syscall=59", "success=yes", "exit=0", "a0=55d0", "pid=9",
                     "uid=0", "tty=(none)", "comm=sh", "exe=/bin/dash", "ARCH=x86_64",
                     "syscall=execve", "SYSCALL=execve", "user=root", "UID=root"}));
}

TEST(AuditFieldsTest, ANumberOfASystemCallIsNamedByItsArchitecture) {
  EXPECT_EQ(Audit("SYSCALL", "arch=c000003e syscall=42"),
            (Strings{"arch=c000003e", "syscall=42", "syscall=connect"}));
  EXPECT_EQ(Audit("SYSCALL", "arch=40000003 syscall=11"),
            (Strings{"arch=40000003", "syscall=11", "syscall=execve"}));
  EXPECT_EQ(Audit("SYSCALL", "arch=c00000b7 syscall=221"),
            (Strings{"arch=c00000b7", "syscall=221", "syscall=execve"}));
  EXPECT_EQ(Audit("SYSCALL", "arch=c000003e syscall=9999"),
            (Strings{"arch=c000003e", "syscall=9999"}));
  EXPECT_EQ(Audit("SYSCALL", "syscall=59"), Strings{"syscall=59"});
}

// As Linux 2.6.18 has it (RHEL 5), and in samples of user space's tests.
TEST(AuditFieldsTest, WhatOldMessagesPutInParenthesesIsPairsToo) {
  EXPECT_EQ(Audit("USER_AUTH",
                  "user pid=9 msg='PAM: authentication acct=\"root\" : exe=\"/usr/sbin/sshd\" "
                  "(hostname=h1, addr=192.0.2.7, terminal=ssh res=failed)'"),
            (Strings{"pid=9",
                     "msg=PAM: authentication acct=\"root\" : exe=\"/usr/sbin/sshd\" (hostname=h1, "
                     "addr=192.0.2.7, terminal=ssh res=failed)",
                     "user=root", "acct=root", "exe=/usr/sbin/sshd", "hostname=h1",
                     "src.ip=192.0.2.7", "addr=192.0.2.7", "terminal=ssh", "res=failed"}));
  EXPECT_EQ(Audit("USER_AUTH", "msg='op=x (hostname=?, addr=?, res=success)'"),
            (Strings{"msg=op=x (hostname=?, addr=?, res=success)", "op=x", "res=success"}));
  EXPECT_EQ(Audit("SYSCALL", "comm=(sd-pam) tty=(none) x=a, key=b)"),
            (Strings{"comm=(sd-pam)", "tty=(none)", "audit.x=a,", "key=b)"}));
}

TEST(AuditFieldsTest, AnInstructionPointerIsNoAddressOfANetwork) {
  EXPECT_EQ(Audit("SECCOMP", "sig=31 ip=0xb7670aac code=0x0"),
            (Strings{"sig=31", "audit.ip=0xb7670aac", "code=0x0"}));
}

TEST(AuditFieldsTest, HexadecimalIsDecodedInKnownFieldsOnly) {
  EXPECT_EQ(Audit("SYSCALL", "a0=6162 comm=6120622263 exe=\"6162\" ocomm=ABC name=abcd dev=6162"),
            (Strings{"a0=6162", "comm=a b\"c", "exe=6162", "ocomm=ABC", "name=abcd", "dev=6162"}));
}

TEST(AuditFieldsTest, ArgumentsBecomeACommand) {
  EXPECT_EQ(Audit("EXECVE", "argc=3 a0=\"sh\" a1=\"-c\" a2=6375726C207C207368"),
            (Strings{"argc=3", "a0=sh", "a1=-c", "a2=curl | sh", "cmd=sh -c curl | sh"}));
}

TEST(AuditFieldsTest, PiecesOfALongArgumentAreJoined) {
  EXPECT_EQ(Audit("EXECVE", "argc=2 a0=\"echo\" a1_len=6 a1[0]=6161 a1[1]=6262"),
            (Strings{"argc=2", "a0=echo", "audit.a1_len=6", "a1=aabb", "cmd=echo aabb"}));
}

TEST(AuditFieldsTest, NulsOfAProcessTitleAreBlanks) {
  EXPECT_EQ(Audit("PROCTITLE", "proctitle=6E63002D6C00"), Strings{"proctitle=nc -l"});
}

TEST(AuditFieldsTest, PathsAreFiles) {
  EXPECT_EQ(Audit("PATH", "item=0 name=2F746D702F6120622E6A7370 nametype=CREATE\x1DOUID=\"root\""),
            (Strings{"item=0", "file=/tmp/a b.jsp", "name=/tmp/a b.jsp", "nametype=CREATE",
                     "OUID=root"}));
}

TEST(AuditFieldsTest, SocketAddresses) {
  EXPECT_EQ(Audit("SOCKADDR", "saddr=02002BCBC63364070000000000000000"),
            (Strings{"saddr_fam=inet", "dst.ip=198.51.100.7", "dst.port=11211",
                     "saddr=02002BCBC63364070000000000000000"}));
  // The same family as a big-endian machine writes it.
  EXPECT_EQ(Audit("SOCKADDR", "saddr=0002115900000000")[1], "dst.ip=0.0.0.0");
  EXPECT_EQ(Audit("SOCKADDR",
                  "saddr=0A00115900000000"
                  "20010DB8000000000000000000000001"
                  "00000000")[1],
            "dst.ip=2001:db8::1");
  EXPECT_EQ(Audit("SOCKADDR", "saddr=01002F72756E2F7300FFFF")[1], "path=/run/s");
  EXPECT_EQ(Audit("SOCKADDR", "saddr=0100006162")[1], "path=@ab");
  EXPECT_EQ(Audit("SOCKADDR", "saddr=02"), Strings{"saddr=02"});
  EXPECT_EQ(Audit("SOCKADDR", "saddr=0200115"), Strings{"saddr=0200115"});
}

TEST(AuditFieldsTest, AnEnrichedSocketAddressIsOneValue) {
  EXPECT_EQ(Audit("SOCKADDR", "saddr=10\x1DSADDR={ saddr_fam=local path=/run/s }"),
            (Strings{"saddr=10", "SADDR={ saddr_fam=local path=/run/s }"}));
}

TEST(AuditFieldsTest, UserSpacesMessageIsNested) {
  const Strings expected = {
      "pid=9",
      "uid=0",
      "msg=op=PAM:auth  acct=\"ana\" exe=\"/usr/sbin/sshd\" addr=192.0.2.5 res=failed",
      "op=PAM:auth",
      "user=ana",
      "acct=ana",
      "exe=/usr/sbin/sshd",
      "src.ip=192.0.2.5",
      "addr=192.0.2.5",
      "res=failed",
      "UID=root"};
  const std::string body =
      "user pid=9 uid=0 msg='op=PAM:auth  acct=\"ana\" exe=\"/usr/sbin/sshd\" addr=192.0.2.5 "
      "res=failed'";
  EXPECT_EQ(Audit("USER_AUTH", body + "\x1DUID=\"root\""), expected);
  // People paste the separator away.
  EXPECT_EQ(Audit("USER_AUTH", body + "UID=\"root\""), expected);
}

TEST(AuditFieldsTest, WhatIsUnknownIsLeftAway) {
  EXPECT_EQ(Audit("USER_LOGIN",
                  "msg='op=login acct=28696E76616C6964207573657229 hostname=? addr=? res=failed'"),
            (Strings{"msg=op=login acct=28696E76616C6964207573657229 hostname=? addr=? res=failed",
                     "op=login", "user=(invalid user)", "acct=(invalid user)", "res=failed"}));
}

TEST(AuditFieldsTest, KeysAreSeparate) {
  EXPECT_EQ(Audit("SYSCALL", "key=6578656301637265"), (Strings{"key=exec", "key=cre"}));
}

TEST(AuditFieldsTest, AccessVectorDecisions) {
  EXPECT_EQ(Audit("AVC", "avc:  denied  { read write } for  pid=7 comm=\"p\" tclass=dir"),
            (Strings{"seresult=denied", "seperms=read write", "pid=7", "comm=p", "tclass=dir"}));
}

TEST(AuditFieldsTest, OldLoginsNameTheOldAndTheNewUser) {
  EXPECT_EQ(Audit("LOGIN", "login pid=7 uid=0 old auid=4294967295 new auid=700"),
            (Strings{"pid=7", "uid=0", "old-auid=4294967295", "auid=700"}));
}

TEST(AuditFieldsTest, UnknownKeysCanStillBeAskedFor) {
  EXPECT_EQ(Audit("UNKNOWN[1329]", "frobnicate=1"), Strings{"audit.frobnicate=1"});
}

TEST(AuditFieldsTest, NodeAndTruncatedRecords) {
  EXPECT_EQ(FieldsOf(Format::kAuditd, "node=web1 type=EOE msg=audit(1720703655.123:77):"),
            (Strings{"node=web1", "type=EOE", "serial=77"}));
  EXPECT_EQ(FieldsOf(Format::kAuditd, "type=CKADDR"), Strings{"type=CKADDR"});
  EXPECT_EQ(FieldsOf(Format::kAuditd, "type=A msg=audit(1"), (Strings{"type=A", "msg=audit(1"}));
  EXPECT_EQ(FieldsOf(Format::kAuditd, ""), Strings{});
}

TEST(AuditFieldsTest, AValueWithoutAKeyIsNoField) {
  EXPECT_EQ(Audit("UNKNOWN[1329]", "=1 a==2 ="), Strings{"audit.a==2"});
}

TEST(AuditFieldsTest, FieldsAreBounded) {
  std::string body;
  for (int i = 0; i < 100'000; ++i) body += "a={ ";
  EXPECT_EQ(ParseFields(Format::kAuditd, body).size(), kFieldsMax);
}

// The stamp of every record of the samples, found by other means.
TEST(AuditSampleTest, TimesAndSerialsEqualARegularExpression) {
  const re2::RE2 stamp(R"(audit\((\d+)\.(\d{3}):(\d+)\))");
  int records = 0;
  for (const SampleFile& file : SampleFiles()) {
    if (file.format != Format::kAuditd) continue;
    for (const std::string& record : Records(Format::kAuditd, file.bytes)) {
      TimeContext context;
      const UnixNanos time = EventTime(Format::kAuditd, record, context);
      std::string seconds;
      std::string millis;
      std::string serial;
      if (!re2::RE2::PartialMatch(record, stamp, &seconds, &millis, &serial)) {
        EXPECT_EQ(time, kNoTime) << record;
        continue;
      }
      EXPECT_EQ(time, std::stoll(seconds + millis + "000000")) << record;
      EXPECT_EQ(ValuesOf(Format::kAuditd, record, "serial"), Strings{serial}) << record;
      ++records;
    }
  }
  std::printf("%d audit records compared\n", records);
}

}  // namespace
}  // namespace logvault::formats
