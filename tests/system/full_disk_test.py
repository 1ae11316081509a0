"""A disk that fills up: the vault stops acknowledging before it is full, and goes on by itself when there is room."""

import base64
import os
import random
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import Lab  # noqa: E402

DISK_MIB = 96
LINES = 120_000
RANDOM = random.Random(20261124)


def noise(lines):
    """Lines of about 1,000 bytes that hardly compress."""
    return b"".join(b"Jul 11 14:00:00 geo01 app[7]: %s\n" % base64.b64encode(RANDOM.randbytes(720)) for _ in range(lines))


def small_disk(test, mib):
    """A disk of its own; skips where none can be mounted."""
    disk = tempfile.mkdtemp(prefix="logvault-disk-")
    test.addCleanup(os.rmdir, disk)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mib}m", "none", disk], capture_output=True, check=False)
    if mounted.returncode != 0:
        test.skipTest("a disk of its own cannot be mounted here: " + mounted.stderr.decode("utf-8", "replace").strip())
    test.addCleanup(subprocess.run, ["umount", "--lazy", disk], check=True)
    return disk


def take_all_space(ballast):
    """Takes every free byte, as somebody else's data would."""
    with open(ballast, "ab", buffering=0) as file:
        for size in (1 << 20, 4096):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                pass


class FullDiskTest(unittest.TestCase):
    def setUp(self):
        self.lab = Lab(self)

    def on_a_disk_of(self, mib):
        disk = small_disk(self, mib)
        self.ballast = os.path.join(disk, "ballast")
        self.lab.vault_dir = os.path.join(disk, "vault")

    def fill(self, but_mib=0):
        """Takes every free byte but these."""
        take_all_space(self.ballast)
        os.truncate(self.ballast, max(os.path.getsize(self.ballast) - (but_mib << 20), 0))

    def test_a_disk_full_of_other_data_holds_the_forwarder_up_and_loses_nothing(self):
        self.on_a_disk_of(DISK_MIB)
        collector = self.lab.collector()
        host = self.lab.host("geo01")
        content = noise(2000)
        host.file("load", "syslog", content)
        host.drain()
        self.fill()
        more = noise(2000)
        host.append("load.log", more)
        host.drain(expect=6, timeout="2s")
        refused = self.lab.cli("query", "-H", "geo01", "--count", expect=3)
        self.assertIn("the call could not be recorded, so it is not answered", refused.err)
        self.assertEqual("", refused.text)
        self.lab.cli("status", expect=0)
        self.fill(but_mib=DISK_MIB * 3 // 16)  # inside the reserve, which is a quarter of this disk
        host.drain(expect=6, timeout="2s")
        self.assertEqual(2000, self.lab.count("-H", "geo01", "-S", "load"), "an investigator has a reserve of their own")
        os.unlink(self.ballast)
        host.drain()
        self.assertTrue(collector.alive())
        self.assertEqual(content + more, self.lab.raw("geo01", "load"))
        self.lab.cli("verify", expect=0)

    def test_a_disk_that_fills_in_the_middle_of_a_load_stops_it_only_for_a_while(self):
        self.on_a_disk_of(DISK_MIB)
        collector = self.lab.collector()
        host = self.lab.host("geo01")
        content = noise(40_000)
        host.file("load", "syslog", content)
        forwarder = host.start()
        self.lab.wait_count(1, "-H", "geo01", "-S", "load", daemon=forwarder)
        self.fill()
        forwarder.wait_line("kept in reserve|no space|No space")
        os.unlink(self.ballast)
        self.lab.wait_count(40_000, "-H", "geo01", "-S", "load", daemon=forwarder)
        self.assertTrue(collector.alive())
        self.assertEqual(content, self.lab.raw("geo01", "load"))
        self.lab.cli("verify", expect=0)

    def test_a_disk_that_the_vault_fills_itself_keeps_its_reserve(self):
        # So large that a memtable of 32 MiB, written out when ingest has stopped, leaves the part for the vault's own words.
        self.on_a_disk_of(256)
        collector = self.lab.collector()
        host = self.lab.host("geo01")
        content = noise(3 * LINES)
        host.file("load", "syslog", content)
        host.drain(expect=6, timeout="3s")
        held = self.lab.count("-H", "geo01", "-S", "load")
        self.assertGreater(held, 0)
        self.assertLess(held, 3 * LINES)
        self.assertTrue(content.startswith(self.lab.raw("geo01", "load")))
        self.lab.cli("verify", expect=0)
        self.assertEqual(0, collector.stop(), "and stops cleanly")
        self.lab.start_collector()
        self.assertEqual(held, self.lab.count("-H", "geo01", "-S", "load"))


class FullSpoolDiskTest(unittest.TestCase):
    """The disk under the forwarder's spool is full: its sources wait where they are."""

    def setUp(self):
        self.lab = Lab(self)
        self.disk = small_disk(self, 16)

    def test_files_wait_and_go_on_without_a_restart(self):
        collector = self.lab.collector()
        host = self.lab.host("geo01")
        host.spool["dir"] = os.path.join(self.disk, "spool")
        content = noise(100)
        host.file("load", "syslog", content)
        forwarder = host.start()
        self.lab.wait_count(100, "-H", "geo01", "-S", "load", daemon=forwarder)
        self.assertEqual(0, collector.stop())
        ballast = os.path.join(self.disk, "ballast")
        take_all_space(ballast)
        more = noise(4000)
        host.append("load.log", more)
        forwarder.wait_line("spool: .*(full|disk I/O)")
        self.assertRegex(host.run("status", expect=0).text, "^running, .*: spool: ")
        os.unlink(ballast)
        self.lab.start_collector()
        self.lab.wait_count(4100, "-H", "geo01", "-S", "load", daemon=forwarder)
        self.assertTrue(forwarder.alive())
        self.assertEqual(content + more, self.lab.raw("geo01", "load"))
        self.assertEqual(0, self.lab.count("-H", "geo01", "-S", "logvault", "type=gap"))
        self.assertEqual(0, forwarder.stop())
        host.run("spool", "verify", expect=0)


if __name__ == "__main__":
    unittest.main()
