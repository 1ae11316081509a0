"""Clocks that lie: of the vault and of a host.  What is stored stays provable, and the blocks say when the clock was wrong."""

import glob
import json
import os
import re
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import Lab, run, wait_until  # noqa: E402

OK, CLOCK = 0, 8
LIBRARIES = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")


@unittest.skipUnless(LIBRARIES, "libfaketime is not installed")
class ClockTest(unittest.TestCase):
    """Real programs under libfaketime: the wall clock is moved, the monotonic one is not."""

    def setUp(self):
        self.lab = Lab(self)
        self.lab.init_vault()

    def fake(self, offset):
        """Environment of a program whose wall clock is off by what the file says, also later."""
        self.offset = self.lab.path("offset")
        self.set_offset(offset)
        return {"LD_PRELOAD": LIBRARIES[0], "FAKETIME_TIMESTAMP_FILE": self.offset, "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}

    def set_offset(self, offset):
        with open(self.offset + ".new", "w", encoding="ascii") as file:
            file.write(offset + "\n")
        os.replace(self.offset + ".new", self.offset)

    def blocks(self):
        """(kind, flags, body) of every block, with RocksDB's own tool; nothing runs on the vault."""
        rows = run(["ldb", f"--db={self.lab.vault_dir}", "--column_family=block", "--hex", "scan"], expect=OK).text
        for value in re.findall(r"^0x[0-9A-F]+ : 0x([0-9A-F]+)$", rows, re.M):
            block = bytes.fromhex(value)
            yield int.from_bytes(block[64:66], "big"), int.from_bytes(block[66:68], "big"), block[72:]

    def alerts(self):
        return [json.loads(body) for kind, _, body in self.blocks() if kind == 8 and b'"type":"clock"' in body]

    def test_the_vaults_clock_steps_by_an_hour_while_it_runs(self):
        collector = self.lab.start_collector(env=self.fake("+0"))
        host = self.lab.host("geo01")
        host.file("log", "plain", b"before\n")
        host.drain()
        self.set_offset("+3600")
        host.append("log.log", b"after\n")
        host.drain()
        self.assertEqual(b"before\nafter\n", self.lab.raw("geo01", "log"))
        self.assertEqual(OK, collector.stop())
        self.assertEqual(1, len(self.alerts()), "told once")
        self.assertTrue(any(flags & CLOCK for _, flags, _ in self.blocks()))
        self.lab.offline("verify", credentials=self.lab.analyst, expect=OK)

    def test_the_vaults_clock_goes_back_over_a_restart(self):
        collector = self.lab.start_collector(env=self.fake("+3600"))
        host = self.lab.host("geo01")
        host.file("log", "plain", b"before\n")
        host.drain()
        self.assertEqual(OK, collector.stop())
        self.assertEqual([], self.alerts())
        collector = self.lab.start_collector()
        host.append("log.log", b"after\n")
        host.drain()
        times = [row["commit_time"] for row in self.lab.cli("query", "-S", "log", "-o", "json", expect=OK).objects]
        self.assertEqual(sorted(times), times, "commit times rise all the same")
        self.assertEqual(OK, collector.stop())
        self.assertEqual(1, len(self.alerts()))
        self.lab.offline("verify", credentials=self.lab.analyst, expect=OK)

    def test_a_host_whose_clock_is_ten_minutes_ahead_is_named(self):
        collector = self.lab.start_collector()
        host = self.lab.host("geo01")
        host.file("log", "plain", b"from the future\n")
        host.run("--drain", "--timeout", "60s", env=self.fake("+600"), expect=OK)
        wait_until(lambda: self.lab.count("future") == 1, "the record")
        self.assertEqual(OK, collector.stop())
        [alert] = self.alerts()
        self.assertEqual("geo01", alert["host"])
        self.assertGreater(alert["ahead_ns"], 500 * 10**9)


if __name__ == "__main__":
    unittest.main()
