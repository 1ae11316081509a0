// The program on an offline vault: what goes to standard output, what to standard error, and the exit codes.
#include <nlohmann/json.hpp>

#include "evidence/checkpoint.h"
#include "tests/cli/program_fixture.h"

namespace logvault::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

using UsageTest = ProgramTest;
using QueryTest = ProgramTest;
using OfflineTest = ProgramTest;
using LookTest = ProgramTest;

std::vector<nlohmann::json> Lines(const std::string& text) {
  std::vector<nlohmann::json> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    lines.push_back(nlohmann::json::parse(text.substr(at, end - at)));
    at = end + 1;
  }
  return lines;
}

TEST_F(UsageTest, HelpIsAResultAndMistakesAreNot) {
  EXPECT_EQ(Run({"--help"}).code, 0);
  EXPECT_THAT(Run({"--help"}).out, HasSubstr("Exit codes: 0 found"));
  for (const char* command :
       {"status", "query", "hosts", "show", "verify", "proof", "export", "checkpoint", "pki"}) {
    EXPECT_EQ(Run({command, "--help"}).code, 0) << command;
  }
  const std::vector<std::vector<std::string>> mistakes = {
      {},
      {"frob"},
      {"query", "--nope"},
      {"query", "-o", "xml"},
      {"query", "-n", "many"},
      {"query", "--since", "soon"},
      {"query", "--tz", "Mars/Base"},
      {"query", "hots=a"},
      {"query", "a", "|", "stats"},
      {"show"},
      {"show", "a/b"},
      {"query", "--by", "magic"},
      {"query", "--since", "1h", "--until", "2h"},
      {"checkpoint"},
      {"proof"},
      {"proof", "a/b/1"},
      {"proof", "a/b", "--out", "f"},
      {"proof", "a/b/1", "--check", "f"},
      {"proof", "--check", "f"},
      {"export"},
      {"export", "x", "--out", "f"},
      {"export", "--check", "f"},
      {"pki"},
      {"tail"},
      {"timeline", "x"},
      {"timeline", "x", "--every", "soon"},
      {"timeline", "x", "--every", "1h", "--by-field", "hots"},
      {"timeline", "x", "--every", "1h", "-o", "raw"},
      {"tail", "x | limit 1"},
      {"query", "x", "-C", "many"},
      {"query", "x", "-C", "-1"},
      {"query", "x", "-C", "1001"},
      {"query", "x", "-C", "3", "-o", "csv"},
      {"query", "x", "-C", "3", "--count"},
      {"query", "x", "--receipt", "f"}};
  for (const std::vector<std::string>& mistake : mistakes) {
    Ran ran = RunOffline(mistake);
    EXPECT_EQ(ran.code, 2) << ::testing::PrintToString(mistake);
    EXPECT_EQ(ran.out, "") << ::testing::PrintToString(mistake);
    EXPECT_NE(ran.err, "") << ::testing::PrintToString(mistake);
  }
  EXPECT_THAT(RunOffline({"query", "hots=a"}).err, HasSubstr("did you mean 'host'?"));
  EXPECT_THAT(RunOffline({"tail"}).err, HasSubstr("a running vault"));
}

TEST_F(UsageTest, ARemoteCommandNeedsAVaultAndCredentials) {
  Ran ran = Run({"status"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.err, HasSubstr("LOGVAULT_VAULT"));
  ran = Run({"status"}, {{"LOGVAULT_VAULT", "127.0.0.1:1"}});
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.err, HasSubstr("LOGVAULT_CREDENTIALS"));
  ran = Run({"status"}, {{"LOGVAULT_VAULT", "127.0.0.1:1"}, {"LOGVAULT_CREDENTIALS", "/nowhere"}});
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.err, HasSubstr("/nowhere/vault.pub"));
}

TEST_F(UsageTest, NobodyListeningIsExit6) {
  const std::string dir = (folder_.path() / "pki").string();
  ASSERT_EQ(Run({"pki", "init", dir, "--name", "lab-vault"}).code, 0);
  const std::string alice = (folder_.path() / "alice").string();
  ASSERT_EQ(
      Run({"pki", "issue", dir, "--role", "investigator", "--name", "alice", "--out", alice}).code,
      0);
  Ran ran = Run({"status", "--vault", "127.0.0.1:1", "--credentials", alice});
  EXPECT_EQ(ran.code, 6) << ran.err;
  EXPECT_EQ(ran.out, "");
}

