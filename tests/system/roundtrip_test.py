"""What a source wrote comes back byte for byte, once, and shipping it again adds nothing."""

import os
import random
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import Lab, shared_logs, wait_until  # noqa: E402

SOURCES_PER_HOST = 60

# Files that look otherwise than their folder says.
PLAIN_ENDINGS = (".json", ".golden", ".yaml", ".xml", ".evtx", ".ftl", ".ref", ".ini", ".md", ".csv")


def format_of(path):
    if path.endswith(PLAIN_ENDINGS):
        return "plain"
    if "access" in os.path.basename(path) or "/access-logs/" in path:
        return "access"
    return {"syslog": "syslog", "auditd": "auditd", "geoserver": "geoserver", "mssql": "sqlserver"}[path.split("/")[0]]


def read(path):
    with open(path, "rb") as file:
        return file.read()


HOSTILE = {
    "empty": b"",
    "newline": b"\n",
    "blank-lines": b"\n\n\r\n\n",
    "unterminated": b"Jul 11 14:03:11 geo01 sshd[1]: first\nJul 11 14:03:12 geo01 sshd[1]: no newline at the end",
    "only-cr": b"one\rtwo\rthree",
    "nul": b"a\0b\0\0c\n\0\n\0",
    "invalid-utf8": b"\xff\xfe\xfd ok \x80\n\xc3\x28 \xed\xa0\x80\n\xf5\n",
    "long-line": b"Jul 11 14:03:11 geo01 big: " + b"x" * (5 << 20) + b"\nafter\n",
    "long-unterminated": b"y" * (5 << 20),
    "escapes": b"\x1b[31mred\x1b[0m \x07\x08\n\x1d\x1e\x1f\n",
    "utf16-crlf": b"\xff\xfe" + "2024-07-11 02:00:03.12 Server      a\r\n\tb\r\n2024-07-11 02:00:04.12 spid7s      Ä\r\n".encode("utf-16-le"),
    "utf16-odd-end": b"\xff\xfe" + "2024-07-11 02:00:03.12 Server      a\r\n".encode("utf-16-le") + b"x",
    "bom-only": b"\xff\xfe",
    "stack-trace": b"11 Jul 14:03:11 ERROR  [geoserver.ows] - \njava.lang.X: y\n\tat z\n\n  two blanks\n11 Jul 14:03:12 WARN   [a] - b\n\tat c",
}


class RoundTripTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab(cls)
        cls.lab.collector()

    def assert_same_bytes(self, host, source, expected):
        got = self.lab.raw(host, source)
        if got != expected:
            at = next((i for i, (a, b) in enumerate(zip(got, expected)) if a != b), min(len(got), len(expected)))
            self.fail(f"{host}/{source}: {len(got)} bytes, expected {len(expected)}; differs at {at}: "
                      f"{got[at:at + 40]!r} for {expected[at:at + 40]!r}")

    def records(self, host):
        streams = self.lab.cli("hosts", "-o", "json", expect=0).objects
        return {s["source"]: s["records"] for s in streams if s["host"] == host and s["source"] != "logvault"}

    def test_every_sample_log_comes_back_and_adds_nothing_again(self):
        logs = shared_logs()
        hosts = []
        for start in range(0, len(logs), SOURCES_PER_HOST):
            host = self.lab.host(f"shared{start // SOURCES_PER_HOST}")
            names = {}
            for number, (path, absolute) in enumerate(logs[start:start + SOURCES_PER_HOST]):
                names[f"s{number}"] = absolute
                host.file(f"s{number}", format_of(path), path=absolute)
            host.drain()
            hosts.append((host, names))
        for host, names in hosts:
            before = self.records(host.name)
            host.drain()
            self.assertEqual(before, self.records(host.name), f"{host.name}: shipped again")
            for source, absolute in names.items():
                with self.subTest(file=absolute):
                    self.assert_same_bytes(host.name, source, read(absolute))
        print(f"{len(logs)} sample logs came back byte for byte", file=sys.stderr)

    def test_hostile_files_come_back_in_every_format(self):
        for format in ("plain", "syslog", "geoserver", "sqlserver", "auditd", "access"):
            host = self.lab.host(f"hostile-{format}")
            for name, content in HOSTILE.items():
                host.file(name, format, content)
            host.drain()
            for name, content in HOSTILE.items():
                with self.subTest(format=format, file=name):
                    self.assert_same_bytes(host.name, name, content)
            before = self.records(host.name)
            host.drain()
            self.assertEqual(before, self.records(host.name))

    def test_random_bytes_come_back(self):
        seed = random.SystemRandom().randrange(1 << 32)
        print(f"seed {seed}", file=sys.stderr)
        rng = random.Random(seed)
        host = self.lab.host("random")
        contents = {}
        for number in range(12):
            alphabet = rng.choice([bytes(range(256)), b"\n\r\0 a1:", b"\n\t2024-07-1 :0.spid"])
            contents[f"r{number}"] = bytes(rng.choice(alphabet) for _ in range(rng.randrange(20000)))
            host.file(f"r{number}", rng.choice(["plain", "syslog", "geoserver", "sqlserver", "access"]), contents[f"r{number}"])
        host.drain()
        for name, content in contents.items():
            with self.subTest(source=name):
                self.assert_same_bytes("random", name, content)

    def test_a_glob_is_one_stream_oldest_file_first(self):
        host = self.lab.host("globbed")
        old = host.write("g/app-2.log", b"old 1\nold 2\n")
        new = host.write("g/app-1.log", b"new 1\n")
        os.utime(old, (1720000000, 1720000000))
        os.utime(new, (1720100000, 1720100000))
        host.source("app", type="file", format="plain", path=host.path("g/app-*.log"))
        host.drain()
        self.assert_same_bytes("globbed", "app", b"old 1\nold 2\nnew 1\n")

    def test_only_what_was_appended_is_shipped_next_time(self):
        host = self.lab.host("appended")
        host.file("log", "plain", b"one\ntwo\n")
        host.drain()
        host.append("log.log", b"three\n")
        host.drain()
        self.assert_same_bytes("appended", "log", b"one\ntwo\nthree\n")
        self.assertEqual(3, self.lab.count("-H", "appended", "-S", "log"))

    def test_a_lost_spool_ships_nothing_twice(self):
        host = self.lab.host("amnesic")
        host.file("log", "plain", b"".join(b"line %d\n" % i for i in range(1000)))
        host.drain()
        host.spool["dir"] = host.path("another-spool")
        host.append("log.log", b"line 1000\n")
        host.drain()
        self.assertEqual(1001, self.lab.count("-H", "amnesic", "-S", "log"))
        self.assert_same_bytes("amnesic", "log", read(host.path("log.log")))

    def test_a_line_typed_into_a_followed_file_is_found(self):
        host = self.lab.host("followed")
        host.file("log", "plain", b"before\n")
        forwarder = host.start()
        self.lab.wait_count(1, "-H", "followed", "-S", "log", daemon=forwarder)
        host.append("log.log", b"a needle typed now\n")
        self.lab.wait_count(1, "typed", "-H", "followed", daemon=forwarder)
        host.append("log.log", b"not yet ended")
        host.append("log.log", b", now it is\n")
        self.lab.wait_count(1, '"ended, now it is"', "-H", "followed", daemon=forwarder)
        self.assertEqual(0, forwarder.stop())
        self.assert_same_bytes("followed", "log", read(host.path("log.log")))

    def test_a_file_that_appears_later_is_read(self):
        host = self.lab.host("later")
        host.source("app", type="file", format="plain", path=host.path("l/*.log"))
        host.write("l/keep", b"")
        forwarder = host.start()
        host.write("l/a.log", b"appeared\n")
        self.lab.wait_count(1, "appeared", "-H", "later", daemon=forwarder)
        forwarder.stop()

    def test_heartbeats_tell_each_sources_last_number(self):
        host = self.lab.host("beating")
        host.file("log", "plain", b"one\ntwo\n")
        forwarder = host.start()
        wait_until(lambda: self.lab.count("heartbeat", "-H", "beating", "-S", "logvault") > 1, "two heartbeats", forwarder)
        forwarder.stop()
        types = {o["message"].split('"type":"')[1].split('"')[0] for o in
                 self.lab.cli("query", "-H", "beating", "-S", "logvault", "-o", "json", expect=0).objects}
        self.assertLessEqual({"start", "heartbeat", "stop"}, types)


if __name__ == "__main__":
    unittest.main(verbosity=2)
