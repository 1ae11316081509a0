"""The threat table of docs/threat-model.md against the real programs: what the others in this folder do not show already.

Each test is an intruder who did one thing, and then whoever finds it out.
"""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import Host, Lab, program  # noqa: E402

OK, INTEGRITY, CANNOT_CONNECT, ATTENTION = 0, 4, 6, 7
LDB = shutil.which("ldb") or shutil.which("rocksdb_ldb")


class HostTest(unittest.TestCase):
    """Root on a host, after batches were sealed and before they were shipped."""

    def setUp(self):
        self.lab = Lab(self)
        self.collector = self.lab.collector()
        self.host = self.lab.host("geo01")
        self.host.file("log", "plain", b"before 1\nbefore 2\n")
        self.host.drain()
        self.collector.stop()
        for name in (b"first", b"second", b"third"):
            self.host.append("log.log", name + b" while nobody listened\n")
            self.host.drain(expect=CANNOT_CONNECT, timeout="1s")

    def edit_spool(self, statement):
        """Changes exactly one row."""
        with sqlite3.connect(os.path.join(self.host.spool["dir"], "spool.sqlite")) as spool:
            self.assertEqual(1, spool.execute(statement).rowcount)

    def gaps(self):
        return [o for o in self.lab.cli("hosts", "-o", "json", expect=OK).objects if o["source"] == "log"][0]["missing_records"]

    def said(self, kind):
        lines = self.lab.raw("geo01", "logvault").splitlines()
        return [o for o in map(json.loads, lines) if o["type"] == kind]

    def test_an_edited_batch_in_the_spool_is_refused_and_told(self):
        self.edit_spool("UPDATE item SET payload = CAST(substr(payload, 1, length(payload) - 1) || x'00' AS BLOB) "
                        "WHERE id = (SELECT id FROM item WHERE source = 'log' AND first_seq = 4)")
        self.lab.start_collector()
        self.assertIn("the spool was damaged", self.host.drain(expect=ATTENTION).err)
        self.host.drain()
        told = [gap for gap in self.said("gap") if gap["source"] == "log"]
        self.assertEqual([(4, 4)], [(gap["first_seq"], gap["last_seq"]) for gap in told])
        self.assertEqual(b"before 1\nbefore 2\nfirst while nobody listened\nthird while nobody listened\n", self.lab.raw("geo01", "log"))
        self.assertEqual(1, self.gaps())
        self.lab.cli("verify", expect=OK)

    def test_a_batch_removed_from_the_spool_is_a_gap_with_its_numbers(self):
        self.edit_spool("DELETE FROM item WHERE source = 'log' AND first_seq = 4")
        self.lab.start_collector()
        self.host.drain()
        self.assertEqual(1, self.gaps())
        self.assertEqual([1, 2, 3, 5], [o["seq"] for o in self.lab.cli("query", "-S", "log", "-o", "json", expect=OK).objects])
        self.lab.cli("verify", expect=OK)

    def test_a_copied_credential_that_took_the_hosts_place_shows_when_the_host_is_back(self):
        collector = self.lab.start_collector()
        clone = Host(self.lab, "second-machine", self.host.credentials)
        clone.file("log", "plain", b"forged\n")
        clone.drain()
        self.host.drain()
        collector.wait_line(r"conflict: host geo01 .* CONFLICT block \d+")
        kept = [b"before 1", b"before 2", b"first while nobody listened", b"forged", b"second while nobody listened", b"third while nobody listened"]
        self.assertEqual(kept, sorted(self.lab.raw("geo01", "log").splitlines()), "nothing is lost by it, and nothing doubled")
        self.lab.cli("verify", expect=OK)

    def test_a_spool_put_back_to_an_older_state_doubles_nothing(self):
        old = self.lab.path("old-spool")
        shutil.copytree(self.host.spool["dir"], old)
        self.lab.start_collector()
        self.host.drain()
        before = self.lab.raw("geo01", "log")
        shutil.rmtree(self.host.spool["dir"])
        shutil.copytree(old, self.host.spool["dir"])
        self.host.append("log.log", b"after\n")
        self.host.drain()
        self.assertEqual(before + b"after\n", self.lab.raw("geo01", "log"))
        self.lab.cli("verify", expect=OK)


