"""Other people's senders: datagrams as received, TCP messages by octet count or line, the sender's address as origin."""

import os
import shutil
import socket
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import Lab, run, wait_until  # noqa: E402


def free_port():
    """A port that was free a moment ago, for UDP and TCP."""
    with socket.socket() as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        tcp.bind(("127.0.0.1", 0))
        udp.bind(("127.0.0.1", tcp.getsockname()[1]))
        return tcp.getsockname()[1]


class SyslogListenerTest(unittest.TestCase):
    def setUp(self):
        self.lab = Lab(self)
        self.lab.collector()
        self.host = self.lab.host("relay")
        self.port = free_port()
        address = f"127.0.0.1:{self.port}"
        self.host.source("net", type="syslog", udp=address, tcp=address)
        self.forwarder = self.host.start()

    def udp(self, *messages):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for message in messages:
                sender.sendto(message, ("127.0.0.1", self.port))

    def tcp(self, *pieces):
        with socket.create_connection(("127.0.0.1", self.port)) as sender:
            for piece in pieces:
                sender.sendall(piece)

    def wait(self, number, *arguments):
        self.lab.wait_count(number, "-S", "net", *arguments, daemon=self.forwarder)

    def messages(self, *arguments):
        return [o["message"] for o in self.lab.cli("query", "-S", "net", *arguments, "-o", "json", expect=0).objects]

    def test_a_datagram_is_one_record_as_received(self):
        sent = [b"<34>Oct 11 22:14:15 mymachine su: 'su root' failed\nsecond line", b"<13>1 2024-07-11T14:00:00Z h a - - - 5424\n", b"no pri \xff\0"]
        self.udp(*sent)
        self.wait(len(sent))
        raw = self.lab.raw("relay", "net")
        for message in sent:
            self.assertIn(message, raw)
        self.assertEqual(sum(map(len, sent)), len(raw))
        self.assertEqual(len(sent), self.lab.count("-S", "net", "--origin", "127.0.0.1*"))

    def test_tcp_takes_octet_counts_and_lines(self):
        counted = b"<13>1 2024-07-11T14:00:00Z h a - - - two\nlines"
        self.tcp(b"%d %s" % (len(counted), counted), b"<13>Jul 11 14:00:00 h a: by li", b"ne\n", b"<13>Jul 11 14:00:01 h a: last\n")
        self.wait(3)
        raw = self.lab.raw("relay", "net")
        self.assertIn(counted, raw)
        self.assertNotIn(b"%d <13>" % len(counted), raw)
        self.assertIn(b"a: by line", raw)

    def test_logger_and_rsyslog_are_understood(self):
        run(["logger", "-n", "127.0.0.1", "-P", str(self.port), "-d", "-t", "probe", "from logger over udp"], expect=0)
        run(["logger", "-n", "127.0.0.1", "-P", str(self.port), "-T", "-t", "probe", "from logger over tcp"], expect=0)
        self.wait(1, "udp")
        self.wait(1, "tcp")
        if not shutil.which("rsyslogd"):
            print("no rsyslogd here: that sender is not tested", file=sys.stderr)
            return
        path = self.lab.path("rsyslog.conf")
        source = self.lab.path("rsyslog-input.log")
        with open(source, "wb") as file:
            file.write(b"".join(b"line %d through rsyslog\n" % i for i in range(500)))
        with open(path, "w", encoding="utf-8") as file:
            file.write(f'global(workDirectory="{self.lab.folder}")\nmodule(load="imfile")\n'
                       f'input(type="imfile" file="{source}" tag="probe:")\n'
                       f'action(type="omfwd" target="127.0.0.1" port="{self.port}" protocol="tcp" tcp_framing="octet-counted")\n')
        daemon = self.lab.start([shutil.which("rsyslogd"), "-n", "-i", self.lab.path("rsyslog.pid"), "-f", path], self.lab.path("rsyslog.err"))
        wait_until(lambda: self.lab.count('"through rsyslog"', "-S", "net") >= 500, "what rsyslog sent", self.forwarder)
        self.assertEqual(500, self.lab.count('"through rsyslog"', "-S", "net"))
        daemon.stop()


if __name__ == "__main__":
    unittest.main(verbosity=2)
