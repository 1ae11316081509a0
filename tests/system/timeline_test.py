"""`logvault timeline`: counts that are right, and a zero only where the vault can know."""

import collections
import csv
import io
import os
import re
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import Lab, program, wait_until  # noqa: E402
from terminal import Terminal  # noqa: E402

FOUND, NO_MATCH, USAGE = 0, 1, 2
HOURS = [0, 0, 0, 3, 3, 7]  # of 2024-07-11, in UTC: when something was written


def access(hour, minute, status):
    return f'192.0.2.{hour} - - [11/Jul/2024:{hour:02d}:{minute:02d}:00 +0000] "GET /x HTTP/1.1" {status} 17\n'.encode()


class TimelineTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab(cls)
        cls.lab.collector()
        web01 = cls.lab.host("web01")
        cls.statuses = [200, 404, 200, 200, 500, 404]
        web01.file("access", "access", b"".join(access(h, i, s) for i, (h, s) in enumerate(zip(HOURS, cls.statuses))))
        web01.drain()

    def rows(self, *arguments, expect=FOUND):
        answer = self.lab.cli("timeline", *arguments, "-o", "csv", expect=expect)
        return list(csv.DictReader(io.StringIO(answer.text)))

    def window(self, since, until):
        return ["--since", f"2024-07-{since}", "--until", f"2024-07-{until}"]

    def test_counts_of_each_hour_with_what_a_zero_means(self):
        rows = self.rows("-S", "access", "--every", "1h", *self.window("10T22:00:00Z", "11T09:00:00Z"))
        self.assertEqual(["2024-07-10T22:00:00Z", "2024-07-10T23:00:00Z"], [r["time"] for r in rows[:2]])
        self.assertEqual([("0", "none")] * 2, [(r["count"], r["coverage"]) for r in rows[:2]])
        by_hour = collections.Counter(HOURS)
        self.assertEqual([(str(by_hour[h]), "ok") for h in range(9)], [(r["count"], r["coverage"]) for r in rows[2:]])

    def test_by_the_values_of_a_field(self):
        rows = self.rows("--every", "1h", "--by-field", "http.status", *self.window("11", "11T08:00:00Z"))
        expected = collections.Counter(zip(HOURS, map(str, self.statuses)))
        got = {(int(r["time"][11:13]), r["http.status"]): int(r["count"]) for r in rows if r["count"] != "0"}
        self.assertEqual(dict(expected), got)

    def test_the_command_the_pipe_and_the_folder_say_the_same(self):
        window = self.window("11", "12")
        command = self.lab.cli("timeline", "web01 or GET", "--every", "2h", *window, "-o", "json", expect=FOUND)
        pipe = self.lab.cli("query", "web01 or GET | timeline 2h", *window, "-o", "json", expect=FOUND)
        folder = self.lab.offline("timeline", "web01 or GET", "--every", "2h", *window, "-o", "json", expect=FOUND)
        self.assertEqual(12, len(command.objects))
        self.assertEqual(command.out, pipe.out)
        self.assertEqual(command.out, folder.out)

    def test_days_begin_at_midnight_of_the_zone(self):
        rows = self.rows("--every", "1d", "--tz", "Asia/Tokyo", "--since", "2024-07-11", "--until", "2024-07-12")
        self.assertEqual(["2024-07-11T00:00:00+09:00"], [r["time"] for r in rows])
        # 00:00 and 03:00 of UTC are the 11th there too, and 7:00 with them.
        self.assertEqual(["6"], [r["count"] for r in rows])
        rows = self.rows("--every", "1d", "--tz", "America/New_York")
        self.assertEqual([("2024-07-10T00:00:00-04:00", "5"), ("2024-07-11T00:00:00-04:00", "1")], [(r["time"], r["count"]) for r in rows])
        answer = self.lab.cli("timeline", "--every", "1d", "--tz", "Asia/Tokio", expect=USAGE)
        self.assertIn("--tz: unknown time zone", answer.err)

    def test_nothing_matched_is_exit_1_with_its_zeros(self):
        rows = self.rows("nothing-like-it", "--every", "1h", *self.window("11", "11T03:00:00Z"), expect=NO_MATCH)
        self.assertEqual([("0", "ok")] * 3, [(r["count"], r["coverage"]) for r in rows])

    def test_a_terminal_gets_bars_and_a_pipe_does_not(self):
        argv = [program("logvault"), "--vault", self.lab.query, "--credentials", self.lab.analyst, "timeline", "-S", "access",
                "--every", "1h", *self.window("10T23:00:00Z", "11T08:00:00Z")]
        environment = {**self.lab.environment, "PAGER": "cat", "NO_COLOR": "1", "LC_ALL": "C.UTF-8"}
        screen = Terminal(self, argv, environment)
        self.assertEqual(FOUND, screen.ended())
        lines = {line[:13]: line for line in screen.text.split("\n")}
        self.assertRegex(lines["2024-07-10T23"], r" -  +nothing was committed for this time$")
        self.assertRegex(lines["2024-07-11T01"], r" 0 *$")
        bar = {hour: lines[f"2024-07-11T{hour:02d}"].count("\u2588") for hour in (0, 3, 7)}
        self.assertTrue(bar[0] > bar[3] > bar[7] > 0, bar)
        ascii_screen = Terminal(self, argv, {**environment, "LC_ALL": "C"})
        ascii_screen.ended()
        self.assertIn("####", ascii_screen.text)
        self.assertNotIn("\u2588", self.lab.run(argv, expect=FOUND).text)

    def test_mistakes_name_the_flag(self):
        for arguments, hint in ((["--every", "soon"], "--every"), ([], "--every"), (["--every", "1h", "--by-field", "http.stats"], "http.status"),
                                (["--every", "0h"], ""), (["--every", "1h", "-o", "raw"], "--output")):
            with self.subTest(arguments=arguments):
                self.assertIn(hint, self.lab.cli("timeline", *arguments, expect=USAGE).err)


