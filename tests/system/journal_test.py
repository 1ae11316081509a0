"""The journal with the real programs: files that systemd-journal-remote builds, and journalctl's export as the oracle."""

import os
import random
import re
import shutil
import struct
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import Lab, run, wait_until  # noqa: E402
from proxy import seed  # noqa: E402

BUILDER = "/lib/systemd/systemd-journal-remote"
ENTRIES_A_ROUND = 300
KILLS = 6
DAMAGED = 24
# Offsets in a journal file's header: (offset, size) of its hash tables, and where its last object begins.
HASH_TABLES = (104, 120)
TAIL_OBJECT = 136


def entry(number, message, **fields):
    """One entry in export format; values that are no text are counted."""
    lines = [
        b"__REALTIME_TIMESTAMP=%d\n" % (1720703655000000 + number * 1000),
        b"__MONOTONIC_TIMESTAMP=%d\n" % (number * 1000),
        b"_BOOT_ID=0123456789abcdef0123456789abcdef\n",
    ]
    for name, value in {"MESSAGE": message, **fields}.items():
        value = value if isinstance(value, bytes) else str(value).encode()
        text = value.isascii() and value.decode("ascii").isprintable()
        lines.append(name.encode() + (b"=" + value if text else b"\n" + struct.pack("<Q", len(value)) + value) + b"\n")
    return b"".join(lines) + b"\n"


