"""Production, vault and investigators on three networks that share nothing but the two intended paths."""

import os
import re
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import Lab, program, wait_until  # noqa: E402
from namespaces import Namespaces  # noqa: E402

INGEST, PRODUCTION = "10.77.1.1", "10.77.1.2"
QUERY, PEOPLE = "10.77.2.1", "10.77.2.2"
TROUBLE = "UNAVAILABLE|DEADLINE"


class NamespacesTest(unittest.TestCase):
    def setUp(self):
        self.net = Namespaces(self, "prod", "vault", "people")
        self.device = self.net.link("prod", PRODUCTION, "vault", INGEST)[0]
        self.net.link("people", PEOPLE, "vault", QUERY)
        self.lab = Lab(self)
        self.lab.ingest, self.lab.query = INGEST + ":0", QUERY + ":0"
        self.lab.init_vault()
        argv = [program("logvault-collector"), "--config", self.lab.collector_config()]
        self.collector = self.lab.start(self.net.command("vault", argv), self.lab.path("collector.err"))
        ready = self.collector.wait_line(r"^ready ingest=(\S+) query=(\S+)$")
        self.lab.ingest, self.lab.query = ready.group(1), ready.group(2)
        self.host = self.lab.host("web1")
        self.host.file("app", "plain", b"")
        argv = [program("logvault-forwarder"), "--config", self.host.config()]
        self.forwarder = self.lab.start(self.net.command("prod", argv), self.host.path("forwarder.err"))
        self.forwarder.wait_line(r"^ready\b")
        self.lines = 0

    def write(self, count):
        self.host.append("app.log", b"".join(b"line %d\n" % i for i in range(self.lines, self.lines + count)))
        self.lines += count

    def ask(self, *arguments):
        argv = [program("logvault"), "--vault", self.lab.query, "--credentials", self.lab.analyst, *arguments]
        return self.lab.run(self.net.command("people", argv))

    def count(self):
        return self.ask("query", "-S", "app", "--count").count

    def wait_all(self):
        wait_until(lambda: self.count() >= self.lines, f"{self.lines} lines", self.forwarder)
        with open(self.host.path("app.log"), "rb") as file:
            self.assertEqual(file.read(), self.ask("query", "-H", "web1", "-S", "app", "-o", "raw").out)

    def write_until_the_outage_is_told(self, mark):
        """Lines before it is felt, and after: behind `mark` of its log the forwarder says that it cannot ship."""
        for _ in range(20):
            self.write(100)
        wait_until(lambda: re.search(TROUBLE, self.forwarder.log[mark:]), "the forwarder to tell the outage", self.forwarder)
        self.write(100)

    def test_only_the_intended_paths_are_open(self):
        self.write(10)
        self.wait_all()
        ingest_port, query_port = self.lab.ingest.rsplit(":", 1)[1], self.lab.query.rsplit(":", 1)[1]
        self.assertTrue(self.net.reaches("prod", INGEST, ingest_port))
        self.assertTrue(self.net.reaches("people", QUERY, query_port))
        self.assertFalse(self.net.reaches("prod", QUERY, query_port), "production has no way to the query listener")
        self.assertFalse(self.net.reaches("prod", INGEST, query_port), "which listens at its own address only")
        self.assertFalse(self.net.reaches("people", INGEST, ingest_port), "investigators have no way to the ingest listener")
        self.assertFalse(self.net.reaches("people", QUERY, ingest_port))
        self.assertFalse(self.net.reaches("people", PRODUCTION, ingest_port), "nor to production")

    def test_a_cut_cable_loses_nothing_and_repeats_nothing(self):
        for _ in range(3):
            self.write(200)
            mark = len(self.forwarder.log)
            self.net.set_link("prod", self.device, "down")
            self.write_until_the_outage_is_told(mark)
            self.net.set_link("prod", self.device, "up")
            self.wait_all()
        self.assertEqual(0, self.ask("verify").code)

    def test_a_bad_line_loses_nothing_and_repeats_nothing(self):
        if not self.net.netem("prod", self.device, "delay", "40ms", "20ms", "loss", "5%", "duplicate", "2%", "reorder", "10%"):
            self.skipTest("this kernel has no netem")
        for _ in range(10):
            arrived = self.count()
            self.write(1000)
            wait_until(lambda: self.count() > arrived, "some of them", self.forwarder)
        self.wait_all()
        mark = len(self.forwarder.log)
        self.assertTrue(self.net.netem("prod", self.device, "loss", "100%"))
        self.write_until_the_outage_is_told(mark)
        self.assertTrue(self.net.netem("prod", self.device))
        self.wait_all()
        self.assertEqual(0, self.ask("verify").code)


if __name__ == "__main__":
    unittest.main(verbosity=2)
