"""verify says all is well when it is, and names the block when one byte is not."""

import hashlib
import os
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import Lab, program  # noqa: E402

OK, INTEGRITY = 0, 4
ZSTD_FRAME = b"\x28\xb5\x2f\xfd"


def flip(path, offset, bit=0x10):
    with open(path, "r+b") as file:
        file.seek(offset)
        old = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([old ^ bit]))


def unpacked(frame):
    """What zstd makes of the bytes, garbage behind the frame or not."""
    return subprocess.run(["zstd", "-dcq"], input=frame, capture_output=True, check=False).stdout


def digest(folder):
    total = hashlib.sha256()
    for at, _, names in sorted(os.walk(folder)):
        for name in sorted(names):
            path = os.path.join(at, name)
            with open(path, "rb") as file:
                total.update(path.encode() + file.read())
    return total.hexdigest()


class VerifyTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab(cls)
        daemon = cls.lab.collector()
        for name in ("geo01", "web01"):
            host = cls.lab.host(name)
            host.file("log", "plain", b"".join(b"%s line %d %x\n" % (name.encode(), i, i * 2654435761) for i in range(4000)))
            host.drain()
        cls.note = cls.lab.path("note")
        cls.lab.cli("checkpoint", "--out", cls.note, expect=OK)
        cls.lab.cli("verify", expect=OK)
        assert daemon.stop() == 0

    def copy(self, name):
        folder = self.lab.path(name)
        shutil.copytree(self.lab.vault_dir, folder)
        shutil.copy(self.lab.vault_dir + ".anchor", folder + ".anchor")
        return folder

    def verify(self, folder, *arguments, expect):
        return self.lab.offline("verify", *arguments, vault_dir=folder, credentials=self.lab.analyst, expect=expect)

    def payload_places(self, folder):
        """(file, offset) inside every stored payload: a zstd frame whose text is a host's log, in any table or log."""
        for name in sorted(os.listdir(folder)):
            path = os.path.join(folder, name)
            if name.endswith((".sst", ".log")):
                with open(path, "rb") as file:
                    content = file.read()
                at = content.find(ZSTD_FRAME)
                while at >= 0:
                    if b" line 1" in unpacked(content[at:]):
                        yield path, at + 40
                    at = content.find(ZSTD_FRAME, at + 1)

    def test_a_stopped_vault_verifies_offline_and_nothing_is_written(self):
        before = digest(self.lab.vault_dir)
        self.verify(self.lab.vault_dir, expect=OK)
        self.assertEqual(before, digest(self.lab.vault_dir))

    def test_without_a_key_the_warning_says_so(self):
        answer = self.lab.offline("verify", expect=OK)
        self.assertIn("key not pinned", answer.err)

    def test_another_vaults_key_is_an_integrity_failure(self):
        self.lab.logvault("pki", "init", self.lab.path("other"), "--name", "lab-vault", expect=OK)
        only_key = self.lab.path("only-key")
        os.makedirs(only_key, exist_ok=True)
        shutil.copy(self.lab.path("other", "vault.pub"), only_key)
        answer = self.lab.offline("verify", credentials=only_key, expect=INTEGRITY)
        self.assertEqual(1, answer.text.count("no stored checkpoint is signed by"))
        self.assertLessEqual(answer.text.count("BAD"), 3, "one mistake, not one line for every block:\n" + answer.text)

    def test_a_checkpoint_kept_elsewhere_is_checked(self):
        self.verify(self.lab.vault_dir, "--anchor", self.note, expect=OK)

    def test_a_flipped_payload_byte_names_the_block(self):
        places = list(self.payload_places(self.copy("count-places")))
        self.assertGreater(len(places), 1)
        for number, (path, offset) in enumerate(places[:3] + places[-1:]):
            with self.subTest(file=os.path.basename(path), offset=offset):
                folder = self.copy(f"flipped{number}")
                flip(os.path.join(folder, os.path.basename(path)), offset)
                answer = self.verify(folder, "-o", "json", expect=INTEGRITY)
                self.assertTrue(answer.objects, str(answer))
                for bad in answer.objects:
                    self.assertLessEqual({"block", "host", "source", "first_seq", "last_seq", "reason"}, set(bad))
                self.assertRegex(self.verify(folder, expect=INTEGRITY).text, r"block \d+")

    def test_any_flipped_byte_of_the_data_is_found_or_harmless(self):
        """Over bytes spread across every table and log: verify never says OK while a read differs."""
        folder = self.copy("spread")
        files = [n for n in sorted(os.listdir(folder)) if n.endswith((".sst", ".log"))]
        undetected = 0
        for name in files:
            path = os.path.join(folder, name)
            size = os.path.getsize(path)
            for offset in range(size // 16, size, max(size // 8, 1)):
                flip(path, offset)
                answer = self.verify(folder, expect=None)
                self.assertIn(answer.code, (OK, INTEGRITY), str(answer))
                undetected += answer.code == OK
                flip(path, offset)
        self.verify(folder, expect=OK)
        print(f"{undetected} flips lay in bytes that carry nothing (padding, indexes of unread tables)", file=sys.stderr)

    def test_a_deleted_table_is_found(self):
        folder = self.copy("deleted")
        tables = [n for n in os.listdir(folder) if n.endswith(".sst")] or [n for n in os.listdir(folder) if n.endswith(".log")]
        os.remove(os.path.join(folder, sorted(tables)[0]))
        self.verify(folder, expect=INTEGRITY)

    def test_a_folder_without_the_file_that_names_the_others_is_damaged_and_not_absent(self):
        for name in ("CURRENT", [n for n in os.listdir(self.lab.vault_dir) if n.startswith("MANIFEST-")][0]):
            with self.subTest(name):
                folder = self.copy("without-" + name)
                os.remove(os.path.join(folder, name))
                self.assertIn(name, self.verify(folder, expect=INTEGRITY).text)
                started = self.lab.run([program("logvault-collector"), "--config", self.lab.collector_config(
                    vault={"dir": folder, "name": "lab-vault", "signing_key": os.path.join(self.lab.collector_credentials, "vault.key")})])
                self.assertEqual(INTEGRITY, started.code, started)
                self.assertIn(name, started.err)
                self.assertFalse(os.path.exists(folder + ".trial"))
        folder = self.copy("emptied")
        shutil.rmtree(folder)
        os.mkdir(folder)
        self.assertIn("there is an anchor", self.verify(folder, expect=INTEGRITY).err)

    def test_an_anchor_that_cannot_be_read_is_not_passed_over(self):
        folder = self.copy("anchor-folder")
        os.remove(folder + ".anchor")
        os.mkdir(folder + ".anchor")
        self.assertIn("the anchor cannot be read", self.verify(folder, expect=INTEGRITY).text)

    def test_a_flipped_byte_is_found_remotely_and_by_queries(self):
        saved, anchor = self.lab.path("saved"), self.lab.vault_dir + ".anchor"
        shutil.copytree(self.lab.vault_dir, saved)
        shutil.copy(anchor, saved + ".anchor")  # being asked makes the vault grow
        try:
            self.lab.start_collector().stop()  # what lay in RocksDB's log lies in a table now
            flip(*[p for p in self.payload_places(self.lab.vault_dir) if p[0].endswith(".sst")][-1])
            daemon = self.lab.start_collector()
            answer = self.lab.cli("verify", expect=INTEGRITY)
            self.assertRegex(answer.text + answer.err, r"block \d+")
            # What is stored contradicts the hash that its host signed: more than a failed read.
            asked = self.lab.cli("query", "line", "--count", expect=INTEGRITY)
            self.assertRegex(asked.err, r"block \d+")
            self.assertRegex(asked.err.strip().split("\n")[-1], r"\b[1-9]\d* unreadable")
            daemon.stop()
        finally:
            shutil.rmtree(self.lab.vault_dir)
            os.rename(saved, self.lab.vault_dir)
            os.rename(saved + ".anchor", anchor)

    def test_it_works_beside_a_running_collector(self):
        lab = Lab(self)
        lab.collector()
        host = lab.host("geo01")
        host.file("log", "plain", b"one\n")
        host.drain()
        lab.offline("verify", credentials=lab.analyst, expect=OK)


if __name__ == "__main__":
    unittest.main(verbosity=2)
