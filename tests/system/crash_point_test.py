"""Every durable step of the spool and of the vault, three times: the program dies there, and afterwards every record is in
the vault once, the chain verifies, and the start took less than 5 s.

The points are read from the sources (LV_CRASH_POINT), so a new one is tested or fails this test.
"""

import contextlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import ROOT, Lab  # noqa: E402

TIMES = 3
START_MAX_S = 5
LINES = 4000  # some 1.2 MB: three batches, two commits at least


def crash_points(*prefixes):
    points = set()
    for folder in ("forwarder", "server", "storage"):
        for name in os.listdir(os.path.join(ROOT, folder)):
            with open(os.path.join(ROOT, folder, name), encoding="utf-8") as file:
                points.update(re.findall(r'LV_CRASH_POINT\("([a-z._]+)"\)', file.read()))
    return sorted(point for point in points if point.startswith(prefixes))


class CrashPointTest(unittest.TestCase):
    def setUp(self):
        self.lab = Lab(self)
        self.collector = self.lab.collector()
        self.host = self.lab.host("geo01")
        self.host.file("log", "plain", b"")
        self.content = b""
        self.slowest = 0

    def more(self):
        """Enough that every step is taken several times."""
        start = self.content.count(b"\n")
        text = b"".join(b"record %08d %s\n" % (n, os.urandom(140).hex().encode()) for n in range(start, start + LINES))
        self.content += text
        self.host.append("log.log", text)

    def assert_died(self, daemon, point):
        self.assertEqual(-signal.SIGKILL, daemon.ended(), f"{point} was not reached\n{daemon.log}")

    def started(self, start):
        began = time.monotonic()
        daemon = start()
        self.slowest = max(self.slowest, time.monotonic() - began)
        return daemon

    def assert_all_there_once(self, forwarder):
        lines = self.content.count(b"\n")
        self.lab.wait_count(lines, "-H", "geo01", "-S", "log", daemon=forwarder)
        self.assertEqual(lines, self.lab.count("-H", "geo01", "-S", "log"))

    def assert_sound(self):
        self.assertEqual(self.content, self.lab.raw("geo01", "log"))
        self.lab.cli("verify", expect=0)
        self.assertLess(self.slowest, START_MAX_S)

    def each(self, *prefixes):
        points = crash_points(*prefixes)
        self.assertTrue(points)
        print(f"{len(points)} crash points, {TIMES} times each: {', '.join(points)}", file=sys.stderr)
        return [(point, which) for point in points for which in range(1, TIMES + 1)]

    def test_the_forwarder_dies_at_each_step_of_its_spool(self):
        for point, which in self.each("spool.", "shipper."):
            with self.subTest(point=point, which=which):
                self.more()
                self.assert_died(self.host.start(crash_at=f"{point}:{which}", wait_ready=False), point)
                forwarder = self.started(self.host.start)
                self.assert_all_there_once(forwarder)
                self.assertEqual(0, forwarder.stop())
        self.assert_sound()

    def test_the_collector_dies_at_each_step_of_its_vault(self):
        forwarder = self.host.start()
        for point, which in self.each("vault.", "anchor.", "collector."):
            with self.subTest(point=point, which=which):
                self.assertEqual(0, self.collector.stop())
                self.collector = self.lab.start_collector(crash_at=f"{point}:{which}", wait_ready=False)
                self.more()
                self.assert_died(self.collector, point)
                self.collector = self.started(self.lab.start_collector)
                self.assert_all_there_once(forwarder)
        self.assert_sound()

    def test_the_collector_dies_while_it_deletes_what_has_expired(self):
        admin = self.lab.issue("admin", "root")
        self.lab.cli("retention", "set", "--keep", "1s", "--reason", "a test", credentials=admin, expect=0)
        self.host.start()
        for point, which in self.each("retention."):
            with self.subTest(point=point, which=which):
                self.assertEqual(0, self.collector.stop())
                self.collector = self.lab.start_collector(crash_at=f"{point}:{which}")
                while self.collector.alive():  # something expires again and again
                    self.more()
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        self.collector.process.wait(timeout=1.5)
                self.assert_died(self.collector, point)
                self.collector = self.started(self.lab.start_collector)
                self.lab.cli("verify", expect=0)
        self.assertLess(self.slowest, START_MAX_S)

    def test_the_forwarder_dies_at_each_step_of_a_salvage(self):
        self.more()
        self.host.drain()
        for point, _ in self.each("salvage.")[::TIMES]:
            with self.subTest(point=point):
                self.assertEqual(0, self.collector.stop())
                self.more()
                self.host.run("--drain", "--timeout", "1s", expect=6)
                self.damage_a_waiting_batch()
                self.assert_died(self.host.start(crash_at=point, wait_ready=False), point)
                self.collector = self.lab.start_collector()
                drained = self.host.run("--drain", "--timeout", "60s")
                self.assertIn(drained.code, (0, 7), drained)  # 7 where this very start salvaged: whoever runs it is told
                self.host.run("spool", "verify", expect=0)
        self.lab.cli("verify", expect=0)
        found = self.lab.cli("query", "-H", "geo01", "-S", "logvault", '"could not be salvaged"', "-o", "json", expect=0)
        gaps = [gap for gap in (json.loads(record["message"]) for record in found.objects) if gap["type"] == "gap"]
        self.assertEqual(len(crash_points("salvage.")), len(gaps), "each told once, whatever died")
        lost = sum(gap["last_seq"] - gap["first_seq"] + 1 for gap in gaps)
        self.assertEqual(self.content.count(b"\n"), self.lab.count("-H", "geo01", "-S", "log") + lost)

    def damage_a_waiting_batch(self):
        path = os.path.join(self.host.spool["dir"], "spool.sqlite")
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as spool:
            (payload,) = spool.execute("SELECT payload FROM item WHERE source='log' AND state=0 ORDER BY id").fetchone()
        with open(path, "r+b") as file:
            at = file.read().index(payload[-64:])
            file.seek(at)
            file.write(bytes([payload[-64] ^ 1]))


if __name__ == "__main__":
    unittest.main(verbosity=2)
