"""The spool as its owner meets it: looked at, damaged, lost, full; and the addresses that it empties to."""

import contextlib
import json
import os
import shutil
import socket
import sqlite3
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import Lab, wait_until  # noqa: E402


def noise_line(number):
    return b"line %08d %s\n" % (number, os.urandom(2000).hex().encode())


def said(record):
    """What an own record says."""
    return json.loads(record["message"])


def free_address():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return "127.0.0.1:%d" % probe.getsockname()[1]


class SpoolTest(unittest.TestCase):
    def setUp(self):
        self.lab = Lab(self)
        self.collector = self.lab.collector()
        self.host = self.lab.host("geo01")

    def spool_file(self):
        return os.path.join(self.host.spool["dir"], "spool.sqlite")

    def waiting_items(self):
        lines = self.host.run("spool", "inspect", expect=0).text.splitlines()
        return [line for line in lines if " waiting: log " in line]

    def fill_in_an_outage(self, batches):
        """Records that wait in a spool whose forwarder is still running."""
        self.host.file("log", "plain", b"first\n")
        self.host.drain()
        self.assertEqual(0, self.collector.stop())
        forwarder = self.host.start()
        content = b"first\n"
        for number in range(batches):
            line = noise_line(number)
            content += line
            self.host.append("log.log", line)
            wait_until(lambda: len(self.waiting_items()) > number, "a batch in the spool", forwarder)
        return forwarder, content

    def flip_a_byte_of_record(self, number):
        with contextlib.closing(sqlite3.connect(f"file:{self.spool_file()}?mode=ro", uri=True)) as spool:
            (payload,) = spool.execute("SELECT payload FROM item WHERE source='log' AND first_seq=?", (number,)).fetchone()
        with open(self.spool_file(), "r+b") as file:
            at = file.read().index(payload[-64:])
            file.seek(at)
            file.write(bytes([payload[-64] ^ 1]))

    def test_inspect_and_verify_beside_a_running_forwarder_and_after_its_end(self):
        forwarder, _ = self.fill_in_an_outage(2)
        self.assertIn("items verified, no damage", self.host.run("spool", "verify", expect=0).text)
        forwarder.kill()
        self.host.run("spool", "verify", expect=0)
        self.assertIn("log 2-2", self.waiting_items()[0])
        self.host.run("spool", expect=2)
        self.host.spool = {"dir": self.host.path("nowhere")}
        self.assertEqual(b"", self.host.run("spool", "verify", expect=2).out)

    def test_status_says_for_how_long_a_source_lags(self):
        forwarder, _ = self.fill_in_an_outage(1)
        since = time.monotonic()
        wait_until(lambda: time.monotonic() > since + 3, "some seconds of lag", forwarder)
        self.assertRegex(self.host.run("status", expect=0).text, r"source log: ok, 0 bytes not read, behind for ([2-9]|\d\d+) s")

    def test_what_a_damaged_spool_still_holds_is_shipped_and_the_rest_is_a_gap_record(self):
        forwarder, content = self.fill_in_an_outage(6)
        self.assertEqual(0, forwarder.stop())
        self.flip_a_byte_of_record(4)
        verified = self.host.run("spool", "verify", expect=4)
        self.assertIn("damaged: ", verified.text)
        self.collector = self.lab.start_collector()
        forwarder = self.host.start()
        self.lab.wait_count(1, "-H", "geo01", "-S", "logvault", '"could not be salvaged"', daemon=forwarder)
        self.lab.wait_count(6, "-H", "geo01", "-S", "log", daemon=forwarder)
        self.assertEqual(6, self.lab.count("-H", "geo01", "-S", "log"), "seven but for one")
        lines = content.splitlines()
        self.assertEqual(lines[:3] + lines[4:], self.lab.raw("geo01", "log").splitlines())
        gaps = self.lab.cli("query", "-H", "geo01", "-S", "logvault", '"could not be salvaged"', "-o", "json", expect=0).objects
        self.assertEqual([(4, 4)], [(gap["first_seq"], gap["last_seq"]) for gap in map(said, gaps) if gap["type"] == "gap"])
        self.assertTrue(os.path.exists(self.spool_file() + ".damaged-1"))
        self.host.run("spool", "verify", expect=0)
        self.assertIn("the spool was damaged", forwarder.log)
        self.lab.cli("verify", expect=0)

    def test_a_lost_spool_loses_and_doubles_nothing_that_is_still_in_files(self):
        lines = [b"Jul 11 14:00:%02d geo01 app[1]: line %08d\n" % (n % 60, n) for n in range(60000)]
        self.host.file("load", "syslog", b"".join(lines[:30000]))
        forwarder = self.host.start()
        self.lab.wait_count(1, "-H", "geo01", "-S", "load", daemon=forwarder)
        forwarder.kill()
        shutil.rmtree(self.host.spool["dir"])
        self.host.append("load.log", b"".join(lines[30000:45000]))
        forwarder = self.host.start()
        self.lab.wait_count(20000, "-H", "geo01", "-S", "load", daemon=forwarder)
        self.collector.kill()
        forwarder.kill()
        shutil.rmtree(self.host.spool["dir"])
        self.host.append("load.log", b"".join(lines[45000:]))
        self.collector = self.lab.start_collector()
        forwarder = self.host.start()
        self.lab.wait_count(60000, "-H", "geo01", "-S", "load", daemon=forwarder)
        self.assertEqual(60000, self.lab.count("-H", "geo01", "-S", "load"))
        self.assertEqual(b"".join(lines), self.lab.raw("geo01", "load"))
        self.lab.cli("verify", expect=0)

    def test_addresses_are_tried_in_order_and_the_next_one_takes_over(self):
        first, second = free_address(), self.lab.ingest
        self.host.settings["collector"] = [first, second]
        self.host.file("log", "plain", b"one\n")
        forwarder = self.host.start()
        self.lab.wait_count(1, "-H", "geo01", "-S", "log", daemon=forwarder)
        self.assertEqual(0, self.collector.stop())
        self.host.append("log.log", b"two\n")
        self.lab.ingest = first  # the same vault, now behind the other address
        self.collector = self.lab.start_collector()
        self.lab.wait_count(2, "-H", "geo01", "-S", "log", daemon=forwarder)
        self.assertEqual(b"one\ntwo\n", self.lab.raw("geo01", "log"))
        self.assertEqual(0, forwarder.stop())


