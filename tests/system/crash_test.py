"""Programs that end at the worst moment: what was acknowledged is there, once."""

import os
import random
import select
import signal
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import Lab, wait_until  # noqa: E402

LINES = 60000


def line(number):
    return b"Jul 11 14:%02d:%02d geo01 app[%d]: line %08d of the load, payload %x\n" % (
        number // 60 % 60, number % 60, number % 30000, number, number * 2654435761 % (1 << 64))


class CrashTest(unittest.TestCase):
    def setUp(self):
        self.lab = Lab(self)
        self.collector = self.lab.collector()

    def loaded_host(self):
        host = self.lab.host("geo01")
        self.content = b"".join(line(i) for i in range(LINES))
        host.file("load", "syslog", self.content)
        return host

    def wait_some(self, at_least, daemon):
        """Part of the load is in the vault; returns how much and the newest checkpoint, as another's anchor."""
        note = self.lab.path("anchor.note")
        wait_until(lambda: self.lab.count("-H", "geo01", "-S", "load") >= at_least, f"{at_least} records", daemon)
        self.lab.cli("checkpoint", "--out", note, expect=0)
        return self.lab.count("-H", "geo01", "-S", "load"), note

    def assert_complete(self, forwarder):
        self.lab.wait_count(LINES, "-H", "geo01", "-S", "load", daemon=forwarder)
        self.assertEqual(LINES, self.lab.count("-H", "geo01", "-S", "load"))
        self.assertEqual(self.content, self.lab.raw("geo01", "load"))
        self.lab.cli("verify", expect=0)

    def test_kill_9_of_the_collector_under_load_loses_nothing_and_doubles_nothing(self):
        host = self.loaded_host()
        forwarder = host.start()
        for at_least in (1, LINES // 4, LINES // 2):
            had, note = self.wait_some(at_least, forwarder)
            self.collector.kill()
            self.collector = self.lab.start_collector()
            self.assertGreaterEqual(self.lab.count("-H", "geo01", "-S", "load"), had)
            self.lab.cli("verify", "--anchor", note, expect=0)
        self.assert_complete(forwarder)
        self.assertEqual(0, forwarder.stop())
        self.assertEqual(0, self.collector.stop())
        self.lab.offline("verify", credentials=self.lab.analyst, expect=0)

    def test_kill_9_of_the_forwarder_under_load_loses_nothing_and_doubles_nothing(self):
        host = self.loaded_host()
        for at_least in (1, LINES // 3):
            forwarder = host.start()
            self.wait_some(at_least, forwarder)
            forwarder.kill()
        forwarder = host.start()
        self.assert_complete(forwarder)

    def test_kill_9_of_either_side_at_any_moment_again_and_again(self):
        """LOGVAULT_SEEDS kills (6 by default), each of either side, after a random while of a load that goes on."""
        kills = int(os.environ.get("LOGVAULT_SEEDS", "6"))
        seed = int.from_bytes(os.urandom(4), "big")
        print(f"seed {seed}, {kills} kills", file=sys.stderr)
        chance = random.Random(seed)
        host = self.lab.host("geo01")
        host.file("load", "syslog", b"")
        forwarder = host.start()
        content = b""
        for kill in range(kills):
            for _ in range(chance.randrange(1, 8)):
                first = content.count(b"\n")
                part = b"".join(line(n) for n in range(first, first + chance.randrange(1, 1500)))
                content += part
                host.append("load.log", part)
                select.select([], [], [], chance.random() * 0.2)  # any moment, and not always the same one
            if chance.randrange(2) == 0:
                forwarder.kill()
                forwarder = host.start()
            else:
                self.collector.kill()
                self.collector = self.lab.start_collector()
            if kill % 20 == 19:
                self.lab.cli("verify", expect=0)
        lines = content.count(b"\n")
        self.lab.wait_count(lines, "-H", "geo01", "-S", "load", daemon=forwarder)
        self.assertEqual(lines, self.lab.count("-H", "geo01", "-S", "load"))
        self.assertEqual(content, self.lab.raw("geo01", "load"))
        self.lab.cli("verify", expect=0)
        self.assertEqual(0, forwarder.stop())
        host.run("spool", "verify", expect=0)

    def test_a_forwarder_waits_for_its_collector(self):
        host = self.lab.host("geo01")
        host.file("log", "plain", b"one\n")
        host.drain()
        self.assertEqual(0, self.collector.stop())
        forwarder = host.start(wait_ready=False)
        host.append("log.log", b"two, while nobody answered\n")
        self.collector = self.lab.start_collector()
        self.lab.wait_count(1, "nobody", "-H", "geo01", daemon=forwarder)
        self.assertEqual(b"one\ntwo, while nobody answered\n", self.lab.raw("geo01", "log"))

    def test_both_end_cleanly_on_sigterm(self):
        host = self.lab.host("geo01")
        host.file("log", "plain", b"one\n")
        forwarder = host.start()
        self.lab.wait_count(1, "-H", "geo01", "-S", "log", daemon=forwarder)
        host.append("log.log", b"two\n")
        self.assertEqual(0, forwarder.stop(signal.SIGTERM))
        self.assertEqual(0, self.collector.stop(signal.SIGTERM))
        self.assertEqual(b"", forwarder.stdout + self.collector.stdout)
        self.lab.offline("verify", credentials=self.lab.analyst, expect=0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
