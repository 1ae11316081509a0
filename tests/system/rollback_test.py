"""A vault put back from a backup: refused by everybody who saw more, until an administrator signs it and each of them agrees."""

import os
import shutil
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import Lab, program  # noqa: E402

OK, NO_MATCH, USAGE, INTEGRITY, NOT_PERMITTED = 0, 1, 2, 4, 5


class RollbackTest(unittest.TestCase):
    """Three records before the backup, three after it; the folder is then put back."""

    def setUp(self):
        self.lab = Lab(self)
        self.admin = self.lab.issue("admin", "root")
        self.collector = self.lab.collector()
        self.host = self.lab.host("geo01")
        self.host.file("log", "plain", b"before\n")
        self.host.drain()
        self.backup = self.lab.path("backup")
        self.collector.stop()
        shutil.copytree(self.lab.vault_dir, self.backup)
        self.collector = self.lab.start_collector()
        for line in (b"lost 1\n", b"lost 2\n"):
            self.host.append("log.log", line)
            self.host.drain()
        self.newest = self.lab.path("newest.note")
        self.lab.cli("checkpoint", "--out", self.newest, expect=OK)
        self.newcomer = self.lab.host("web01")
        self.collector.stop()
        shutil.rmtree(self.lab.vault_dir)
        shutil.copytree(self.backup, self.lab.vault_dir)
        self.restored = self.lab.path("restored.note")
        self.lab.logvault("--offline", self.lab.vault_dir, "checkpoint", "--out", self.restored)

    def sign(self, credentials=None, lost=None, restored=None, expect=OK):
        out = self.lab.path("rollback")
        self.lab.logvault("--credentials", credentials or self.admin, "accept-rollback", restored or self.restored,
                          "--lost", lost or self.newest, "--reason", "the disk failed", "--out", out, expect=expect)
        return out

    def accept(self, file, expect=OK):
        return self.lab.run([program("logvault-collector"), "--config", self.lab.collector_config(), "--accept-rollback", file], expect=expect)

    def test_nothing_goes_on_by_itself_and_everything_does_once_it_is_signed(self):
        refused = self.lab.start_collector(wait_ready=False)
        self.assertEqual(INTEGRITY, refused.ended(), "the anchor saw more")
        directive = self.sign()
        self.accept(directive)
        self.collector = self.lab.start_collector()
        self.host.drain(expect=INTEGRITY)
        self.assertTrue(self.collector.alive(), "a host that saw the lost part does not stop the vault")
        self.lab.cli("status", expect=INTEGRITY)

        self.assertIn("as root signed", self.host.run("trust", directive, expect=OK).err)
        self.host.append("log.log", b"after\n")
        self.host.drain()
        self.assertEqual(OK, self.host.run("status").code)
        self.lab.logvault("--credentials", self.lab.analyst, "trust", directive, expect=OK)
        self.assertEqual(b"before\nlost 1\nlost 2\nafter\n", self.lab.raw("geo01", "log"), "what was lost came again")
        self.lab.cli("verify", expect=OK)
        self.assertEqual(OK, self.collector.stop())
        verified = self.lab.offline("verify", credentials=self.admin, expect=OK)
        self.assertNotIn("CLAIM", verified.text)
        self.assertEqual(INTEGRITY, self.lab.offline("verify", "--anchor", self.newest, credentials=self.admin).code,
                         "whoever holds what was lost still proves the rollback")

    def test_an_acceptance_that_was_killed_before_the_anchor_followed_goes_on(self):
        before = shutil.copy(self.lab.vault_dir + ".anchor", self.lab.path("anchor-before"))
        directive = self.sign()
        self.accept(directive)
        shutil.copy(before, self.lab.vault_dir + ".anchor")
        self.assertEqual(INTEGRITY, self.lab.start_collector(wait_ready=False).ended(), "the block is there, the anchor is not")
        self.accept(directive)
        self.assertIn("restores a vault of", self.accept(directive, expect=USAGE).err, "once")
        self.collector = self.lab.start_collector()
        self.host.run("trust", directive, expect=OK)
        self.host.drain()
        self.lab.logvault("--credentials", self.lab.analyst, "trust", directive, expect=OK)
        self.lab.cli("verify", expect=OK)

    def test_a_host_that_saw_nothing_of_it_needs_no_consent(self):
        directive = self.sign()
        self.accept(directive)
        self.collector = self.lab.start_collector()
        self.newcomer.file("log", "plain", b"a new host\n")
        self.newcomer.drain()
        shutil.rmtree(self.lab.path("state"))  # the analyst's own checkpoint is of the lost part
        self.assertEqual(b"a new host\n", self.lab.raw("web01", "log"))

    def test_only_an_administrator_and_only_for_this_state(self):
        self.sign(credentials=self.lab.analyst, expect=NOT_PERMITTED)
        self.sign(credentials=self.host.credentials, expect=NOT_PERMITTED)
        self.sign(lost=self.restored, restored=self.newest, expect=USAGE)
        directive = self.sign(lost=self.restored)
        self.assertIn("the anchor has seen", self.accept(directive, expect=INTEGRITY).err)
        directive = self.sign()
        with open(directive, "rb") as file:
            altered = bytearray(file.read())
        altered[altered.index(b"the disk failed")] ^= 1
        forged = self.lab.path("forged")
        with open(forged, "wb") as file:
            file.write(altered)
        self.accept(forged, expect=INTEGRITY)
        self.host.run("trust", forged, expect=INTEGRITY)
        self.accept(directive)
        self.assertIn("restores a vault of", self.accept(directive, expect=USAGE).err, "once")

    def trust(self, file):
        return self.lab.logvault("--credentials", self.lab.analyst, "trust", file)

    def test_what_is_no_directive_is_a_mistake_and_an_altered_one_is_altered(self):
        directive = self.sign()
        with open(directive, "rb") as file:
            good = file.read()
        self.write("file", good)
        self.assertEqual(OK, self.trust(self.lab.path("file")).code, "unchanged")
        for content in (b"", b"\n", b"no directive\n", bytes(500), good[1:]):
            file = self.write("file", content)
            for refused in (self.accept(file, expect=USAGE), self.host.run("trust", file), self.trust(file)):
                self.assertEqual(USAGE, refused.code, refused)
                self.assertIn("is no directive", refused.err)
        certificate = good.index(b"0\x82", 16)  # DER begins so
        places = [*range(16, certificate, 97), *range(certificate, len(good), 11)]
        for at in places:
            file = self.write("file", good[:at] + bytes([good[at] ^ 0x10]) + good[at + 1:])
            refused = self.host.run("trust", file)
            self.assertEqual(INTEGRITY, refused.code, f"byte {at} of {len(good)}: {refused}")
        self.assertEqual(INTEGRITY, self.trust(file).code)
        self.accept(file, expect=INTEGRITY)

    def write(self, name, content):
        with open(self.lab.path(name), "wb") as file:
            file.write(content)
        return self.lab.path(name)

    def test_a_host_that_saw_more_than_is_given_up_does_not_agree(self):
        os.remove(self.lab.vault_dir + ".anchor")
        directive = self.sign(lost=self.restored)
        self.accept(directive)
        self.assertIn("were the most", self.host.run("trust", directive, expect=INTEGRITY).err)
        self.collector = self.lab.start_collector()
        self.host.drain(expect=INTEGRITY)
        self.assertEqual(INTEGRITY, self.collector.ended(), "nobody has given this up: the vault stops")


if __name__ == "__main__":
    unittest.main()