TEST_F(UsageTest, TheConfigurationFileIsStrict) {
  Write("config/logvault/config.yaml", "vault: 127.0.0.1:1\ncredentials: creds\n");
  const std::map<std::string, std::string> environment = {
      {"XDG_CONFIG_HOME", (folder_.path() / "config").string()}};
  EXPECT_THAT(Run({"status"}, environment).err, HasSubstr("config/logvault/creds/vault.pub"));
  Write("config/logvault/config.yaml", "valut: 127.0.0.1:1\n");
  Ran ran = Run({"status"}, environment);
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.err, HasSubstr("config.yaml:1"));
  EXPECT_THAT(ran.err, HasSubstr("vault"));
}

TEST_F(UsageTest, PkiIssuesAndRevokes) {
  const std::string dir = (folder_.path() / "pki").string();
  ASSERT_EQ(Run({"pki", "init", dir, "--name", "lab-vault"}).code, 0);
  EXPECT_EQ(Run({"pki", "init", dir, "--name", "lab-vault"}).code, 2) << "there is one";
  const std::string out = (folder_.path() / "c").string();
  EXPECT_EQ(Run({"pki", "issue", dir, "--role", "collector", "--name", "vault01", "--san",
                 "127.0.0.1", "--san", "localhost", "--ttl", "90s", "--out", out})
                .code,
            0);
  for (const char* file : {"ca.pem", "cert.pem", "key.pem", "vault.pub", "crl.pem", "vault.key"}) {
    EXPECT_TRUE(std::filesystem::exists(std::filesystem::path(out) / file)) << file;
  }
  EXPECT_EQ(Run({"pki", "issue", dir, "--role", "king", "--name", "x", "--out", out + "2"}).code,
            2);
  EXPECT_EQ(
      Run({"pki", "issue", dir, "--role", "admin", "--name", "x", "--ttl", "5", "--out", out + "2"})
          .code,
      2);
  EXPECT_EQ(Run({"pki", "revoke", dir, "vault01"}).code, 0);
  EXPECT_EQ(Run({"pki", "revoke", dir, "nobody"}).code, 2);
}

