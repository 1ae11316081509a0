"""The real logrotate on files that are being written, the forwarder killed midway: every line arrives once.

Only copytruncate itself can lose lines (those between its copy and its truncation); then a gap record says so.
"""

import collections
import os
import shutil
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import Lab, run, wait_until  # noqa: E402

# After the rename and before the compression, logrotate lets the program know and waits until it has opened its log
# anew: what a signal does in practice.
REOPEN = """
  postrotate
    touch {path}.reopen
    while [ -e {path}.reopen ]; do sleep 0.01; done
  endscript"""

KINDS = {
    "create": "create" + REOPEN,
    "compress": "create\n  compress" + REOPEN,
    "delaycompress": "create\n  compress\n  delaycompress\n  compresscmd /usr/bin/zstd\n  compressoptions -q --rm\n  compressext .zst" + REOPEN,
    "dateext": "create\n  dateext\n  dateformat -%Y%m%d-%s\n  compress\n  compresscmd /usr/bin/xz\n  compressext .xz" + REOPEN,
    # The compressed file bears the time from before the rotation: more than a second before its last line.
    "late": "create\n  dateext\n  dateformat -%Y%m%d-%s\n  compress\n  compresscmd /usr/bin/xz\n  compressext .xz"
    + REOPEN.replace("postrotate", "postrotate\n    sleep 1.1"),
    "copytruncate": "copytruncate\n  compress\n  delaycompress",
}
ROTATE = "{path} {{\n  rotate 100\n  missingok\n  {kind}\n}}\n"
LINES_A_ROUND = 300


class Writer(threading.Thread):
    """Writes numbered lines to `path` until it is stopped; opens the file anew when it is told to."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.path, self.written, self.stopping = path, 0, threading.Event()
        self.file = open(path, "ab", buffering=0)

    def run(self):
        while not self.stopping.wait(0.001):
            self.reopen_if_told()
            self.line()
        self.reopen_if_told()

    def reopen_if_told(self):
        if os.path.exists(self.path + ".reopen"):
            self.file.close()
            self.file = open(self.path, "ab", buffering=0)
            os.unlink(self.path + ".reopen")

    def line(self):
        self.written += 1
        self.file.write(b"line %d of %s\n" % (self.written, os.path.basename(self.path).encode()))

    def stop(self):
        self.stopping.set()
        self.join()
        self.file.close()


@unittest.skipUnless(shutil.which("logrotate"), "skipped: logrotate is not installed")
class LogrotateTest(unittest.TestCase):
    def setUp(self):
        self.lab = Lab(self)
        self.lab.collector()
        self.host = self.lab.host("web01")
        self.writers = {}
        for kind in KINDS:
            path = self.host.write(os.path.join("logs", kind + ".log"), b"")
            self.host.file(kind, "plain", path=path)
            self.writers[kind] = Writer(path)
        rules = [ROTATE.format(path=w.path, kind=KINDS[k].format(path=w.path)) for k, w in self.writers.items()]
        self.rules = self.host.write("logrotate.conf", "".join(rules).encode())
        os.chmod(self.rules, 0o644)
        self.second = 0

    def rotate(self):
        # Names of dateext differ by the second: that in which the last rotation ended is over, by logrotate's time(2) too, which
        # lags a tick or more behind.
        wait_until(lambda: time.time() > self.second + 1.1, "the next second")
        run([shutil.which("logrotate"), "--force", "--state", self.host.path("logrotate.state"), self.rules], expect=0)
        self.second = int(time.time())

    def write_on(self):
        """Every writer has written so many lines more."""
        goals = {kind: writer.written + LINES_A_ROUND for kind, writer in self.writers.items()}
        wait_until(lambda: all(self.writers[kind].written >= goal for kind, goal in goals.items()), "the writers")

    def rotate_busily(self, times):
        for _ in range(times):
            self.write_on()
            self.rotate()
        self.write_on()

    def gaps(self, kind):
        records = self.lab.cli("query", "-S", "logvault", "type=gap", "-o", "json").objects
        return [record["message"] for record in records if f'"source":"{kind}"' in record["message"]]

    def lines_in_vault(self, kind):
        raw = self.lab.raw("web01", kind)
        return collections.Counter(int(line.split()[1]) for line in raw.splitlines() if line)

    def test_every_line_arrives_once(self):
        for writer in self.writers.values():
            writer.start()
        forwarder = self.host.start()
        self.rotate_busily(2)
        forwarder.kill()
        self.rotate_busily(3)
        forwarder = self.host.start()
        self.rotate_busily(2)
        for writer in self.writers.values():
            writer.stop()
        for kind, writer in self.writers.items():
            with self.subTest(kind):
                self.check(kind, writer.written, forwarder)

    def check(self, kind, written, forwarder):
        self.lab.wait_count(1, "-S", kind, f'"line {written} of"', daemon=forwarder)
        lossy = kind == "copytruncate"
        if not lossy:
            self.lab.wait_count(written, "-S", kind, daemon=forwarder)
        lines = self.lines_in_vault(kind)
        missing = [number for number in range(1, written + 1) if number not in lines]
        self.assertEqual([], [number for number, times in lines.items() if times > 1], "came twice")
        if missing and lossy:
            self.assertTrue(self.gaps(kind), f"{len(missing)} lines are missing and nothing says so")
        if not lossy:
            self.assertEqual([], missing)
            self.assertEqual([], self.gaps(kind))
        print(f"{kind}: {written} lines, {len(missing)} missing, {len(self.gaps(kind))} gap records")


if __name__ == "__main__":
    unittest.main()
