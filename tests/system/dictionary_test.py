"""Dictionaries: small batches lean on one that an administrator put into the chain; whoever has the vault reads them."""

import hashlib
import json
import os
import random
import re
import shutil
import sqlite3
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import Lab, program, run, wait_until  # noqa: E402

OK, NO_MATCH, USAGE, INTEGRITY, NOT_PERMITTED = 0, 1, 2, 4, 5
LDB = shutil.which("ldb") or shutil.which("rocksdb_ldb")
USERS = ("anna", "jonas", "maria", "deploy", "backup")
PROGRAMS = ("sshd", "CRON", "sudo", "systemd")


def syslog_lines(count, seed):
    """Lines as sshd and its like write them, different for each seed."""
    chance = random.Random(seed)
    lines = []
    for number in range(count):
        user, pid = chance.choice(USERS), chance.randrange(1000, 99999)
        address = f"10.{chance.randrange(256)}.{chance.randrange(256)}.{chance.randrange(256)}"
        text = {
            "sshd": f"Accepted publickey for {user} from {address} port {chance.randrange(1024, 65535)} ssh2",
            "CRON": f"pam_unix(cron:session): session opened for user {user}(uid={chance.randrange(1000, 2000)}) by (uid=0)",
            "sudo": f"  {user} : TTY=pts/{chance.randrange(9)} ; PWD=/home/{user} ; USER=root ; COMMAND=/usr/bin/apt update",
            "systemd": f"Started Session {chance.randrange(10000)} of User {user}.",
        }
        name = chance.choice(PROGRAMS)
        lines.append(f"Mar 14 {number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02} web01 {name}[{pid}]: {text[name]}\n".encode())
    return lines


