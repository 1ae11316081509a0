"""A disk that fills up: the vault stops acknowledging before it is full, and goes on by itself when there is room."""

import base64
import os
import random
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import Lab, wait_until  # noqa: E402

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


def large_disk(test, mib):
    """A disk of its own, of a sparse file: what is only reserved takes no room of this machine's; skips where none can be mounted."""
    folder = tempfile.mkdtemp(prefix="logvault-disk-")
    test.addCleanup(shutil.rmtree, folder)
    image, disk = os.path.join(folder, "image"), os.path.join(folder, "disk")
    os.mkdir(disk)
    with open(image, "wb") as file:
        file.truncate(mib << 20)
    for command in (["mkfs.ext4", "-q", "-m", "0", image], ["mount", "-o", "loop", image, disk]):
        try:
            done = subprocess.run(command, capture_output=True, check=False)
        except OSError as missing:
            test.skipTest(str(missing))
        if done.returncode != 0:
            test.skipTest("a disk of its own cannot be mounted here: " + done.stderr.decode("utf-8", "replace").strip())
    test.addCleanup(subprocess.run, ["umount", "--lazy", disk], check=True)
    return disk


class LastFifthTest(unittest.TestCase):
    """Less than a fifth of the disk is left: who sent more than an even share of that today must wait, and nobody else."""

    QUIET, DISK_MIB, LEFT_MIB = 10, 2048, 316  # over the vault's reserve of 256 MiB, under a fifth

    def setUp(self):
        disk = large_disk(self, self.DISK_MIB)
        self.ballast = os.path.join(disk, "ballast")
        self.lab = Lab(self)
        self.lab.vault_dir = os.path.join(disk, "vault")
        self.lab.collector()

    def host(self, name, content):
        host = self.lab.host(name)
        host.file("load", "syslog", content)
        host.drain()
        return host

    def leave(self, mib):
        with open(self.ballast, "wb") as file:
            free = os.statvfs(self.ballast)
            os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize - (mib << 20))

    def test_a_flooding_host_waits_and_the_quiet_ones_do_not(self):
        line = b"Jul 11 14:00:00 web app[7]: one\n"
        quiet = [self.host(f"quiet{i}", line) for i in range(self.QUIET)]
        flood = self.host("flood", noise(48_000))  # some 36 MB as they are shipped
        self.leave(self.LEFT_MIB)

        def refused():
            flood.append("load.log", line)
            answer = flood.drain(expect=None, timeout="2s")
            return answer if answer.code != 0 else None

        answer = wait_until(refused, "the flooding host to be held back")
        self.assertEqual(6, answer.code, str(answer))
        self.assertIn("its share of what is left of the vault's disk", answer.err)
        for host in quiet:
            host.append("load.log", line)
            host.drain()
            self.assertEqual(2, self.lab.count("-H", host.name, "-S", "load"))
        os.unlink(self.ballast)
        wait_until(lambda: flood.drain(expect=None, timeout="5s").code == 0, "the flooding host to be served again")
        with open(flood.path("load.log"), "rb") as file:
            self.assertEqual(file.read(), self.lab.raw("flood", "load"))


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

    def on_a_disk_smaller_than_the_spool_may_be(self):
        """More than twice what the disk holds; its first line is in the vault."""
        collector = self.lab.collector()
        host = self.lab.host("geo01")
        host.spool["dir"] = os.path.join(self.disk, "spool")
        host.file("load", "syslog", b"<13>first\n")
        forwarder = host.start()
        self.lab.wait_count(1, "-H", "geo01", "-S", "load", daemon=forwarder)
        return collector, host, forwarder, noise(50_000)

    def check_that_all_arrived(self, host, forwarder, content):
        self.lab.wait_count(50_001, "-H", "geo01", "-S", "load", daemon=forwarder)
        self.assertEqual(b"<13>first\n" + content, self.lab.raw("geo01", "load"))
        self.assertEqual(0, self.lab.count("-H", "geo01", "-S", "logvault", "type=gap"))
        self.assertEqual(0, forwarder.stop())
        host.run("spool", "verify", expect=0)

    def test_what_is_kept_after_its_receipt_makes_room(self):
        _, host, forwarder, content = self.on_a_disk_smaller_than_the_spool_may_be()
        host.append("load.log", content)
        self.check_that_all_arrived(host, forwarder, content)

    def test_a_spool_that_fills_its_disk_in_an_outage_goes_on_by_itself(self):
        collector, host, forwarder, content = self.on_a_disk_smaller_than_the_spool_may_be()
        self.assertEqual(0, collector.stop())
        host.append("load.log", content)
        wait_until(lambda: "spool: " in host.run("status", expect=0).text.splitlines()[0], "a full disk", forwarder)
        self.lab.start_collector()
        self.check_that_all_arrived(host, forwarder, content)


if __name__ == "__main__":
    unittest.main()