@unittest.skipUnless(os.access(BUILDER, os.X_OK), f"{BUILDER} is not installed")
class JournalTest(unittest.TestCase):
    def setUp(self):
        self.lab = Lab(self)
        self.collector = self.lab.collector()
        self.host = self.lab.host("web1")
        self.directory = self.host.path("journal")
        os.makedirs(self.directory)
        self.host.source("journal", type="journal", directory=self.directory)

    def build(self, name, entries):
        run([BUILDER, "-o", os.path.join(self.directory, name), "-"], expect=0, stdin=b"".join(entries))

    def journalctl(self, *arguments):
        return subprocess.run(["journalctl", "-q", "-D", self.directory, *arguments], stdout=subprocess.PIPE, check=True).stdout

    def own(self, *arguments):
        answer = self.lab.cli("query", "-H", "web1", "-S", "logvault", *arguments, "-o", "json")
        return [o["fields"] for o in answer.objects]

    def test_the_raw_export_is_journalctls_and_fields_have_their_names(self):
        self.build("system.journal", [
            entry(1, "Accepted publickey for ops", PRIORITY=6, SYSLOG_FACILITY=10, SYSLOG_IDENTIFIER="sshd", _PID=812, _UID=0,
                  _COMM="sshd", _EXE="/usr/sbin/sshd", _SYSTEMD_UNIT="ssh.service", _HOSTNAME="web1"),
            entry(2, b"two\nlines\0and \xff", PRIORITY=3, _PID=900),
        ])
        forwarder = self.host.start()
        self.lab.wait_count(2, "-S", "journal", daemon=forwarder)
        self.assertEqual(self.journalctl("-o", "export"), self.lab.raw("web1", "journal"))
        found = self.lab.cli("query", "app=sshd", "unit=ssh.service", "severity=info", "facility=authpriv", "pid=812", "uid=0",
                             "exe=/usr/sbin/sshd", "-o", "json", expect=0).objects
        self.assertEqual(1, len(found))
        self.assertEqual("2024-07-11T13:14:15.001000000Z", found[0]["time"])
        self.assertEqual("event", found[0].get("time_from", "event"))
        text = self.lab.cli("query", "publickey", "-S", "journal", expect=0).text
        self.assertTrue(text.endswith("  sshd[812]: Accepted publickey for ops\n"), text)
        self.assertEqual(1, self.lab.count("severity=err", "-S", "journal"))
        self.assertEqual(1, self.lab.count("msg:lines", "journal._PID=900"))

    def test_kills_rotation_and_appending_lose_and_repeat_nothing(self):
        number = 0
        for round_ in range(KILLS):
            forwarder = self.host.start()
            for _ in range(2):
                self.build("system.journal", [entry(number + i, f"entry {number + i}") for i in range(ENTRIES_A_ROUND)])
                number += ENTRIES_A_ROUND
            self.lab.wait_count(number - ENTRIES_A_ROUND, "-S", "journal", daemon=forwarder)
            if round_ % 2 == 0:
                os.rename(os.path.join(self.directory, "system.journal"), os.path.join(self.directory, f"system@{round_}.journal"))
            forwarder.kill()
        forwarder = self.host.start()
        self.lab.wait_count(number, "-S", "journal", daemon=forwarder)
        self.assertEqual(self.journalctl("-o", "export"), self.lab.raw("web1", "journal"))
        self.lab.cli("verify", expect=0)

    def test_a_vacuumed_cursor_is_a_gap_and_reading_goes_on(self):
        self.build("old.journal", [entry(i, f"entry {i}") for i in range(20)])
        forwarder = self.host.start()
        self.lab.wait_count(20, "-S", "journal", daemon=forwarder)
        forwarder.stop()
        os.remove(os.path.join(self.directory, "old.journal"))
        self.build("new.journal", [entry(i, f"entry {i}") for i in range(30, 40)])
        forwarder = self.host.start()
        self.lab.wait_count(30, "-S", "journal", daemon=forwarder)
        wait_until(lambda: self.own("type=gap"), "the gap record", forwarder)
        gap = self.own("type=gap")[0]
        self.assertIn("removed before it was read", gap["json.reason"])

    def test_an_entry_that_lies_in_two_files_comes_once_as_in_journalctl(self):
        entries = [entry(i, f"entry {i}") for i in range(100)]
        self.build("a.journal", entries)
        self.build("b.journal", entries[:60] + [entry(1000 + i, f"later {i}") for i in range(5)])
        forwarder = self.host.start()
        self.lab.wait_count(5, "-S", "journal", "later", daemon=forwarder)
        # Which of the two files an entry is read from, and so what its cursor names, is each reader's own choice.
        without_cursors = [re.sub(rb"^__CURSOR=.*\n", b"", text, flags=re.M) for text in (self.journalctl("-o", "export"), self.lab.raw("web1", "journal"))]
        self.assertEqual(*without_cursors)
        self.assertEqual(105, self.lab.count("-S", "journal"))

    def test_a_spool_that_is_lost_repeats_nothing(self):
        self.build("system.journal", [entry(i, f"entry {i}") for i in range(500)])
        forwarder = self.host.start()
        self.lab.wait_count(500, "-S", "journal", daemon=forwarder)
        forwarder.kill()
        shutil.rmtree(self.host.spool["dir"])
        self.build("system.journal", [entry(i, f"entry {i}") for i in range(500, 600)])
        forwarder = self.host.start()
        self.lab.wait_count(600, "-S", "journal", daemon=forwarder)
        self.assertEqual(self.journalctl("-o", "export"), self.lab.raw("web1", "journal"))

    def test_whatever_is_destroyed_every_entry_is_a_record_or_in_a_gap(self):
        number = seed()
        print(f"seed {number}", file=sys.stderr)
        choose = random.Random(number)
        self.build("bad.journal", [entry(i, f"bad {i} " + "x" * 200) for i in range(400)])
        self.build("good.journal", [entry(i, f"good {i}") for i in range(400, 450)])
        with open(os.path.join(self.directory, "bad.journal"), "rb") as file:
            whole = file.read()
        tables_end = max(sum(struct.unpack_from("<QQ", whole, at)) for at in HASH_TABLES)
        last_object = struct.unpack_from("<Q", whole, TAIL_OBJECT)[0]
        self.host.sources.clear()
        for case in range(DAMAGED):
            folder = self.host.path(f"damaged{case}")
            os.makedirs(folder)
            shutil.copy(os.path.join(self.directory, "good.journal"), folder)
            at = choose.randrange(tables_end, last_object)
            size = choose.choice([1, 8, 100, 5000, 40000])
            with open(os.path.join(folder, "bad.journal"), "wb") as file:
                file.write(whole[:at] + choose.randbytes(len(whole[at:at + size])) + whole[at + size:])
            self.host.source(f"damaged{case}", type="journal", directory=folder)
        forwarder = self.host.start()
        lost = 0
        for case in range(DAMAGED):
            with self.subTest(case):
                def gone():
                    gaps = self.own("type=gap", f"json.source=damaged{case}")
                    return sum(int(gap.get("json.records", 0)) for gap in gaps)
                wait_until(lambda: self.lab.count("-S", f"damaged{case}") + gone() >= 450, "every entry, or a gap", forwarder, 30)
                self.assertEqual(450, self.lab.count("-S", f"damaged{case}") + gone())
                self.assertEqual(50, self.lab.count("-S", f"damaged{case}", "msg:good"))
                lost += gone()
        self.assertGreater(lost, 0, "the damage was some")
        print(f"{DAMAGED} damaged files, {lost} of {DAMAGED * 400} entries lost and told", file=sys.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