class CollectorTest(unittest.TestCase):
    """Root on the collector, with the vault's folder and its keys in hand."""

    def setUp(self):
        self.lab = Lab(self)
        self.collector = self.lab.collector()
        self.host = self.lab.host("geo01")
        self.host.file("log", "plain", b"one\ntwo\n")
        self.host.drain()
        self.lab.cli("status", expect=OK)  # the investigator's tool keeps the checkpoint

    def move_vault_aside(self, name):
        self.assertEqual(OK, self.collector.stop())
        for suffix in ("", ".anchor"):
            os.rename(self.lab.vault_dir + suffix, self.lab.path(name + suffix))

    def copy_vault(self, source, target):
        shutil.copytree(self.lab.path(source), self.lab.path(target))
        shutil.copy(self.lab.path(source + ".anchor"), self.lab.path(target + ".anchor"))

    def test_a_new_history_signed_with_the_vaults_own_key_is_found_by_every_witness(self):
        note = self.lab.path("kept.note")
        self.lab.cli("checkpoint", "--out", note, expect=OK)
        self.move_vault_aside("true")
        self.collector = self.lab.collector()  # the same key, the same name, and nothing of what happened
        other = self.lab.host("web01")
        other.file("log", "plain", b"".join(b"nothing happened %d\n" % i for i in range(50)))
        for _ in range(5):
            other.append("log.log", b"and nothing since\n")
            other.drain()
        self.assertEqual(INTEGRITY, self.lab.cli("status").code, "the investigator's kept checkpoint")
        fresh = {"XDG_STATE_HOME": self.lab.path("another-investigator")}
        self.lab.cli("verify", env=fresh, expect=OK)
        self.assertEqual(INTEGRITY, self.lab.cli("verify", "--anchor", note, env=fresh).code)
        self.host.append("log.log", b"three\n")
        self.host.drain(expect=INTEGRITY)
        self.assertEqual(INTEGRITY, self.collector.ended(), "shown its own signature, it stops")

    def test_two_histories_for_two_groups_of_hosts_are_found_when_they_meet(self):
        self.assertEqual(OK, self.collector.stop())
        self.copy_vault("vault", "fork")
        self.collector = self.lab.start_collector()
        self.host.append("log.log", b"three\n")
        self.host.drain()
        seen_here = self.host.run("status", expect=OK).text.split("verified:\n\n")[1]
        self.move_vault_aside("first")
        for suffix in ("", ".anchor"):
            os.rename(self.lab.path("fork" + suffix), self.lab.vault_dir + suffix)
        self.collector = self.lab.start_collector()
        other = self.lab.host("web01")
        other.file("log", "plain", b"elsewhere\n")
        for _ in range(3):
            other.append("log.log", b"more\n")
            other.drain()
        with open(self.lab.path("geo01.note"), "w", encoding="utf-8") as file:
            file.write(seen_here)
        fresh = {"XDG_STATE_HOME": self.lab.path("another-investigator")}
        self.assertEqual(INTEGRITY, self.lab.cli("verify", "--anchor", self.lab.path("geo01.note"), env=fresh).code)
        self.host.append("log.log", b"four\n")
        self.host.drain(expect=INTEGRITY)