TEST_F(QueryTest, ResultsOnStdoutAndCompletenessOnStderr) {
  Commit("geo01", "app", {{"one x\n", 1, 1}, {"two\n", 2, 2}, {"three X\n", 3, 3}});
  Ran ran = RunOffline({"query", "x"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.out,
            "1970-01-01T00:00:00.000Z  geo01  app  one x\n"
            "1970-01-01T00:00:00.000Z  geo01  app  three X\n");
  EXPECT_THAT(ran.err, HasSubstr("warning: key not pinned"));
  EXPECT_THAT(ran.err, HasSubstr("complete: 2 records; blocks: 1 in scope, 0 pruned, 1 scanned, 0 "
                                 "unreadable; tree size 4"));
}

TEST_F(QueryTest, SeveralExpressionsAreJoinedByBlanks) {
  Commit("geo01", "app", {{"a [b] c\n"}, {"a\n"}, {"c hosts\n"}});
  EXPECT_EQ(RunOffline({"query", "a", "[b]", "", "--count"}).out, "1\n");
  EXPECT_EQ(RunOffline({"query", "a", "or", "hosts", "--count"}).out, "3\n");
  EXPECT_EQ(RunOffline({"query", "--count", "--", "-nothing"}).out, "0\n");
}

TEST_F(QueryTest, NoMatchIsExit1) {
  Commit("geo01", "app", {{"a\n"}});
  Ran ran = RunOffline({"query", "zzz"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_EQ(ran.out, "");
  ran = RunOffline({"query", "zzz", "--count"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_EQ(ran.out, "0\n");
  EXPECT_THAT(RunOffline({"query", "-H", "nohost"}).err,
              HasSubstr("the vault never saw host 'nohost'"));
}

TEST_F(QueryTest, ALimitIsExit0AndNamed) {
  Commit("geo01", "app", {{"a\n", 1, 1}, {"b\n", 2, 2}, {"c\n", 3, 3}});
  Ran ran = RunOffline({"query", "-n", "2"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.out, Not(HasSubstr("  c\n")));
  EXPECT_THAT(ran.err, HasSubstr("limit reached, there may be more: 2 records"));
  EXPECT_THAT(RunOffline({"query", "-n", "0"}).err, HasSubstr("complete: 3 records"));
}

TEST_F(QueryTest, JsonHasTheNamedKeys) {
  Commit("geo01", "app", {{"a\xff\n", 1'720'685'635'123'456'789, kStart}});
  Ran ran = RunOffline({"query", "-o", "json"});
  const nlohmann::json row = Lines(ran.out).at(0);
  for (const char* key : {"host", "source", "seq", "time", "read_time", "commit_time", "block",
                          "message", "fields"}) {
    EXPECT_TRUE(row.contains(key)) << key;
  }
  EXPECT_EQ(row["seq"], 1);
  EXPECT_EQ(row["time"], "2024-07-11T08:13:55.123456789Z");
  EXPECT_EQ(row["message"], "a\xef\xbf\xbd");
  EXPECT_EQ(row["message_base64"], "Yf8K");
}

TEST_F(QueryTest, RawIsTheSourcesBytes) {
  Commit("geo01", "app", {{std::string("a\0\n", 3), 9, 9}, {"b\r\n", 1, 1}});
  Commit("geo01", "app", {{"c without end", 5, 5}});
  EXPECT_EQ(RunOffline({"query", "-S", "app", "-o", "raw"}).out,
            std::string("a\0\nb\r\nc without end", 19));
}

TEST_F(QueryTest, AReaderThatLeavesEndsItQuietly) {
  std::vector<Record> records(5000, Record{std::string(100, 'x') + "\n"});
  Commit("geo01", "app", records);
  vault_.reset();
  const std::string command = std::string("sh -c '") + LOGVAULT_PROGRAM + " --offline " +
                              options_.dir + " query 2>" + (folder_.path() / "err").string() +
                              " | head -1 >/dev/null'";
  EXPECT_EQ(std::system(command.c_str()), 0);
  std::ifstream err(folder_.path() / "err");
  const std::string text((std::istreambuf_iterator<char>(err)), {});
  EXPECT_THAT(text, Not(HasSubstr("pipe")));
}

TEST_F(QueryTest, AnInterruptShowsWhatIsThereAndIsExit130) {
  // More than a pipe holds, so that the program waits in the middle for a reader.
  for (int block = 0; block < 30; ++block) {
    Commit("geo01", "app", std::vector<Record>(200, Record{std::string(200, 'x') + "\n"}));
  }
  std::unique_ptr<Program> program = StartOffline({"query", "x"});
  program->AwaitOutput();
  program->Signal(SIGINT);
  Ran ran = program->Finish();
  EXPECT_EQ(ran.code, 130);
  EXPECT_THAT(ran.out, HasSubstr("xxx"));
  EXPECT_THAT(ran.err, HasSubstr("INCOMPLETE: "));
  EXPECT_THAT(ran.err, HasSubstr("; interrupted"));
}

TEST_F(QueryTest, TamperedPayloadsAreExit4WithTheRestAnswered) {
  const std::uint64_t gone = Commit("geo01", "app", {{"x1\n"}});
  Commit("geo01", "app", {{"x2\n"}});
  Tamper([&](storage::Tables& tables) { DropPayload(tables, gone); });
  Ran ran = RunOffline({"query", "x"});
  EXPECT_EQ(ran.code, 4);
  EXPECT_THAT(ran.out, HasSubstr("x2"));
  EXPECT_THAT(ran.err,
              HasSubstr("unreadable: block " + std::to_string(gone) + " (geo01/app 1..1)"));
  EXPECT_THAT(ran.err, HasSubstr("INCOMPLETE: 1 record"));
  EXPECT_EQ(RunOffline({"query", "nothing"}).code, 4) << "4 goes before 1";
}

TEST_F(QueryTest, ExplainDoesNotRun) {
  Ran ran = Run({"query", "a", "or", "not", "b", "--explain"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.out, HasSubstr("expression: (a or not b)"));
}

TEST_F(OfflineTest, VaultPubPinsTheKey) {
  Commit("geo01", "app", {{"x\n"}});
  const std::string opening = evidence::ToBase64(genesis_.opening_public_key) + "\n";
  Write("good/vault.pub",
        evidence::VerifierKey::For(genesis_.origin, key_.public_key()).ToString() + "\n" + opening);
  Ran ran = RunOffline({"query", "x", "--credentials", (folder_.path() / "good").string()});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, Not(HasSubstr("not pinned")));
  const evidence::SigningKey other = evidence::SigningKey::Generate();
  Write("bad/vault.pub",
        evidence::VerifierKey::For(evidence::OriginFor("lab-vault", other.public_key()),
                                   other.public_key())
                .ToString() +
            "\n" + opening);
  EXPECT_EQ(RunOffline({"query", "x", "--credentials", (folder_.path() / "bad").string()}).code, 4);
}

TEST_F(OfflineTest, AFolderBehindItsAnchorIsExit4) {
  Commit("geo01", "app", {{"x\n"}});
  vault_.reset();
  const std::filesystem::path copy = folder_.path() / "copy";
  std::filesystem::copy(options_.dir, copy, std::filesystem::copy_options::recursive);
  Reopen();
  Commit("geo01", "app", {{"x\n"}});
  vault_.reset();
  EXPECT_EQ(RunOffline({"query", "x"}).code, 0);
  std::filesystem::remove_all(options_.dir);
  std::filesystem::rename(copy, options_.dir);
  Ran ran = RunOffline({"query", "x"});
  EXPECT_EQ(ran.code, 4);
  EXPECT_THAT(ran.err, HasSubstr("the newest blocks are gone"));
  EXPECT_NE(ran.out, "") << "what is there is answered";
  EXPECT_EQ(RunOffline({"status"}).code, 4);
}

TEST_F(OfflineTest, NothingIsWritten) {
  Commit("geo01", "app", {{"x\n"}});
  vault_.reset();
  auto listing = [this] {
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.path())) {
      if (!entry.is_regular_file()) continue;
      std::ifstream file(entry.path(), std::ios::binary);
      files[entry.path().string()] = std::string((std::istreambuf_iterator<char>(file)), {});
    }
    return files;
  };
  const auto before = listing();
  RunOffline({"query", "x"});
  RunOffline({"verify"});
  RunOffline({"status"});
  EXPECT_EQ(listing(), before);
}

TEST_F(OfflineTest, AVaultThatIsOpenElsewhereIsReadBesideIt) {
  Commit("geo01", "app", {{"x\n"}});
  EXPECT_EQ(Run({"--offline", options_.dir, "query", "x", "--count"}).out, "1\n");
}

TEST_F(LookTest, StatusEndsWithTheNoteAndCheckpointWritesIt) {
  Commit("geo01", "app", {{"x\n"}});
  const std::string note = vault_->head().note;
  Ran ran = RunOffline({"status"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_TRUE(ran.out.ends_with("\n\n" + note)) << ran.out;
  EXPECT_EQ(Lines(RunOffline({"status", "-o", "json"}).out).at(0)["note"], note);
  const std::string file = (folder_.path() / "head.note").string();
  EXPECT_EQ(RunOffline({"checkpoint", "--out", file}).code, 0);
  std::ifstream written(file, std::ios::binary);
  EXPECT_EQ(std::string((std::istreambuf_iterator<char>(written)), {}), note);
}

TEST_F(LookTest, HostsNamesStreams) {
  Commit("geo01", "app", {{"x\n", kNoTime, kStart}});
  Commit("sql01", "mssql", {{"x\n"}, {"y\n"}});
  const auto lines = Lines(RunOffline({"hosts", "-o", "json"}).out);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0]["host"], "geo01");
  EXPECT_EQ(lines[0]["source"], "app");
  EXPECT_EQ(lines[0]["records"], 1);
  EXPECT_EQ(lines[0]["first_time"], "2025-11-24T16:00:00.000000000Z");
  EXPECT_EQ(lines[1]["last_seq"], 2);
  EXPECT_THAT(RunOffline({"hosts"}).out, StartsWith("HOST "));
}

TEST_F(LookTest, ShowGivesOneRecordVerified) {
  Commit("geo01", "app", {{"first\n"}, {"second\xff\n"}});
  Ran ran = RunOffline({"show", "geo01/app/2"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("second\\xff"));
  EXPECT_THAT(ran.out, HasSubstr("in the signed tree of size 4"));
  EXPECT_EQ(RunOffline({"show", "geo01/app/2", "-o", "raw"}).out, "second\xff\n");
  EXPECT_EQ(Lines(RunOffline({"show", "geo01/app/1", "-o", "json"}).out).at(0)["message"], "first");
  EXPECT_EQ(RunOffline({"show", "geo01/app/3"}).code, 1);
  EXPECT_EQ(RunOffline({"show", "geo01/nothing/1"}).code, 1);
}

TEST_F(LookTest, ShowRefusesARecordThatIsNotWhatWasSigned) {
  const std::uint64_t block = Commit("geo01", "app", {{"first\n"}});
  const std::uint64_t other = Commit("geo01", "app", {{"other\n"}});
  Result<std::string> frame = vault_->reader().Payload(other, BlockAt(other).commit_time);
  ASSERT_TRUE(frame.ok()) << frame.status();
  Tamper([&](storage::Tables& tables) { ReplacePayload(tables, block, *frame); });
  Ran ran = RunOffline({"show", "geo01/app/1"});
  EXPECT_EQ(ran.code, 4);
  EXPECT_EQ(ran.out, "");
}

TEST_F(LookTest, VerifyNamesTheBadBlock) {
  Commit("geo01", "app", {{"x\n"}});
  const std::uint64_t gone = Commit("geo01", "app", {{"y\n"}, {"z\n"}});
  Tamper([&](storage::Tables& tables) { DropPayload(tables, gone); });
  Ran ran = RunOffline({"verify", "-o", "json"});
  EXPECT_EQ(ran.code, 4);
  bool named = false;
  for (const nlohmann::json& finding : Lines(ran.out)) {
    named = named ||
            (finding["block"] == gone && finding["host"] == "geo01" && finding["source"] == "app" &&
             finding["first_seq"] == 2 && finding["last_seq"] == 3 && finding.contains("reason"));
  }
  EXPECT_TRUE(named) << ran.out;
}

}  // namespace
}  // namespace logvault::cli
