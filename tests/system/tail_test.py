"""`logvault tail`: a line typed into a followed file is shown; restarts, revocation and the log of who read what."""

import csv
import json
import os
import select
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import DEADLINE_S, Lab, program, wait_until  # noqa: E402

INTERRUPTED, USAGE, NOT_PERMITTED = 130, 2, 5


class Tail:
    """A running `logvault tail`, read line by line."""

    def __init__(self, lab, *arguments, credentials=None):
        self.lab = lab
        self.log = lab.path(f"tail{len(lab.daemons)}.err")
        self._err = open(self.log, "wb")
        argv = [program("logvault"), "--vault", lab.query, "--credentials", credentials or lab.analyst, "tail", *arguments]
        self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._err,
                                        env={**os.environ, **lab.environment})
        lab.test.addCleanup(self.close)
        self.lines = []
        self._rest = b""
        self.wait_err("following")

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self._err.close()

    @property
    def err(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()

    def wait_err(self, text):
        wait_until(lambda: text in self.err, f"{text!r} on standard error of tail")

    def read(self, seconds):
        if select.select([self.process.stdout], [], [], seconds)[0]:
            self._rest += os.read(self.process.stdout.fileno(), 65536)
            *whole, self._rest = self._rest.split(b"\n")
            self.lines += [line.decode() for line in whole]

    def wait_line(self, text):
        end = time.monotonic() + DEADLINE_S
        while not any(text in line for line in self.lines):
            self.read(0.1)
            if time.monotonic() > end or self.process.poll() is not None:
                raise AssertionError(f"{text!r} was not shown, but {self.lines[-5:]}\n{self.err}")

    def ended(self, sig=None):
        if sig is not None:
            self.process.send_signal(sig)
        return self.process.wait(timeout=DEADLINE_S)


class TailTest(unittest.TestCase):
    def setUp(self):
        self.lab = Lab(self)
        self.collector = self.lab.collector()
        self.geo01 = self.lab.host("geo01")
        self.geo01.file("app", "plain", b"before\n")
        self.geo01.file("other", "plain", b"other\n")
        self.geo01.start()
        self.lab.wait_count(2)

    def type(self, text, source="app"):
        self.geo01.append(source + ".log", text.encode() + b"\n")

    def test_what_is_typed_is_shown_and_nothing_older(self):
        tail = Tail(self.lab, "-S", "app", "typed or more", "-o", "json")
        self.type("typed in the other source", "other")
        self.type("not asked for")
        self.type("typed here")
        tail.wait_line("typed here")
        self.type("and more")
        tail.wait_line("and more")
        self.assertEqual(INTERRUPTED, tail.ended(signal.SIGINT))
        self.assertEqual(["typed here", "and more"], [json.loads(line)["message"] for line in tail.lines])
        self.assertIn("2 records, 0 skipped", tail.err)

    def test_as_csv_with_one_head(self):
        tail = Tail(self.lab, "-S", "app", "-o", "csv")
        tail.wait_line("host,source,seq")
        self.type('typed, with "quotes"')
        tail.wait_line("typed")
        self.collector.stop()
        tail.wait_err("the connection is lost")
        self.collector = self.lab.start_collector()
        self.type("again")
        tail.wait_line("again")
        tail.ended(signal.SIGINT)
        rows = list(csv.DictReader(tail.lines))
        self.assertEqual([("geo01", 'typed, with "quotes"'), ("geo01", "again")], [(r["host"], r["message"]) for r in rows])

    def test_it_goes_on_after_the_collector_restarts_without_hole_or_repetition(self):
        tail = Tail(self.lab, "-S", "app")
        self.type("one")
        tail.wait_line("one")
        self.collector.stop()
        tail.wait_err("the connection is lost")
        self.type("two")
        self.collector = self.lab.start_collector()
        tail.wait_line("two")
        self.type("three")
        tail.wait_line("three")
        self.collector.kill()
        self.lab.start_collector()
        self.type("four")
        tail.wait_line("four")
        self.assertEqual(INTERRUPTED, tail.ended(signal.SIGINT))
        self.assertEqual(["one", "two", "three", "four"], [line.rsplit(" ", 1)[1] for line in tail.lines])

    def test_it_is_in_the_log_with_its_question_and_its_end(self):
        tail = Tail(self.lab, "-S", "app", "typed")
        self.type("typed")
        tail.wait_line("typed")
        tail.ended(signal.SIGINT)

        def recorded():
            calls = self.lab.cli("audit", "-o", "json", expect=0).objects
            return [c for c in calls if c["call"] == "tail" and "outcome" in c]
        call = wait_until(recorded, "a tail with its end in the log")[0]
        self.assertEqual("analyst", call["name"])
        self.assertIn("typed", json.dumps(call["query"]))
        self.assertEqual(("left", 1), (call["outcome"], call["rows"]))
        self.lab.cli("verify", expect=0)

    def test_a_revoked_reader_is_cut(self):
        credentials = self.lab.issue("investigator", "leaver")
        tail = Tail(self.lab, credentials=credentials)
        self.lab.revoke("leaver")
        self.assertEqual(NOT_PERMITTED, tail.ended())
        self.assertIn("revoked", tail.err)

    def test_a_folder_is_not_followed(self):
        self.assertIn("--vault", self.lab.offline("tail", expect=USAGE).err)
        self.assertIn("--output", self.lab.cli("tail", "-o", "raw", expect=USAGE).err)

    def test_a_reader_that_leaves_ends_it_at_the_next_record(self):
        tail = Tail(self.lab, "-S", "app")
        tail.process.stdout.close()
        self.type("nobody reads this")
        self.assertEqual(0, tail.ended())


if __name__ == "__main__":
    unittest.main(verbosity=2)
