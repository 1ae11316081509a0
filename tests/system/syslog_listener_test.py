"""Other people's senders: datagrams as received, TCP messages by octet count or line, the sender's address as origin."""

import os
import socket
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import Lab  # noqa: E402
from senders import free_port  # noqa: E402


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


if __name__ == "__main__":
    unittest.main(verbosity=2)
