"""A network between forwarder and collector that fails in every way: nothing is lost, nothing comes twice, and what piled
up goes through once it is healed."""

import os
import random
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import Lab, program, wait_until  # noqa: E402
from proxy import Proxy, seed  # noqa: E402

FAULTS_IN_A_ROW = 8
BATCHES_A_FAULT = 10


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

    def felt(self, times=1):
        """The forwarder or the collector ran into the present fault so often."""
        wait_until(lambda: self.proxy.hits >= times, f"{times} times the fault being felt", self.forwarder)

    def moved(self):
        """Something went through, or was tried, since now."""
        before = self.proxy.bytes + self.proxy.connections
        wait_until(lambda: self.proxy.bytes + self.proxy.connections > before, "traffic", self.forwarder)

    def during(self, fault, arguments, times):
        """Lines are written before the fault is felt, and each time it is."""
        fault(*arguments)
        for time in range(1, times + 1):
            for _ in range(BATCHES_A_FAULT):
                self.write()
            self.felt(time)
        self.write()

    def test_each_fault_by_itself(self):
        self.start()
        for fault, arguments, times in [(self.proxy.delay, (0.3, 0.2), 8), (self.proxy.stall, (), 1), (self.proxy.reset, (), 3),
                                        (self.proxy.partition, (), 1), (self.proxy.half_open, (), 1)]:
            with self.subTest(fault.__name__):
                self.write()
                self.lab.wait_count(self.lines, "-S", "app", daemon=self.forwarder)
                self.during(fault, arguments, times)
                if fault != self.proxy.delay:
                    self.assertLess(self.arrived(), self.lines, "the fault is one")
                self.proxy.heal()
                self.assert_all_once()

    def test_a_fault_may_follow_one_that_left_its_connections(self):
        self.start()
        for first in [self.proxy.stall, self.proxy.half_open, self.proxy.partition]:
            for second in [self.proxy.stall, self.proxy.half_open, self.proxy.partition, self.proxy.reset]:
                self.proxy.heal()
                self.write()
                self.lab.wait_count(self.lines, "-S", "app", daemon=self.forwarder)  # so one connection is open
                first()
                second()
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
        self.felt(3)
        self.assertEqual(before, self.arrived())
        self.proxy.heal()
        self.assert_all_once()

    def test_faults_at_random_with_the_forwarder_killed_among_them(self):
        number = seed()
        print(f"seed {number}", file=sys.stderr)
        choose = random.Random(number)
        self.start()
        for _ in range(FAULTS_IN_A_ROW):
            fault, arguments, wait = choose.choice([
                (self.proxy.delay, (choose.random() * 0.2, choose.random() * 0.2), self.felt), (self.proxy.stall, (), self.felt),
                (self.proxy.reset, (), self.felt), (self.proxy.reset_once, (), self.moved), (self.proxy.half_open, (), self.felt),
                (self.proxy.partition, (), self.felt), (self.proxy.heal, (), self.moved)])
            for _ in range(choose.randrange(BATCHES_A_FAULT)):
                self.write(20)
            fault(*arguments)
            for _ in range(choose.randrange(BATCHES_A_FAULT)):
                self.write(20)
            if choose.random() < 0.8:
                wait()
            if choose.random() < 0.3:
                self.forwarder.kill()
                self.start()
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


class NameTest(unittest.TestCase):
    """The collector is known by a name, and for a while nobody can say whose it is."""

    NAME = "vault.lab.test"

    def setUp(self):
        self.lab = Lab(self)
        self.hosts = self.lab.path("hosts.txt")
        self.resolver = self.lab.path("resolv.conf")
        self.write(self.hosts, "127.0.0.1 localhost\n")
        # Nobody listens there: the answer is refused at once.
        self.write(self.resolver, "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        if self.lab.run([*self.with_own_names(), "true"]).code != 0:
            self.skipTest("no mount namespaces here")
        self.lab.collector()
        self.host = self.lab.host("web1")
        self.host.file("app", "plain", b"one\n")
        self.host.settings["collector"] = f"{self.NAME}:{self.lab.ingest.rsplit(':', 1)[1]}"

    @staticmethod
    def write(path, text):
        # In place: what is mounted elsewhere is this very file.
        with open(path, "w", encoding="ascii") as file:
            file.write(text)

    def with_own_names(self):
        """A program behind this sees our files instead of the machine's."""
        mounts = f"mount --bind {self.hosts} /etc/hosts && mount --bind {self.resolver} /etc/resolv.conf"
        return ["unshare", "--mount", "--map-root-user", "sh", "-c", f'{mounts} && exec "$@"', "sh"]

    def resolves(self, address):
        self.write(self.hosts, "127.0.0.1 localhost\n" + (f"{address} {self.NAME}\n" if address else ""))

    def start(self):
        argv = [*self.with_own_names(), program("logvault-forwarder"), "--config", self.host.config()]
        forwarder = self.lab.start(argv, self.host.path("forwarder.err"))
        forwarder.wait_line(r"^ready\b")
        return forwarder

    def test_a_name_that_does_not_resolve_is_told_and_tried_until_it_does(self):
        forwarder = self.start()
        forwarder.wait_line(f"{self.NAME}.*(resol|DNS)")
        self.assertRegex(self.host.run("status", expect=0).text, f"^running, .*{self.NAME}")
        self.host.append("app.log", b"two\n")
        self.assertEqual(0, self.lab.count("-S", "app"))
        self.resolves("127.0.0.1")
        self.lab.wait_count(2, "-S", "app", daemon=forwarder)
        self.assertEqual(b"one\ntwo\n", self.lab.raw("web1", "app"))

    def test_a_name_is_asked_for_again_where_its_address_went_away(self):
        self.resolves("127.0.0.1")
        forwarder = self.start()
        self.lab.wait_count(1, "-S", "app", daemon=forwarder)
        self.lab.daemons[0].kill()
        self.resolves("127.0.0.2")
        self.lab.ingest = f"127.0.0.2:{self.lab.ingest.rsplit(':', 1)[1]}"
        self.lab.start_collector()
        self.host.append("app.log", b"two\n")
        self.lab.wait_count(2, "-S", "app", daemon=forwarder)
        self.lab.cli("verify", expect=0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
