"""The vault's key and a host's key are changed: nobody loses sight of the history, and a key that was retired is worth nothing after it."""

import os
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import ROOT, Lab, program  # noqa: E402

OK, USAGE, INTEGRITY, ATTENTION = 0, 2, 4, 7


class VaultKeyTest(unittest.TestCase):
    """One host ships a line before, during and after the change."""

    def setUp(self):
        self.lab = Lab(self)
        self.admin = self.lab.issue("admin", "root")
        self.collector = self.lab.collector()
        self.host = self.lab.host("geo01")
        self.host.file("log", "plain", b"before\n")
        self.host.drain()

    def order(self, *arguments, expect=OK):
        return self.lab.cli(*arguments, credentials=self.admin, expect=expect)

    def restart(self):
        self.assertEqual(OK, self.collector.stop())
        self.collector = self.lab.start_collector()

    def install_key(self):
        shutil.copy(self.lab.path("pki", "vault.key"), os.path.join(self.lab.collector_credentials, "vault.key"))
        self.restart()

    def change(self):
        """Both keys are in force afterwards; nobody has the new vault.pub yet."""
        self.lab.logvault("pki", "rotate", self.lab.path("pki"), expect=OK)
        self.install_key()
        self.order("vault-key", "change", self.lab.path("pki", "vault.pub"), "--reason", "yearly")

    def give(self, folder, vault_pub=None):
        shutil.copy(vault_pub or self.lab.path("pki", "vault.pub"), os.path.join(folder, "vault.pub"))

    def retire(self):
        """Only the new key is in force afterwards.  Returns the vault.pub that says so."""
        self.give(self.admin)
        self.order("vault-key", "retire", "--reason", "yearly")
        saved = self.lab.path("vault.pub.saved")
        self.order("vault-key", "save", "--out", saved)
        self.lab.logvault("pki", "retire", self.lab.path("pki"), saved, expect=OK)
        self.install_key()
        return saved

    def test_old_and_new_holders_work_side_by_side_until_the_old_key_is_retired(self):
        old_note, proof, bundle = (self.lab.path(name) for name in ("old.note", "old.tlog-proof", "old.tar"))
        self.lab.cli("checkpoint", "--out", old_note, expect=OK)
        self.lab.cli("proof", "geo01/log/1", "--out", proof, expect=OK)
        self.lab.cli("export", "-H", "geo01", "--out", bundle, expect=OK)

        self.change()
        self.host.append("log.log", b"during, old vault.pub\n")
        self.host.drain()
        self.lab.cli("status", expect=OK)
        self.give(self.host.credentials)
        self.host.append("log.log", b"during, new vault.pub\n")
        self.host.drain()
        newer = self.lab.issue("investigator", "newer")
        self.lab.cli("verify", credentials=newer, expect=OK)
        self.lab.cli("verify", expect=OK)  # the analyst still holds the old one

        self.give(self.lab.analyst, self.retire())
        self.host.append("log.log", b"after\n")
        self.host.drain()
        self.assertEqual(b"before\nduring, old vault.pub\nduring, new vault.pub\nafter\n", self.lab.raw("geo01", "log"))
        self.lab.cli("verify", "--anchor", old_note, expect=OK)
        for check in (("proof", "--check", proof), ("export", "--check", bundle)):
            self.lab.logvault("--credentials", self.lab.analyst, *check, expect=OK)
        self.second_verifier(bundle, OK)
        fresh = self.lab.path("fresh.tar")
        self.lab.cli("export", "-H", "geo01", "--out", fresh, expect=OK)
        self.lab.logvault("--credentials", self.lab.analyst, "export", "--check", fresh, expect=OK)
        self.second_verifier(fresh, OK)
        keys = self.order("vault-key", "list", "-o", "json").objects
        self.assertEqual([True, False], [key["last_size"] is not None for key in keys])

        self.assertEqual(OK, self.collector.stop())
        self.lab.offline("verify", "--anchor", old_note, credentials=self.lab.analyst, expect=OK)
        self.assertIn("not pinned", self.lab.offline("verify", expect=OK).err)
        self.lab.offline("query", "after", expect=OK)

    def second_verifier(self, bundle, expect):
        script = os.path.join(ROOT, "deploy", "verify-export.py")
        done = subprocess.run([sys.executable, script, bundle, os.path.join(self.lab.analyst, "vault.pub")], capture_output=True, check=False)
        self.assertEqual(expect, done.returncode, done.stdout.decode() + done.stderr.decode())

    def test_an_exports_own_openssl_commands_find_the_signature_of_the_key_at_hand(self):
        old_pub = shutil.copy(os.path.join(self.lab.analyst, "vault.pub"), self.lab.path("old.pub"))
        self.change()
        bundle, folder = self.lab.path("both.tar"), self.lab.path("unpacked")
        self.lab.cli("export", "-H", "geo01", "--out", bundle, expect=OK)
        os.mkdir(folder)
        self.lab.run(["tar", "-xf", bundle, "-C", folder], expect=OK)
        with open(os.path.join(folder, "README.txt"), encoding="utf-8") as file:
            commands = file.read().split("# the checkpoint")[1].split("\n", 1)[1].split("\n\n")[0]
        for vault_pub in (old_pub, self.lab.path("pki", "vault.pub")):
            self.give(folder, vault_pub)
            done = subprocess.run(["sh", "-e", "-c", commands], cwd=folder, capture_output=True, check=False)
            self.assertEqual(0, done.returncode, done.stdout.decode() + done.stderr.decode())

    def test_whoever_still_holds_the_retired_key_is_told_and_believes_nothing_new(self):
        self.change()
        self.give(self.host.credentials)
        self.retire()
        refused = self.lab.cli("status", expect=INTEGRITY)
        self.assertIn("not signed by the key in vault.pub", refused.err)

    def test_a_host_that_was_given_the_new_key_too_late_holds_no_proof_of_a_fork(self):
        self.change()
        saved = self.retire()
        self.host.append("log.log", b"late\n")
        self.host.drain(expect=INTEGRITY)
        self.assertIn("REFUSED", self.host.run("status", expect=ATTENTION).text)
        self.give(self.host.credentials, saved)
        self.host.drain()
        told = self.host.run("status", expect=OK).text
        self.assertNotIn("REFUSED", told)
        self.assertNotIn("FORK", told)

    def test_a_retired_key_cannot_sign_a_longer_history(self):
        """A copy of the vault from before, gone on with by whoever kept the old key."""
        copy, keys = self.lab.path("copy"), self.lab.path("old-keys")
        self.assertEqual(OK, self.collector.stop())
        shutil.copytree(self.lab.vault_dir, copy)
        shutil.copy(self.lab.vault_dir + ".anchor", copy + ".anchor")
        shutil.copy(os.path.join(self.lab.collector_credentials, "vault.key"), keys)
        fooled = self.lab.host("web01")  # it holds the old vault.pub
        self.collector = self.lab.start_collector()
        self.change()
        saved = self.retire()
        self.assertEqual(OK, self.collector.stop())

        forged = self.lab.collector_config(vault={"dir": copy, "name": "lab-vault", "signing_key": keys})
        other = self.lab.start([program("logvault-collector"), "--config", forged], self.lab.path("forged.err"))
        other.wait_line(r"^ready\b")
        fooled.file("log", "plain", b"more\n")
        for _ in range(5):  # until its history is longer than the one that the key may sign
            fooled.append("log.log", b"more\n")
            fooled.drain()
        self.give(self.lab.analyst, saved)
        self.assertIn("signed by a key that was retired at", self.lab.cli("status", expect=INTEGRITY).err)
        careful = self.lab.issue("investigator", "careful")  # who never saw this vault before
        self.assertIn("signed by a key that was retired at", self.lab.cli("status", credentials=careful, expect=INTEGRITY).err)

    def test_a_change_is_refused_where_it_cannot_be_meant(self):
        self.order("vault-key", "retire", expect=USAGE)
        self.order("vault-key", "change", self.lab.path("pki", "vault.pub"), expect=USAGE)
        self.lab.logvault("pki", "rotate", self.lab.path("pki"), expect=OK)
        told = self.order("vault-key", "change", self.lab.path("pki", "vault.pub"), expect=USAGE)
        self.assertIn("does not hold the new", told.err, "the collector was not given the key")
        self.assertEqual(USAGE, self.lab.logvault("pki", "rotate", self.lab.path("pki")).code, "one change at a time")
        self.install_key()
        self.assertEqual(5, self.lab.cli("vault-key", "change", self.lab.path("pki", "vault.pub")).code, "an investigator")
        self.order("vault-key", "change", self.lab.path("pki", "vault.pub"))
        self.order("vault-key", "retire", expect=USAGE)  # the administrator's vault.pub is still the old one
        self.assertEqual(OK, self.collector.stop())
        other = self.lab.path("pki2")
        self.lab.logvault("pki", "init", other, "--name", "lab-vault", expect=OK)
        shutil.copy(os.path.join(other, "vault.key"), os.path.join(self.lab.collector_credentials, "vault.key"))
        self.assertEqual(USAGE, self.lab.start_collector(wait_ready=False).ended(), "not the vault's keys")

    def test_a_registration_sealed_to_the_key_before_still_opens(self):
        """A host that was offline through the whole change."""
        self.assertEqual(OK, self.collector.stop())
        self.host.append("log.log", b"written while the vault was away\n")
        self.assertEqual(6, self.host.run("--drain", "--timeout", "2s").code)
        self.collector = self.lab.start_collector()
        self.change()
        saved = self.retire()
        self.give(self.host.credentials, saved)
        self.host.drain()
        self.give(self.lab.analyst, saved)
        self.assertEqual(b"before\nwritten while the vault was away\n", self.lab.raw("geo01", "log"))
        self.lab.cli("verify", expect=OK)


class HostKeyTest(unittest.TestCase):
    """A host's certificate gets another key; the epochs say which."""

    def test_a_host_goes_on_with_another_key_and_both_stay_in_the_chain(self):
        lab = Lab(self)
        lab.collector()
        host = lab.host("geo01")
        host.file("log", "plain", b"old key\n")
        host.drain()
        fresh = lab.issue("forwarder", "geo01", folder="geo01-new-key")
        for name in ("key.pem", "cert.pem"):
            self.assertNotEqual(open(os.path.join(fresh, name), "rb").read(), open(os.path.join(host.credentials, name), "rb").read())
        host.credentials = fresh
        host.append("log.log", b"new key\n")
        host.drain()
        self.assertEqual(b"old key\nnew key\n", lab.raw("geo01", "log"))
        lab.cli("verify", expect=OK)


if __name__ == "__main__":
    unittest.main()
