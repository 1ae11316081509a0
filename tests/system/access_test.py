"""Who asked what: recorded before the answer, whatever happens then; and refused where it cannot be."""

import os
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import Lab, program, wait_until  # noqa: E402

NO_MATCH, NOT_PERMITTED = 1, 5
LINE = b"Jul 11 14:00:00 geo01 app[7]: needle " + b"x" * 2000 + b"\n"


class AccessTest(unittest.TestCase):
    def setUp(self):
        self.lab = Lab(self)
        self.collector = self.lab.collector()

    def records(self, lines):
        host = self.lab.host("geo01")
        host.file("log", "syslog", LINE * lines)
        host.drain()

    def audit(self, *arguments, **more):
        return self.lab.cli("audit", "-o", "json", *arguments, expect=0, **more).objects

    def offline_audit(self):
        return self.lab.offline("audit", "-o", "json", credentials=self.lab.analyst, expect=0).objects

    def test_who_asked_what_and_how_it_ended(self):
        self.records(3)
        self.lab.cli("query", "needle", "-H", "geo*", expect=0)
        self.lab.cli("query", "no such \x1b[31m thing", expect=NO_MATCH)
        calls = self.audit()
        self.assertEqual(["search", "search"], [call["call"] for call in calls])
        newest, first = calls
        self.assertEqual(("analyst", "investigator", "complete", 3), (first["name"], first["role"], first["outcome"], first["rows"]))
        self.assertEqual('{"expression":"needle","by":"event","host":"geo*"}', first["query"])
        self.assertEqual(0, newest["rows"])
        self.assertNotIn("\x1b", self.lab.cli("audit", expect=0).text)
        self.assertEqual(["audit"], [call["call"] for call in self.audit("-n", "1")], "an audit is a call too")
        self.assertEqual(self.audit("-n", "7")[2:], self.offline_audit()[3:])

    def test_the_call_is_in_the_vault_before_the_first_row_and_survives_a_kill(self):
        self.records(5000)  # 10 MB: more than pipes and windows hold
        argv = [program("logvault"), "--vault", self.lab.query, "--credentials", self.lab.analyst, "query", "needle", "-o", "raw"]
        reader = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={**os.environ, **self.lab.environment})
        self.assertEqual(LINE, reader.stdout.read(len(LINE)))
        self.collector.stop(signal.SIGKILL)
        reader.stdout.read()
        reader.stdout.close()
        self.assertEqual(3, reader.wait(timeout=60))
        [call] = self.offline_audit()
        self.assertEqual(("search", "open"), (call["call"], call["outcome"]))
        for _ in range(2):  # two restarts
            self.collector = self.lab.start_collector()
            self.assertEqual(call, self.audit()[-1])
            self.assertEqual(0, self.collector.stop())
        self.lab.offline("verify", credentials=self.lab.analyst, expect=0)

    def test_a_caller_that_leaves_is_recorded_as_such(self):
        self.records(5000)
        argv = [program("logvault"), "--vault", self.lab.query, "--credentials", self.lab.analyst, "query", "needle", "-o", "raw"]
        reader = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={**os.environ, **self.lab.environment})
        self.assertEqual(LINE, reader.stdout.read(len(LINE)))
        reader.kill()
        reader.stdout.close()
        reader.wait(timeout=60)
        wait_until(lambda: self.offline_audit()[-1]["outcome"] == "left", "the end of the call", self.collector)

    def test_who_may_not_ask_leaves_no_call(self):
        self.records(1)
        forwarder = os.path.join(self.lab.folder, "forwarder-geo01")
        refused = [self.lab.cli(command, credentials=forwarder) for command in ("query", "hosts", "audit")]
        mallory = self.lab.issue("investigator", "mallory")
        self.lab.cli("status", credentials=mallory, expect=0)
        self.lab.revoke("mallory")
        wait_until(lambda: self.lab.cli("status", credentials=mallory).code == NOT_PERMITTED, "the new list in force")
        refused += [self.lab.cli(command, credentials=mallory) for command in ("query", "audit")]
        self.assertEqual([NOT_PERMITTED] * 5, [answer.code for answer in refused])
        self.lab.cli("hosts", expect=0)
        self.assertEqual(["analyst"], [call["name"] for call in self.audit()])

    def test_one_certificate_cannot_drown_the_others_in_calls(self):
        """A long question counts as many: ten of them use up what one certificate may ask at once."""
        self.records(1)
        other = self.lab.issue("investigator", "other")
        long_question = ["needle" + "x" * 100_000] * 10
        answers = [self.lab.cli("query", *long_question, "--count") for _ in range(30)]
        refused = [answer for answer in answers if answer.code == 3]
        self.assertEqual({1, 3}, {answer.code for answer in answers})
        self.assertIn("too many", refused[0].err)
        self.lab.cli("query", "needle", "--count", credentials=other, expect=0)
        self.lab.cli("status", expect=0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
