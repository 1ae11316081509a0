"""Network namespaces for tests: hosts that share nothing but the links one gives them.

    net = Namespaces(self, "prod", "vault", "people")    # SkipTest where the kernel or our rights do not allow it
    net.link("prod", "10.77.1.2", "vault", "10.77.1.1")
    net.run("prod", "true"); net.command("prod", argv)   # an argv that runs inside
"""

import os
import subprocess
import unittest


def _ip(*arguments):
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


class Namespaces:
    def __init__(self, test, *names):
        self.names = {name: f"lv{os.getpid()}{name}" for name in names}
        self.links = 0
        try:
            for name in self.names.values():
                _ip("netns", "add", name)
                test.addCleanup(subprocess.run, ["ip", "netns", "del", name], check=False)
                _ip("-n", name, "link", "set", "lo", "up")
        except (OSError, subprocess.CalledProcessError) as failure:
            detail = getattr(failure, "stderr", b"") or str(failure).encode()
            raise unittest.SkipTest("no network namespaces here: " + detail.decode("utf-8", "replace").strip()) from failure

    def link(self, left, left_address, right, right_address):
        """A cable between two of them.  Returns the devices' names."""
        self.links += 1
        devices = [f"lv{os.getpid() % 100000}{side}{self.links}" for side in "lr"]
        _ip("link", "add", devices[0], "netns", self.names[left], "type", "veth", "peer", "name", devices[1], "netns", self.names[right])
        for name, device, address in ((left, devices[0], left_address), (right, devices[1], right_address)):
            _ip("-n", self.names[name], "address", "add", address + "/24", "dev", device)
            _ip("-n", self.names[name], "link", "set", device, "up")
        return devices

    def set_link(self, name, device, state):
        _ip("-n", self.names[name], "link", "set", device, state)

    def netem(self, name, device, *settings):
        """False where this kernel has no netem.  Without settings, what was set is removed."""
        action = ["replace", "dev", device, "root", "netem", *settings] if settings else ["del", "dev", device, "root"]
        done = subprocess.run(["ip", "netns", "exec", self.names[name], "tc", "qdisc", *action], capture_output=True, check=False)
        return done.returncode == 0

    def command(self, name, argv):
        return ["ip", "netns", "exec", self.names[name], *argv]

    def reaches(self, name, address, port):
        """Whether a TCP connection from there comes about."""
        probe = f"import socket; socket.create_connection(({address!r}, {int(port)}), timeout=3).close()"
        return subprocess.run(self.command(name, ["python3", "-c", probe]), capture_output=True, check=False).returncode == 0