class GapTest(unittest.TestCase):
    def test_a_silent_host_is_no_zero(self):
        lab = Lab(self)
        lab.init_vault()
        lab.collector_config(silence_after="1s")
        config = lab.path("collector.yaml")
        collector = lab.start([program("logvault-collector"), "--config", config], lab.path("collector.err"))
        ready = collector.wait_line(r"^ready ingest=(\S+) query=(\S+)$")
        lab.ingest, lab.query = ready.group(1), ready.group(2)
        geo01 = lab.host("geo01")
        geo01.file("app", "plain", b"one\n")
        forwarder = geo01.start()
        lab.wait_count(1)
        forwarder.kill()
        silent = lambda: [o for o in lab.cli("hosts", "-o", "json", expect=0).objects if o["silent"]]
        since = wait_until(silent, "the host to be silent")[0]["silent_since"]
        geo01.append("app.log", b"two\n")
        geo01.start()
        lab.wait_count(2)
        wait_until(lambda: not silent(), "the host to be back")
        answer = lab.cli("timeline", "-S", "app", "--by", "read", "--every", "1s", "-o", "json", expect=FOUND)
        self.assertEqual(2, sum(o["count"] for o in answer.objects))
        begin = [o for o in answer.objects if o["time"] >= re.sub(r"\.\d+Z$", "Z", since)]
        self.assertEqual("silent", begin[0]["coverage"], answer.text)
        screen = Terminal(self, [program("logvault"), "--vault", lab.query, "--credentials", lab.analyst, "timeline", "-S", "app", "--by",
                                 "read", "--every", "1s"], {**lab.environment, "PAGER": "cat", "NO_COLOR": "1"})
        screen.ended()
        self.assertRegex(screen.text, r"\? .*gap: a host in scope was silent")


if __name__ == "__main__":
    unittest.main(verbosity=2)
