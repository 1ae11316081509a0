"""A network between forwarder and collector that fails in every way: nothing is lost, nothing comes twice, and what piled
up goes through once it is healed."""

import os
import random
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import Lab, wait_until  # noqa: E402
from proxy import Proxy, seed  # noqa: E402

FAULTS_IN_A_ROW = 8
FAULT_S = 1.5


class NetworkTest(unittest.TestCase):
    def setUp(self):
        self.lab = Lab(self)
        self.collector = self.lab.collector()
        host, port = self.lab.ingest.rsplit(":", 1)
        self.proxy = Proxy((host, int(port)))
        self.addCleanup(self.proxy.close)
        self.host = self.lab.host("web1")
        self.host.file("app", "plain", b"")
        self.lines = 0
        self.forwarder = None

    def start(self):
        # Through the proxy, and nowhere else.
        self.host.settings["collector"] = self.proxy.address
        self.forwarder = self.host.start()

    def write(self, count=50):
        self.host.append("app.log", b"".join(b"line %d %s\n" % (i, b"x" * 200) for i in range(self.lines, self.lines + count)))
        self.lines += count

    def arrived(self):
        return self.lab.count("-S", "app")

    def assert_all_once(self):
        self.lab.wait_count(self.lines, "-S", "app", daemon=self.forwarder)
        with open(self.host.path("app.log"), "rb") as file:
            self.assertEqual(file.read(), self.lab.raw("web1", "app"))
        self.lab.cli("verify", expect=0)
        self.assertTrue(self.forwarder.alive() and self.collector.alive())

    def during(self, fault, *arguments):
        """Lines are written while the fault lasts."""
        fault(*arguments)
        end = time.monotonic() + FAULT_S
        while time.monotonic() < end:
            self.write()
            time.sleep(0.1)

    def test_each_fault_by_itself(self):
        self.start()
        for fault, arguments in [(self.proxy.delay, (0.3, 0.2)), (self.proxy.stall, ()), (self.proxy.reset, ()),
                                 (self.proxy.partition, ()), (self.proxy.half_open, ())]:
            with self.subTest(fault.__name__):
                self.write()
                self.lab.wait_count(self.lines, "-S", "app", daemon=self.forwarder)
                self.during(fault, *arguments)
                if fault == self.proxy.reset:
                    self.assertLess(self.arrived(), self.lines, "the fault is one")
                self.proxy.heal()
                self.assert_all_once()

    def test_an_outage_drains_when_it_ends(self):
        self.start()
        self.write()
        self.lab.wait_count(self.lines, "-S", "app", daemon=self.forwarder)
        self.proxy.reset()
        before = self.arrived()
        for _ in range(40):
            self.write(500)
        self.assertEqual(before, self.arrived())
        self.proxy.heal()
        self.assert_all_once()

    def test_faults_at_random_with_the_forwarder_killed_among_them(self):
        number = seed()
        print(f"seed {number}", file=sys.stderr)
        choose = random.Random(number)
        self.start()
        stop = threading.Event()

        def write():
            while not stop.wait(0.05):
                self.write(20)

        writer = threading.Thread(target=write)
        writer.start()
        try:
            for _ in range(FAULTS_IN_A_ROW):
                fault, arguments = choose.choice([
                    (self.proxy.delay, (choose.random() * 0.2, choose.random() * 0.2)), (self.proxy.stall, ()), (self.proxy.reset, ()),
                    (self.proxy.reset_once, ()), (self.proxy.half_open, ()), (self.proxy.partition, ()), (self.proxy.heal, ())])
                fault(*arguments)
                time.sleep(choose.random() * FAULT_S)
                if choose.random() < 0.3:
                    self.forwarder.kill()
                    self.start()
        finally:
            stop.set()
            writer.join()
        self.proxy.heal()
        self.assert_all_once()

    def test_a_connection_that_says_nothing_is_given_up(self):
        """Half open for good: the one end is gone, and no packet tells the other."""
        self.start()
        self.write()
        self.lab.wait_count(self.lines, "-S", "app", daemon=self.forwarder)
        before = self.proxy.connections
        self.proxy.half_open()
        self.write()
        wait_until(lambda: self.proxy.connections > before, "the forwarder to try another connection", self.forwarder)
        self.proxy.heal()
        self.assert_all_once()


if __name__ == "__main__":
    unittest.main(verbosity=2)