class DictionaryTest(unittest.TestCase):
    def setUp(self):
        self.lab = Lab(self)
        self.admin = self.lab.issue("admin", "root")
        self.collector = self.lab.collector()
        self.host = self.lab.host("web01")
        self.host.file("messages", "syslog", b"".join(syslog_lines(6000, seed=1)))
        self.host.drain()
        self.file = self.lab.path("syslog.dict")

    def as_admin(self, *arguments, expect=OK):
        return self.lab.cli(*arguments, credentials=self.admin, expect=expect)

    def train_and_set(self):
        self.lab.cli("dictionary", "train", "--format", "syslog", "--out", self.file, expect=OK)
        self.set(self.file, "--reason", "a test")

    def set(self, *arguments):
        self.as_admin("dictionary", "set", "--format", "syslog", *arguments)
        self.host.drain()  # a session that hands it out

    def write(self, name, content):
        with open(self.lab.path(name), "wb") as file:
            file.write(content)
        return self.lab.path(name)

    def content(self):
        with open(self.host.path("messages.log"), "rb") as file:
            return file.read()

    def expect_everything_once(self):
        self.assertEqual(self.content(), self.lab.raw("web01", "messages"))
        self.assertEqual([0, 0], [o["missing_records"] for o in self.lab.cli("hosts", "-o", "json", expect=OK).objects])
        self.assertNotIn("conflict", self.collector.log)

    def newest_frame(self, host=None):
        """The newest batch of `messages` that is in the spool, shipped or not."""
        with sqlite3.connect(os.path.join((host or self.host).spool["dir"], "spool.sqlite")) as spool:
            return spool.execute("SELECT payload FROM item WHERE source='messages' ORDER BY id DESC LIMIT 1").fetchone()[0]

    def decompress(self, frame, *dictionary):
        """As the zstd program does it."""
        return run(["zstd", "-d", "-c", *dictionary], stdin=frame)

    def ship(self, lines):
        self.host.append("messages.log", b"".join(lines))
        self.host.drain()
        return self.newest_frame()

    def test_a_small_batch_leans_on_it_and_everybody_reads_it(self):
        lines = syslog_lines(20, seed=2)
        before = self.ship(lines)
        self.assertEqual(OK, self.decompress(before).code)
        self.train_and_set()
        after = self.ship(lines)
        self.assertLess(len(after), 0.75 * len(before))
        self.assertNotEqual(OK, self.decompress(after).code, "it needs the dictionary")
        self.assertIn(b"".join(lines), self.decompress(after, "-D", self.file).out)

        content = self.content()
        self.assertEqual(content, self.lab.raw("web01", "messages"))
        number = content.count(b"\n")
        shown = self.lab.cli("show", f"web01/messages/{number}", "-o", "json", expect=OK)
        self.assertIn(lines[-1].decode().strip(), shown.text)
        proof, exported = self.lab.path("proof"), self.lab.path("export.tar")
        self.lab.cli("proof", f"web01/messages/{number}", "--out", proof, expect=OK)
        self.lab.cli("proof", "--check", proof, expect=OK)
        self.lab.cli("export", "-S", "messages", "--out", exported, expect=OK)
        self.lab.cli("export", "--check", exported, expect=OK)
        self.lab.cli("verify", "--index", expect=OK)
        self.assertEqual(40, self.lab.cli("query", "--strict", "-S", "messages", "--count", f"seq>{number - 40}", expect=OK).count)

        self.assertEqual(OK, self.collector.stop())
        for arguments in (("verify", "--index"), ("show", f"web01/messages/{number}"), ("query", "--strict", "Accepted")):
            self.lab.offline(*arguments, credentials=self.admin, expect=OK)
        self.collector = self.lab.start_collector()
        self.assertEqual(content, self.lab.raw("web01", "messages"))
        in_force = self.lab.cli("dictionary", "list", "-o", "json", expect=OK).objects
        self.assertEqual([("syslog", "root", "a test")], [(d["format"], d["by"], d["reason"]) for d in in_force])

    def test_what_leans_on_it_is_followed_and_deleted_like_anything_else(self):
        self.train_and_set()
        tail = self.lab.start([program("logvault"), "--vault", self.lab.query, "--credentials", self.lab.analyst, "tail", "-o", "json", "-S", "messages"],
                              self.lab.path("tail.err"))
        tail.wait_line("following")
        for seed in (8, 9):
            frame = self.ship(syslog_lines(20, seed))
            self.assertNotEqual(OK, self.decompress(frame).code, "it needs the dictionary")
        followed = [json.loads(tail.process.stdout.readline())["message"] for _ in range(40)]
        self.assertEqual([line.decode().strip() for line in syslog_lines(20, seed=8) + syslog_lines(20, seed=9)], followed)
        tail.stop()
        last = b"".join(syslog_lines(20, seed=9))
        self.as_admin("retention", "set", "--source", "messages", "--keep", "1s")
        self.collector.wait_line(r"deleted [1-9]\d* payloads")
        wait_until(lambda: self.lab.raw("web01", "messages") == last, "the deletion of all but the newest batch", self.collector)
        self.lab.cli("verify", expect=OK)
        self.assertEqual(OK, self.collector.stop())
        self.lab.offline("verify", "--index", credentials=self.admin, expect=OK)

    def test_a_host_without_its_vault_goes_on_with_the_one_it_was_given(self):
        self.train_and_set()
        self.ship(syslog_lines(20, seed=3))
        self.assertEqual(OK, self.collector.stop())
        following = self.host.start()
        lines = syslog_lines(20, seed=4)
        self.host.append("messages.log", b"".join(lines))
        def sealed():
            plain = self.decompress(self.newest_frame(), "-D", self.file)
            return plain.code == OK and b"".join(lines) in plain.out
        wait_until(sealed, "the batch in the spool", following)
        self.assertNotEqual(OK, self.decompress(self.newest_frame()).code)
        self.host.run("spool", "verify", expect=OK)
        following.kill()
        self.collector = self.lab.start_collector()
        self.host.drain()
        self.assertEqual(self.content(), self.lab.raw("web01", "messages"))
        self.lab.cli("verify", expect=OK)

    def test_another_one_follows_and_none_at_last_and_the_old_batches_stay_readable(self):
        self.train_and_set()
        first = self.ship(syslog_lines(20, seed=5))
        second_file = self.lab.path("second.dict")
        self.lab.cli("dictionary", "train", "--format", "syslog", "--size", "4KiB", "--out", second_file, expect=OK)
        self.set(second_file)
        second = self.ship(syslog_lines(20, seed=6))
        self.assertEqual((OK, OK), (self.decompress(first, "-D", self.file).code, self.decompress(second, "-D", second_file).code))
        self.as_admin("dictionary", "remove", "--format", "syslog")
        self.host.drain()
        third = self.ship(syslog_lines(20, seed=7))
        self.assertEqual(OK, self.decompress(third).code)
        self.lab.cli("dictionary", "list", expect=NO_MATCH)
        self.as_admin("dictionary", "remove", "--format", "syslog", expect=USAGE)
        self.assertEqual(self.content(), self.lab.raw("web01", "messages"))
        self.lab.cli("verify", expect=OK)

    def test_a_batch_that_leans_on_another_one_of_the_same_number_is_sealed_anew(self):
        self.train_and_set()
        with open(self.file, "rb") as file:
            whole = file.read()
        self.lab.cli("dictionary", "train", "--format", "syslog", "--size", "8KiB", "--out", self.lab.path("second"), expect=OK)
        with open(self.lab.path("second"), "rb") as file:
            second = file.read()
        other = second[:4] + whole[4:8] + second[8:]  # RFC 8878: the number stands behind the magic
        hashes = [hashlib.sha256(d).hexdigest() for d in (whole, other)]
        self.assertEqual(OK, self.collector.stop())
        with sqlite3.connect(os.path.join(self.host.spool["dir"], "spool.sqlite")) as spool:  # as if another vault had handed it out
            for sql in ("UPDATE meta SET key='dictionary/'||?2, value=?3 WHERE key='dictionary/'||?1", "UPDATE meta SET value=CAST(?2 AS BLOB) WHERE value=CAST(?1 AS BLOB)"):
                self.assertEqual(1, spool.execute(sql, (*hashes, other)[:sql.count("?")]).rowcount)
        following = self.host.start()
        lines = syslog_lines(20, seed=8)
        self.host.append("messages.log", b"".join(lines))
        def sealed():
            return self.decompress(self.newest_frame(), "-D", self.write("other", other)).code == OK and self.decompress(self.newest_frame()).code != OK
        wait_until(sealed, "the batch in the spool", following)
        self.assertNotEqual(OK, self.decompress(self.newest_frame(), "-D", self.file).code, "it needs the other one")
        self.host.append("messages.log", b"".join(syslog_lines(3000, seed=9)))  # does without
        following.kill()
        self.collector = self.lab.start_collector()
        self.host.drain()
        self.expect_everything_once()
        self.lab.cli("verify", expect=OK)

    def test_a_vault_put_back_to_before_it_gets_everything_again_and_once(self):
        self.assertEqual(OK, self.collector.stop())
        backup = shutil.copytree(self.lab.vault_dir, self.lab.path("backup"))
        self.collector = self.lab.start_collector()
        self.train_and_set()
        for seed, count in ((12, 20), (13, 3000), (14, 20)):  # one in the middle does without
            self.ship(syslog_lines(count, seed))
        notes = [self.lab.path(name) for name in ("restored.note", "newest.note")]
        self.lab.cli("checkpoint", "--out", notes[1], expect=OK)
        self.assertEqual(OK, self.collector.stop())
        shutil.rmtree(self.lab.vault_dir)
        shutil.copytree(backup, self.lab.vault_dir)
        self.lab.logvault("--offline", self.lab.vault_dir, "checkpoint", "--out", notes[0])
        order = self.lab.path("rollback")
        self.lab.logvault("--credentials", self.admin, "accept-rollback", notes[0], "--lost", notes[1], "--reason", "a test", "--out", order, expect=OK)
        self.lab.run([program("logvault-collector"), "--config", self.lab.collector_config(), "--accept-rollback", order], expect=OK)
        self.collector = self.lab.start_collector()
        self.host.run("trust", order, expect=OK)
        self.host.drain()
        self.lab.logvault("--credentials", self.lab.analyst, "trust", order, expect=OK)
        self.expect_everything_once()
        self.lab.cli("verify", expect=OK)

    @unittest.skipUnless(LDB, "ldb (rocksdb-tools) is not installed")
    def test_a_dictionarys_block_that_is_gone_is_named(self):
        self.train_and_set()
        self.ship(syslog_lines(20, seed=10))
        block = self.lab.cli("dictionary", "list", "-o", "json", expect=OK).objects[0]["block"]
        self.assertEqual(OK, self.collector.stop())
        run([LDB, "--db=" + self.lab.vault_dir, "--column_family=block", "--hex", "delete", "0x%016X" % block], expect=OK)
        found = self.lab.offline("verify", "-o", "json", credentials=self.admin, expect=INTEGRITY).objects
        self.assertIn(block, {o["block"] for o in found})
        self.assertIn("web01/messages", {f"{o.get('host')}/{o.get('source')}" for o in found})
        for arguments in (("query", "Accepted"), ("dictionary", "list")):
            self.assertIn(f"block {block}", self.lab.offline(*arguments, credentials=self.admin, expect=INTEGRITY).err)
        started = self.lab.run([program("logvault-collector"), "--config", self.lab.collector_config()], expect=INTEGRITY)
        self.assertIn(f"block {block}", started.err)

    @unittest.skipUnless(LDB, "ldb (rocksdb-tools) is not installed")
    def test_training_says_what_it_could_not_read(self):
        lines = b"".join(syslog_lines(20, seed=11))
        self.host.append("messages.log", lines)
        self.host.drain()
        self.assertEqual(OK, self.collector.stop())
        ldb = [LDB, "--db=" + self.lab.vault_dir]
        family = re.search(r"payload\.[^,}]+", run([*ldb, "list_column_families"], expect=OK).text).group()
        block = max(o["block"] for o in self.lab.offline("query", "-S", "messages", "-o", "json", credentials=self.admin, expect=OK).objects)
        run([*ldb, "--column_family=" + family, "--hex", "delete", "0x%016X" % block], expect=OK)
        trained = self.lab.offline("dictionary", "train", "--format", "syslog", "--out", self.file, credentials=self.admin, expect=INTEGRITY)
        self.assertIn(f"unreadable: block {block}", trained.err)
        self.assertIn("from", trained.err)
        self.lab.offline("dictionary", "train", "--format", "syslog", "-H", "nobody", "--out", self.file, credentials=self.admin, expect=NO_MATCH)

    def test_what_is_no_dictionary_or_not_an_administrators_is_refused(self):
        self.lab.cli("dictionary", "train", "--format", "syslog", "--out", self.file, expect=OK)
        self.assertIn("only an administrator", self.lab.cli("dictionary", "set", "--format", "syslog", self.file, expect=NOT_PERMITTED).err)
        self.as_admin("dictionary", "set", "--format", "logsys", self.file, expect=USAGE)
        with open(self.file, "rb") as file:
            whole = file.read()
        for name, content in (("empty", b""), ("text", b"no dictionary " * 50), ("cut", whole[:60]), ("large", whole + b"x" * 32768)):
            path = self.lab.path(name)
            with open(path, "wb") as file:
                file.write(content)
            self.assertIn(name, self.as_admin("dictionary", "set", "--format", "syslog", path, expect=USAGE).err)
        self.as_admin("dictionary", "set", "--format", "syslog", self.lab.path("nothing"), expect=USAGE)
        self.as_admin("dictionary", "set", "--format", "syslog", self.file)
        another = bytearray(whole)
        another[-1] ^= 1  # the same number, other bytes
        with open(self.file, "wb") as file:
            file.write(another)
        self.assertIn("another dictionary", self.as_admin("dictionary", "set", "--format", "syslog", self.file, expect=USAGE).err)
        self.assertIn("too little", self.lab.cli("dictionary", "train", "--format", "auditd", "--out", self.file, expect=USAGE).err)


if __name__ == "__main__":
    unittest.main()