@unittest.skipUnless(LDB, "ldb (rocksdb-tools) is not installed")
class LdbTest(unittest.TestCase):
    """The vault's rows edited with RocksDB's own tool, which keeps every checksum of RocksDB right."""

    def setUp(self):
        self.lab = Lab(self)
        collector = self.lab.collector()
        self.host = self.lab.host("geo01")
        self.host.file("log", "plain", b"one\n")
        for line in (b"two\n", b"three\n", b"four\n"):
            self.host.drain()
            self.host.append("log.log", line)
        self.host.drain()
        self.assertEqual(OK, collector.stop())
        self.assertEqual(OK, self.verify().code)

    def verify(self):
        return self.lab.offline("verify", "-o", "json", credentials=self.lab.analyst)

    def ldb(self, family, *arguments):
        done = subprocess.run([LDB, "--db=" + self.lab.vault_dir, "--column_family=" + family, "--hex", *arguments],
                              capture_output=True, text=True, check=False)
        self.assertEqual(0, done.returncode, done.stderr)
        return done.stdout.strip()

    @staticmethod
    def key(number):
        return "0x%016X" % number

    def batches(self):
        """The numbers of the RECORDS blocks of source log, from the tool's own listing."""
        return sorted({o["block"] for o in self.lab.offline("query", "-S", "log", "-o", "json", credentials=self.lab.analyst).objects})

    def bad_blocks(self):
        answer = self.verify()
        self.assertEqual(INTEGRITY, answer.code, str(answer))
        return {o["block"] for o in answer.objects}

    def test_an_edited_header_is_named(self):
        number = self.batches()[1]
        value = self.ldb("block", "get", self.key(number))
        self.ldb("block", "put", self.key(number), value[:-2] + "%02X" % (int(value[-2:], 16) ^ 1))
        self.assertIn(number, self.bad_blocks())

    def test_a_block_deleted_in_the_middle_is_named(self):
        number = self.batches()[1]
        self.ldb("block", "delete", self.key(number))
        self.assertIn(number, self.bad_blocks())

    def test_two_blocks_that_changed_places_are_named(self):
        first, second = self.batches()[1:3]
        values = [self.ldb("block", "get", self.key(n)) for n in (first, second)]
        self.ldb("block", "put", self.key(first), values[1])
        self.ldb("block", "put", self.key(second), values[0])
        self.assertLessEqual({first, second}, self.bad_blocks())

    def start(self):
        return self.lab.run([program("logvault-collector"), "--config", self.lab.collector_config()])

    def test_a_vault_without_its_first_block_is_damaged_and_not_absent(self):
        self.ldb("block", "delete", self.key(0))
        self.assertIn(0, self.bad_blocks())
        started = self.start()
        self.assertEqual(INTEGRITY, started.code, started)
        self.assertNotIn("--init", started.err)

    def test_a_first_block_that_names_no_key_is_named_and_ends_no_program(self):
        value = self.ldb("block", "get", self.key(0))
        at = value.index(b"lab-vault".hex().upper())
        self.ldb("block", "put", self.key(0), value[:at] + "20" + value[at + 2:])
        self.assertIn(0, self.bad_blocks())
        self.assertEqual(INTEGRITY, self.lab.offline("verify").code)
        self.assertEqual(INTEGRITY, self.start().code)

    def test_the_newest_checkpoint_deleted_is_named_though_the_anchor_has_it(self):
        rows = [line.split()[0] for line in self.ldb("checkpoint", "scan").splitlines() if line.startswith("0x")]
        self.ldb("checkpoint", "delete", rows[-1])
        self.assertIn(int(rows[-2], 16), self.bad_blocks())
        self.assertEqual(INTEGRITY, self.start().code)

    def test_a_tail_cut_off_row_by_row_is_found_by_the_anchor(self):
        last = self.batches()[-1]
        rows = [line.split()[0] for line in self.ldb("checkpoint", "scan").splitlines() if line.startswith("0x")]
        for row in rows:
            if int(row, 16) > last:
                self.ldb("checkpoint", "delete", row)
        for line in self.ldb("block", "scan").splitlines():
            if line.startswith("0x") and int(line.split()[0], 16) >= last:
                self.ldb("block", "delete", line.split()[0])
        self.assertIn(last, self.bad_blocks())
        argv = [program("logvault-collector"), "--config", self.lab.collector_config()]
        self.assertIn(self.lab.run(argv).code, (INTEGRITY, ATTENTION), "the collector does not go on from it either")


if __name__ == "__main__":
    unittest.main()
