"""What the vault raised, until somebody says in their own signature that they have looked at it."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import Lab, wait_until  # noqa: E402

REVIEWED, NO_MATCH, USAGE, NOT_PERMITTED, ATTENTION = 0, 1, 2, 5, 7


class SilentLab(Lab):
    """Two seconds are silence to its collector."""

    def collector_config(self, **changes):
        return super().collector_config(silence_after="2s", **changes)


class AlertsTest(unittest.TestCase):
    def setUp(self):
        self.lab = SilentLab(self)
        self.collector = self.lab.collector()
        self.host = self.lab.host("geo01")
        self.host.file("log", "plain", b"one\n")

    def alerts(self, *arguments, expect=None):
        return self.lab.cli("alerts", *arguments, "-o", "json", expect=expect).objects

    def test_a_silence_wants_attention_until_it_is_reviewed(self):
        self.lab.cli("alerts", expect=NO_MATCH)
        self.host.drain()
        wait_until(lambda: self.alerts(), "the silence of the host that left", self.collector)
        [silence] = self.alerts(expect=ATTENTION)
        self.assertEqual(("SILENCE", "silent", ["geo01"], False), (silence["kind"], silence["type"], silence["hosts"], silence["reviewed"]))
        block = str(silence["block"])
        forwarder = self.host.credentials
        self.lab.cli("alerts", "review", block, "--reason", "mine", credentials=forwarder, expect=NOT_PERMITTED)
        self.lab.cli("alerts", "review", "0", "--reason", "GENESIS", expect=USAGE)
        self.lab.cli("alerts", "review", block, "--reason", "planned: change 17", expect=0)
        [silence] = self.alerts(expect=REVIEWED)
        self.assertEqual(("analyst", "planned: change 17"), (silence["reviews"][0]["by"], silence["reviews"][0]["reason"]))
        self.assertEqual(0, self.collector.stop())
        self.collector = self.lab.start_collector()
        self.assertEqual([silence], self.alerts(expect=REVIEWED))
        self.lab.cli("verify", expect=0)
        self.collector.stop()
        folder = self.lab.offline("alerts", "-o", "json", credentials=self.lab.analyst, expect=REVIEWED)
        self.assertEqual([silence], folder.objects)
        self.lab.offline("verify", credentials=self.lab.analyst, expect=0)

    def test_a_revoked_investigator_reviews_nothing(self):
        self.host.drain()
        wait_until(lambda: self.alerts(), "the silence of the host that left", self.collector)
        mallory = self.lab.issue("investigator", "mallory")
        self.lab.revoke("mallory")
        wait_until(lambda: self.lab.cli("status", credentials=mallory).code == NOT_PERMITTED, "the new list in force")
        self.lab.cli("alerts", "review", "--until-block", "1000", "--reason", "nothing to see", credentials=mallory, expect=NOT_PERMITTED)
        self.alerts(expect=ATTENTION)


if __name__ == "__main__":
    unittest.main(verbosity=2)
