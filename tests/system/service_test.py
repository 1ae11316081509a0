"""The daemons under a service manager: they say when they are ready, that they live, and that they stop."""

import os
import shutil
import socket
import subprocess
import sys
import unittest
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import DEADLINE_S, ROOT, Lab, wait_until  # noqa: E402

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


class MetricsTest(unittest.TestCase):
    def test_the_forwarders_figures_follow_what_it_does(self):
        lab = Lab(self)
        lab.collector()
        host = lab.host("geo01")
        host.file("log", "plain", b"one\ntwo\n")
        host.file("gone", "plain")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            host.settings["metrics"] = f"127.0.0.1:{probe.getsockname()[1]}"
        forwarder = host.start()

        def figures():
            try:
                with urllib.request.urlopen(f"http://{host.settings['metrics']}/metrics", timeout=DEADLINE_S) as answer:
                    lines = answer.read().decode().splitlines()
            except OSError:
                return {}
            return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line.startswith("logvault_forwarder_"))}

        def settled():
            now = figures()
            return now if now.get("logvault_forwarder_items_shipped_total", 0) > 3 else None

        now = wait_until(settled, "shipped items in the metrics", forwarder)
        self.assertEqual(2, now['logvault_forwarder_source_records_total{source="log"}'])
        self.assertEqual(1, now['logvault_forwarder_source_ok{source="log"}'])
        self.assertEqual(0, now['logvault_forwarder_source_ok{source="gone"}'])
        self.assertEqual(1, now["logvault_forwarder_connected"])
        self.assertEqual(0, now["logvault_forwarder_integrity_failure"])
        self.assertGreater(now["logvault_forwarder_last_receipt_timestamp_seconds"], 0)
        self.assertGreater(now["logvault_forwarder_certificate_not_after_timestamp_seconds"],
                           now["logvault_forwarder_last_receipt_timestamp_seconds"])
        second = lab.host("geo02")
        second.file("log", "plain", b"one\n")
        second.settings["metrics"] = host.settings["metrics"]
        self.assertIn("cannot serve metrics", second.run(expect=2).err, "the address is in use")


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
