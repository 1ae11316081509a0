"""The tool in front of a person: colour, pager, progress, Ctrl-C; and none of it in a pipe."""

import os
import re
import select
import shlex
import shutil
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import Lab, program, run  # noqa: E402
from terminal import Terminal, plain  # noqa: E402

FOUND, NO_MATCH, INCOMPLETE, INTERRUPTED = 0, 1, 3, 130
FEW = (
    b"2024-07-11T14:00:00Z geo01 sshd[1]: Failed password for root from 203.0.113.77 port 40100 ssh2\n"
    b"2024-07-11T14:00:01Z geo01 sshd[2]: Accepted publickey for ops from 192.0.2.5 port 40101 ssh2\n"
    b"2024-07-11T15:00:00Z geo01 cron[3]: \x1b[2J wiped \xe2\x80\xaegnp.exe\n"
)
MANY = 60_000  # lines, in some ten blocks
HIT = b"\x1b[1;31m"


def line(i):
    return b"2024-07-12T%02d:%02d:%02d.%03dZ web01 app[7]: request %07d took its time and was answered in the end\n" % (
        i // 3_600_000, i // 60_000 % 60, i // 1000 % 60, i % 1000, i)


class TerminalTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab(cls)
        cls.lab.collector()
        geo01 = cls.lab.host("geo01")
        geo01.file("syslog", "syslog", FEW)
        geo01.drain()
        web01 = cls.lab.host("web01")
        web01.file("app", "syslog", b"".join(line(i) for i in range(MANY)))
        web01.drain()

    def connection(self):
        return ["--vault", self.lab.query, "--credentials", self.lab.analyst]

    def terminal(self, *arguments, environment=None, **more):
        argv = [program("logvault"), *self.connection(), *arguments]
        return Terminal(self, argv, {**self.lab.environment, "PAGER": "cat", **(environment or {})}, **more)

    def shown(self, *arguments, expect=FOUND, **more):
        screen = self.terminal(*arguments, **more)
        self.assertEqual(expect, screen.ended(), screen.text)
        return screen

    # ---- colour

    def test_hits_stand_out_and_nothing_else_of_the_message_does(self):
        shown = self.shown("query", "-H", "geo01", "FAILED", "or", "192.0.2.0/24").shown
        self.assertEqual([b"Failed", b"192.0.2.5"], sorted(re.findall(rb"\x1b\[1;31m(.*?)\x1b\[0m", shown), reverse=True))

    def test_what_a_not_excludes_does_not_stand_out(self):
        shown = self.shown("query", "-H", "geo01", "ssh2", "not", "Failed").shown
        self.assertEqual([b"ssh2"], re.findall(rb"\x1b\[1;31m(.*?)\x1b\[0m", shown))

    def test_a_field_that_fits_stands_out(self):
        shown = self.shown("query", "-H", "geo01", "message~\"port 4010[1]\"").shown
        self.assertEqual([b"port 40101"], re.findall(rb"\x1b\[1;31m(.*?)\x1b\[0m", shown))

    def test_no_colour_where_it_is_not_wanted(self):
        for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
            with self.subTest(environment=environment):
                self.assertNotIn(b"\x1b", self.shown("query", "Failed", environment=environment).shown)
        self.assertIn(HIT, self.shown("query", "Failed", environment={"NO_COLOR": ""}).shown)

    def test_a_pipe_gets_neither_colour_nor_progress(self):
        answer = self.lab.cli("query", "Failed", expect=FOUND)
        self.assertNotIn(b"\x1b", answer.out)
        self.assertEqual(1, answer.err.count("\n"), answer.err)

    def test_records_cannot_act_on_the_terminal(self):
        text = self.shown("query", "wiped", environment={"NO_COLOR": "1"}).shown
        self.assertIn(b"\\x1b[2J", text)
        self.assertIn(b"\\u202e", text)
        self.assertNotIn(b"\x1b", text)

    # ---- what a terminal gets

    def test_the_newest_come_first_and_the_limit_is_told(self):
        screen = self.shown("query", "-H", "web01")
        rows = [r for r in screen.text.split("\n") if " web01 " in r and "request" in r]
        self.assertEqual(500, len(rows))
        self.assertIn(f"request {MANY - 1:07d}", rows[0])
        self.assertIn(f"request {MANY - 500:07d}", rows[-1])
        self.assertIn("showing the newest 500", screen.text)
        self.assertIn("limit reached", screen.text)

    def test_the_width_of_the_terminal_changes_no_row(self):
        shown = [self.shown("query", "-H", "geo01", columns=columns).shown for columns in (20, 80, 400)]
        self.assertEqual(1, len({s[: s.index(b"logvault: ")] for s in shown}))

    def test_columns_are_aligned(self):
        rows = self.shown("query", "ssh2", "-S", "syslog", "-H", "geo01").text.split("\n")
        self.assertEqual(1, len({r.index("2024-07-11T14:00:0", 20) for r in rows if "sshd" in r}))

    # ---- context

    def test_context_is_what_grep_shows(self):
        path = self.lab.path("app.copy")
        with open(path, "wb") as file:
            file.writelines(line(i) for i in range(MANY))
        for pattern, context in (("00777", 1), ("0059999", 3), ("0000000", 2), ("00123", 40)):
            with self.subTest(pattern=pattern):
                grep = run(["grep", "-n", "-C", str(context), pattern, path], expect=0, env={"GREP_COLORS": ""}).text
                expected = [re.sub(r"^(\d+)([:-]).*", lambda m: (">" if m[2] == ":" else "-") + m[1], l) for l in grep.split("\n")[:-1]]
                got = self.lab.cli("query", "-H", "web01", pattern, "-C", str(context), expect=FOUND).text
                seen = [l if l == "--" else l[0] + str(int(re.search(r"request (\d+)", l).group(1)) + 1) for l in got.split("\n")[:-1]]
                self.assertEqual(expected, seen)

    def test_context_in_json_is_the_same_offline(self):
        arguments = ["query", "-H", "web01", "0012345", "-C", "2", "-o", "json"]
        found = self.lab.cli(*arguments, expect=FOUND)
        self.assertEqual([True, True, False, True, True], [o["context"] for o in found.objects])
        self.assertEqual(found.out, self.lab.offline(*arguments, expect=FOUND).out)
        self.assertIn("1 record;", found.err)
        newest = self.shown(*arguments[:-2], environment={"NO_COLOR": "1"}).text
        self.assertEqual(["12347", "12346", "12345", "12344", "12343"], re.findall(r"request 00(\d+)", newest))

    # ---- tables

    def test_a_narrow_terminal_gets_the_columns_that_fit(self):
        wide = self.shown("hosts", columns=220).text.rstrip("\n").split("\n")
        narrow = self.shown("hosts", columns=60).text.rstrip("\n").split("\n")
        for title in ("HOST", "FORMAT", "COMMITTED", "REPORTS"):
            self.assertIn(title, wide[0])
        self.assertIn("HOST", narrow[0])
        self.assertNotIn("FORMAT", narrow[0])
        self.assertLessEqual(max(map(len, narrow)), 60, narrow)
        self.assertRegex("\n".join(wide), r"geo01 +syslog .* ago ")

    def test_a_pipe_gets_every_column_and_no_age(self):
        text = self.lab.cli("hosts", expect=FOUND).text
        for title in ("FORMAT", "MISSING", "FIRST", "REPORTS"):
            self.assertIn(title, text.split("\n")[0])
        self.assertNotIn(" ago", text)

    # ---- the pager

    def paged(self, *arguments):
        """What the pager got; None where there was none."""
        copy = self.lab.path("paged")
        if os.path.exists(copy):
            os.remove(copy)
        screen = self.shown(*arguments, environment={"PAGER": f"cat > {shlex.quote(copy)}"})
        if not os.path.exists(copy):
            return None, screen
        with open(copy, "rb") as file:
            return file.read(), screen

    def test_a_long_answer_goes_through_the_pager_from_its_first_row_on(self):
        got, screen = self.paged("query", "-H", "web01", "-n", "100")
        rows = plain(got).decode().strip("\n").split("\n")
        self.assertEqual([f"request {MANY - 1 - i:07d}" for i in range(100)], [re.search(r"request \d+", r).group() for r in rows])
        self.assertIn(b"\x1b[36m", got)
        self.assertRegex(screen.text, r"logvault: limit reached.*100 records")

    def test_a_short_answer_does_not(self):
        got, screen = self.paged("query", "Failed", "-H", "geo01")
        self.assertIsNone(got)
        self.assertIn("Failed password", screen.text)

    def test_a_pipe_has_no_pager(self):
        answer = self.lab.cli("query", "-H", "web01", "-n", "100", env={"PAGER": "touch " + self.lab.path("wrong")})
        self.assertEqual(100, answer.text.count("\n"))
        self.assertFalse(os.path.exists(self.lab.path("wrong")))

    def test_less_is_the_default_and_leaving_it_ends_the_search(self):
        if shutil.which("less") is None:
            self.skipTest("less is not installed")
        environment = {**self.lab.environment, "LESSHISTFILE": "-"}
        screen = Terminal(self, [program("logvault"), *self.connection(), "query", "-H", "web01", "-n", "0"], environment)
        screen.wait_for(rb"request 0059990.*(?s:.)*:")
        screen.type(b"q")
        self.assertEqual(FOUND, screen.ended(), screen.text)
        self.assertIn("stopped, the reader left", screen.text)
        self.assertNotIn("blocks: 0 in scope", screen.text)

    def test_a_pager_that_is_not_there_is_told(self):
        screen = self.shown("query", "-H", "web01", expect=INCOMPLETE, environment={"PAGER": "no-such-pager"})
        self.assertIn("no-such-pager", screen.text)

    # ---- progress and Ctrl-C

    def test_progress_is_shown_to_a_person_who_waits(self):
        reading, writing = os.pipe()
        screen = self.terminal("query", "-H", "web01", out=writing)
        os.close(writing)
        while b"\r" not in screen.shown.replace(b"\r\n", b""):  # nothing is shown in the first half second
            select.select([reading], [], [])
            self.assertNotEqual(b"", os.read(reading, 2048), "the search ended and showed no progress")
            screen.read(0.02)
        self.assertRegex(screen.text, r"\d+ % \(\d+ of \d+ blocks, .* left\), \d+ pruned, \d+ found")
        while os.read(reading, 65536):
            screen.read(0)
        self.assertEqual(FOUND, screen.ended())
        self.assertRegex(screen.shown.split(b"\r")[-2].decode() + screen.text, "complete: 60000 records")
        os.close(reading)

    def interrupted(self, *arguments):
        """Ctrl-C is typed when some rows are on the screen and the program waits for it to be read."""
        screen = self.terminal("query", "-H", "web01", *arguments)
        screen.wait_for(rb"request \d+ took")
        screen.type(b"\x03")
        self.assertEqual(INTERRUPTED, screen.ended(), screen.text[-2000:])
        return screen

    def numbers(self, text):
        return [int(n) for n in re.findall(r"request (\d{7}) took", text)]

    def test_ctrl_c_shows_what_is_there_and_how_to_go_on(self):
        for order in (["-n", "0"], ["-n", "0", "--oldest-first"], ["-n", "0", "-s", "2024-07-12", "--tz", "Asia/Tokyo", "request or 'x'"]):
            with self.subTest(order=order):
                screen = self.interrupted(*order)
                self.assertIn("INCOMPLETE", screen.text)
                self.assertIn("; interrupted", screen.text)
                first = self.numbers(screen.text)
                command = re.search(r"to go on: (logvault .*)", screen.text).group(1)
                self.assertIn("--since" if "--oldest-first" in order else "--until", command)
                words = shlex.split(command)
                rest = run([program("logvault"), *words[1:]], env=self.lab.environment)
                second = self.numbers(rest.text)
                # The last row is shown again; nothing is missing.
                self.assertEqual(1, len(set(first) & set(second)))
                self.assertEqual(set(range(MANY)), set(first) | set(second))

    def test_ctrl_c_with_nothing_found_yet_is_130_too(self):
        screen = self.terminal("query", "-H", "web01", "nothing-of-the-kind or request", "-n", "0", "-o", "json")
        screen.wait_for(rb"request")
        screen.type(b"\x03")
        self.assertEqual(INTERRUPTED, screen.ended())

    def test_a_reader_that_leaves_ends_it_quietly(self):
        out = self.lab.path("head")
        command = " ".join(map(shlex.quote, [program("logvault"), *self.connection(), "query", "-H", "web01"]))
        answer = run(["bash", "-c", f"{command} | head -3 > {out}; echo ${{PIPESTATUS[0]}}"], env=self.lab.environment, expect=0)
        self.assertEqual("0\n", answer.text)
        self.assertEqual(1, answer.err.count("\n"), answer.err)
        self.assertIn("the reader left", answer.err)
        self.assertNotIn("blocks: 0 in scope", answer.err)
        with open(out, encoding="utf-8") as file:
            self.assertEqual([0, 1, 2], self.numbers(file.read()))


if __name__ == "__main__":
    unittest.main(verbosity=2)
