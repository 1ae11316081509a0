"""Audit events live, with the real programs: the test is auditd's af_unix plugin, with real records where they are there."""

import os
import socket
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import Lab, shared_logs, wait_until  # noqa: E402


def event(serial, command="id"):
    stamp = b"msg=audit(1720703655.%03d:%d):" % (serial % 1000, serial)
    return (b"type=SYSCALL %s arch=c000003e syscall=59 success=yes exit=0 pid=4242 uid=33 comm=\"sh\" exe=\"/usr/bin/dash\" key=\"exec\"\n" % stamp
            + b"type=EXECVE %s argc=3 a0=\"sh\" a1=\"-c\" a2=%s\n" % (stamp, command.encode().hex().upper().encode())
            + b"type=EOE %s \n" % stamp)


class Plugin:
    """Listens as the plugin does, and tells whoever connects."""

    def __init__(self, path):
        self.path = path
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(path)
        self.listener.listen(1)
        self.listener.settimeout(60)
        self.client = None

    def accept(self):
        self.client, _ = self.listener.accept()

    def tell(self, data):
        self.client.settimeout(60)
        self.client.sendall(data)

    def close(self):
        for sock in (self.client, self.listener):
            if sock is not None:
                sock.close()
        os.unlink(self.path)


class AuditSocketTest(unittest.TestCase):
    def setUp(self):
        self.lab = Lab(self)
        self.collector = self.lab.collector()
        self.host = self.lab.host("web1")
        self.path = self.host.path("audit.sock")
        self.host.source("auditlive", type="audit", socket=self.path)

    def own(self, kind):
        return self.lab.cli("query", "-S", "logvault", f"type={kind}", "-o", "json").objects

    def test_events_survive_both_sides_restarts_and_breaks_are_told(self):
        forwarder = self.host.start()  # before auditd
        plugin = Plugin(self.path)
        plugin.accept()
        sent = b"".join(event(i) for i in range(1, 101))
        for at in range(0, len(sent), 777):  # lines come as they like
            plugin.tell(sent[at:at + 777])
        self.lab.wait_count(300, "-S", "auditlive", daemon=forwarder)
        self.assertEqual(sent, self.lab.raw("web1", "auditlive"))
        self.assertEqual(100, self.lab.count("-S", "auditlive", "type=EOE"))
        self.assertEqual(100, self.lab.count("-S", "auditlive", 'cmd="sh -c id"'))
        plugin.close()
        plugin = Plugin(self.path)  # auditd is started anew, and its kernel numbers go on
        plugin.accept()
        plugin.tell(event(101))
        self.lab.wait_count(303, "-S", "auditlive", daemon=forwarder)
        self.assertEqual(0, self.lab.count("-S", "logvault", "type=gap"))
        forwarder.kill()
        forwarder = self.host.start()
        plugin.accept()
        plugin.tell(event(107))  # 102 to 106 came while nobody listened
        self.lab.wait_count(306, "-S", "auditlive", daemon=forwarder)
        wait_until(lambda: self.own("gap"), "the gap record", forwarder)
        self.assertIn('"records":5', self.own("gap")[0]["message"])
        self.assertEqual(sent + event(101) + event(107), self.lab.raw("web1", "auditlive"))
        plugin.close()
        self.lab.cli("verify", expect=0)

    def test_real_records_arrive_as_they_are(self):
        samples = [path for name, path in shared_logs() if name.startswith("auditd/") and path.endswith((".log", ".txt"))]
        sent = event(1)
        for path in samples:
            with open(path, "rb") as file:
                data = file.read()
            sent += data if not data or data.endswith(b"\n") else data + b"\n"
        print(f"{len(samples)} sample files, {sent.count(10)} audit records", file=sys.stderr)
        forwarder = self.host.start()
        plugin = Plugin(self.path)
        plugin.accept()
        plugin.tell(sent)
        self.lab.wait_count(sent.count(b"\n"), "-S", "auditlive", daemon=forwarder)
        self.assertEqual(sent, self.lab.raw("web1", "auditlive"))
        plugin.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
