"""Retention and holds: an administrator orders, the collector deletes, everybody can tell lawful deletion from tampering."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import Lab, wait_until  # noqa: E402

OK, NO_MATCH, USAGE, INTEGRITY, NOT_PERMITTED = 0, 1, 2, 4, 5


class RetentionTest(unittest.TestCase):
    def setUp(self):
        self.lab = Lab(self)
        self.admin = self.lab.issue("admin", "root")
        self.collector = self.lab.collector()
        self.host = self.lab.host("geo01")
        self.host.file("log", "plain", b"")
        for name in (b"first", b"second", b"third"):
            self.host.append("log.log", b"".join(b"%s %d\n" % (name, i) for i in range(100)))
            self.host.drain()

    def as_admin(self, *arguments, expect=OK):
        return self.lab.cli(*arguments, credentials=self.admin, expect=expect)

    def wait_deleted(self):
        self.collector.wait_line(r"deleted [1-9]\d* payloads")

    def test_what_an_administrator_orders_is_deleted_and_verify_says_so(self):
        self.assertEqual(300, self.lab.count("-S", "log"))
        self.as_admin("retention", "set", "--source", "log", "--keep", "1s", "--reason", "a test")
        self.wait_deleted()
        wait_until(lambda: self.lab.count("-S", "log") == 100, "the deletion of all but the newest batch", self.collector)
        answer = self.lab.cli("query", "-S", "log", "--count", expect=OK)
        self.assertIn("2 deleted under the retention policy", answer.err)
        self.assertIn("deleted under the retention policy", self.lab.cli("show", "geo01/log/1", expect=NO_MATCH).err)
        for verified in (self.lab.cli("verify", expect=OK), self.lab.offline("verify", credentials=self.admin, expect=OK)):
            self.assertIn("the records of 2 blocks deleted under the retention policy", verified.text)
        rule = self.lab.cli("retention", "list", "-o", "json", expect=OK).objects
        self.assertEqual([("*", "log", "1s")], [(r["host"], r["source"], r["keep"]) for r in rule])
        exported = self.lab.path("rest.tar")
        self.lab.cli("export", "-S", "log", "--out", exported, expect=OK)
        self.lab.cli("export", "--check", exported, expect=OK)
        self.assertEqual(OK, self.collector.stop())
        self.lab.offline("verify", credentials=self.admin, expect=OK)
        self.collector = self.lab.start_collector()
        self.assertEqual(100, self.lab.count("-S", "log"))
        self.as_admin("retention", "set", "--source", "log", "--keep", "default")
        self.lab.cli("retention", "list", expect=NO_MATCH)

    def test_a_hold_protects_and_its_end_is_recorded(self):
        self.as_admin("hold", "add", "case-42", "--host", "geo01", "--reason", "AA25-266A")
        self.as_admin("retention", "set", "--keep", "1s")
        self.host.append("log.log", b"fourth\n")
        self.host.drain()
        held = self.lab.cli("hold", "list", "-o", "json", expect=OK).objects
        self.assertEqual([("case-42", "geo01", "*", "root", "AA25-266A")],
                         [(h["name"], h["host"], h["source"], h["by"], h["reason"]) for h in held])
        self.as_admin("hold", "add", "case-42", expect=USAGE)
        self.as_admin("hold", "add", "case-43", "--source", "other", "--since", "2024-07-11", "--until", "2024-07-11", expect=USAGE)
        self.assertEqual(301, self.lab.count("-S", "log"))
        self.as_admin("hold", "release", "case-42", "--reason", "closed")
        self.wait_deleted()
        wait_until(lambda: self.lab.count("-S", "log") == 1, "the deletion of what was on hold", self.collector)
        self.lab.cli("hold", "list", expect=NO_MATCH)
        self.as_admin("hold", "release", "case-42", expect=USAGE)
        self.lab.cli("verify", expect=OK)

    def test_nobody_else_orders_anything(self):
        for arguments in (("hold", "add", "x"), ("retention", "set", "--keep", "1s")):
            self.assertIn("only an administrator", self.lab.cli(*arguments, expect=NOT_PERMITTED).err)
            self.lab.cli(*arguments, credentials=self.host.credentials, expect=NOT_PERMITTED)
        self.lab.offline("retention", "set", "--keep", "1s", credentials=self.admin, expect=USAGE)
        self.as_admin("retention", "set", "--keep", "soon", expect=USAGE)
        self.as_admin("retention", "set", "--keep", "1d", "--host", "GEO*", expect=USAGE)
        self.as_admin("hold", "release", "x", expect=USAGE)
        self.as_admin("hold", "add", "x", "--reason", "y" * 2049, expect=USAGE)
        self.assertIn("everything is kept", self.lab.cli("retention", "list", expect=NO_MATCH).err)
        self.assertEqual(300, self.lab.count("-S", "log"))

    def test_a_collector_that_is_killed_while_it_deletes_goes_on(self):
        self.as_admin("retention", "set", "--keep", "1s")
        self.collector.wait_line(r"root ordered")
        self.collector.kill()
        self.collector = self.lab.start_collector()
        wait_until(lambda: self.lab.count("-S", "log") == 100, "the deletion after the crash", self.collector)
        self.lab.cli("verify", expect=OK)


class LeastRetentionTest(unittest.TestCase):
    def test_a_vault_made_to_keep_longer_takes_no_shorter_rule(self):
        lab = Lab(self)
        admin = lab.issue("admin", "root")
        made = lab.collector_config

        def config(**changes):
            path = made(**changes)
            with open(path, encoding="utf-8") as file:
                text = file.read()
            with open(path, "w", encoding="utf-8") as file:
                file.write(text.replace('"name": "lab-vault"', '"name": "lab-vault", "retention_min": "90d"'))
            return path

        lab.collector_config = config
        lab.collector()
        refused = lab.cli("retention", "set", "--keep", "89d", credentials=admin, expect=NOT_PERMITTED)
        self.assertIn("least retention", refused.err)
        lab.cli("retention", "set", "--keep", "90d", credentials=admin, expect=OK)


if __name__ == "__main__":
    unittest.main()