class WhenFullTest(unittest.TestCase):
    """A spool of its smallest size, an outage, and more than fits."""

    RECORDS = 1500

    def fill(self, when_full):
        self.lab = Lab(self)
        collector = self.lab.collector()
        self.host = self.lab.host("geo01")
        self.host.spool.update(max_bytes="1MiB", when_full=when_full)
        self.host.file("log", "plain", b"first\n")
        self.host.drain()
        self.assertEqual(0, collector.stop())
        lines = [noise_line(number) for number in range(self.RECORDS)]
        self.host.append("log.log", b"".join(lines))
        return [b"first\n"] + lines

    def test_block_leaves_the_rest_in_the_files_and_loses_nothing(self):
        lines = self.fill("block")
        forwarder = self.host.start()
        forwarder.wait_line("spool full")
        self.assertEqual(0, forwarder.stop())
        self.lab.start_collector()
        self.host.drain()
        self.assertEqual(b"".join(lines), self.lab.raw("geo01", "log"))
        self.assertEqual(0, self.lab.count("-H", "geo01", "-S", "logvault", "type=gap"))

    def test_drop_oldest_keeps_the_newest_and_tells_each_number_that_is_gone(self):
        lines = self.fill("drop_oldest")
        forwarder = self.host.start()
        wait_until(lambda: f"log: sealed to record {len(lines)}" in self.host.run("spool", "inspect", expect=0).text,
                   "everything sealed", forwarder)
        self.lab.start_collector()
        self.lab.wait_count(1, "-H", "geo01", "-S", "log", lines[-1].split()[1].decode(), daemon=forwarder)
        self.assertEqual(0, forwarder.stop())
        found = self.lab.cli("query", "-H", "geo01", "-S", "log", "-o", "json", expect=0).objects
        there = {record["seq"] for record in found}
        self.assertLess(len(there), len(lines))
        told = set()
        for record in self.lab.cli("query", "-H", "geo01", "-S", "logvault", '"oldest batch dropped"', "-o", "json", expect=0).objects:
            gap = said(record)
            if gap["type"] == "gap":
                told.update(range(gap["first_seq"], gap["last_seq"] + 1))
        self.assertEqual(set(range(1, len(lines) + 1)), there | told)
        self.assertFalse(there & told)


if __name__ == "__main__":
    unittest.main(verbosity=2)
