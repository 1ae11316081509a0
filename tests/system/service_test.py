"""The daemons under a service manager: they say when they are ready, that they live, and that they stop."""

import os
import shutil
import socket
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import DEADLINE_S, ROOT, Lab  # noqa: E402

ANALYZE = shutil.which("systemd-analyze")


class NotifyTest(unittest.TestCase):
    def setUp(self):
        self.lab = Lab(self)
        self.path = self.lab.path("notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.socket.close)
        self.socket.bind(self.path)
        self.socket.settimeout(DEADLINE_S)
        os.environ["NOTIFY_SOCKET"] = self.path
        self.addCleanup(os.environ.pop, "NOTIFY_SOCKET")

    def hear(self, wanted):
        """Waits for `wanted`; returns what was said before it."""
        said = []
        while True:
            message = self.socket.recv(4096).decode()
            if message == wanted:
                return said
            said.append(message)

    def test_the_collector_says_when_it_is_ready_and_that_it_lives(self):
        self.lab.init_vault()
        collector = self.lab.start_collector()
        self.assertLessEqual(set(self.hear("READY=1")), {"WATCHDOG=1"})
        for _ in range(2):
            self.hear("WATCHDOG=1")
        self.assertEqual(0, collector.stop())
        self.hear("STOPPING=1")

    def test_the_forwarder_too_also_while_no_vault_answers(self):
        self.lab.ingest = "127.0.0.1:1"
        host = self.lab.host("geo01")
        host.file("log", "plain", b"one\n")
        forwarder = host.start()
        self.hear("READY=1")
        for _ in range(2):
            self.hear("WATCHDOG=1")
        self.assertEqual(0, forwarder.stop())
        self.hear("STOPPING=1")


@unittest.skipUnless(ANALYZE, "systemd-analyze is not installed")
class UnitTest(unittest.TestCase):
    def test_the_units_expose_little(self):
        folder = os.path.join(ROOT, "deploy", "systemd")
        units = sorted(os.listdir(folder))
        self.assertEqual(["logvault-collector.service", "logvault-forwarder.service"], units)
        for unit in units:
            done = subprocess.run([ANALYZE, "security", "--offline=true", "--threshold=20", "--no-pager", os.path.join(folder, unit)],
                                  capture_output=True, text=True, check=False)
            if "Unknown" in done.stderr or "unrecognized" in done.stderr:
                self.skipTest(done.stderr.strip())
            self.assertEqual(0, done.returncode, done.stdout[-400:] + done.stderr)


if __name__ == "__main__":
    unittest.main()
