"""A host that falls silent, a source that goes deaf, a collector that is down meanwhile: `hosts` tells."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import Lab, wait_until  # noqa: E402


class SilentLab(Lab):
    """Five seconds are silence to its collector."""

    def collector_config(self, **changes):
        return super().collector_config(silence_after="5s", **changes)


class SilenceTest(unittest.TestCase):
    def setUp(self):
        self.lab = SilentLab(self)
        self.collector = self.lab.collector()
        self.host = self.lab.host("geo01")
        self.host.file("log", "plain", b"one\n")

    def log(self, **more):
        """What `hosts` says of the source."""
        listed = self.lab.cli("hosts", "-o", "json", expect=0, **more).objects
        return next((source for source in listed if source["source"] == "log"), {})

    def says(self, **members):
        said = self.log()
        return all(said.get(name) == value for name, value in members.items())

    def test_a_silence_outlasts_the_collector_and_ends_when_the_host_returns(self):
        forwarder = self.host.start()
        wait_until(lambda: self.says(source_state="ok", connected=True, silent=False), "the first heartbeat", forwarder)
        forwarder.stop()
        wait_until(lambda: self.log()["silent"], "silence", self.collector)
        since = self.log()["silent_since"]
        self.assertIn("SILENT since " + since, self.lab.cli("hosts", expect=0).text)
        self.assertEqual(0, self.collector.stop())
        offline = self.lab.offline("hosts", "-o", "json", credentials=self.lab.analyst, expect=0).objects
        self.assertEqual({(True, since)}, {(source["silent"], source["silent_since"]) for source in offline})
        self.collector = self.lab.start_collector()
        self.assertEqual((True, since), (self.log()["silent"], self.log()["silent_since"]))
        forwarder = self.host.start()
        wait_until(lambda: not self.log()["silent"], "its return", forwarder)
        self.collector.wait_line(r'silence: .*"returned".*geo01')
        self.assertNotIn('"silent"', self.collector.log.split('"returned"')[0], "it is not told anew")
        forwarder.stop()
        self.collector.stop()
        self.lab.offline("verify", credentials=self.lab.analyst, expect=0)

    def test_a_source_that_is_gone_shows_while_its_host_talks(self):
        forwarder = self.host.start()
        wait_until(lambda: self.says(source_state="ok"), "the first heartbeat", forwarder)
        os.remove(self.host.path("log.log"))
        wait_until(lambda: self.says(source_state="missing", connected=True, silent=False), "the source's state", forwarder)
        self.assertIn("missing", self.lab.cli("hosts", expect=0).text)
        forwarder.stop()


if __name__ == "__main__":
    unittest.main(verbosity=2)
