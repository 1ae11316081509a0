"""Real senders and the listener: rsyslog over UDP, TCP and TLS, logger over everything it can, other projects' test
messages; and no sender waits for a vault that is not there."""

import json
import os
import signal
import socket
import ssl
import sys
import threading
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import POLL_S, SHARED, Lab, wait_until  # noqa: E402
from senders import Rsyslog, free_port, has_driver, logger  # noqa: E402

LINES = 400
FLOOD = 20_000
# docs/forwarder.md: how long a sender may be kept waiting.
BOUND_S = 30


class SyslogClientsTest(unittest.TestCase):
    def setUp(self):
        self.lab = Lab(self)
        self.collector = self.lab.collector()
        self.host = self.lab.host("relay")
        self.port, self.tls_port = free_port(), free_port()
        self.unix = self.host.path("log.sock")
        address = f"127.0.0.1:{self.port}"
        self.host.source("net", type="syslog", udp=address, tcp=address, tls=f"127.0.0.1:{self.tls_port}", unix=self.unix)

    def start(self):
        self.forwarder = self.host.start()

    def wait(self, number, *arguments):
        self.lab.wait_count(number, "-S", "net", *arguments, daemon=self.forwarder)

    def objects(self, *arguments):
        return self.lab.cli("query", "-S", "net", *arguments, "-o", "json", expect=0).objects

    def own(self, kind):
        answer = self.lab.cli("query", "-S", "logvault", f"type={kind}", "-o", "json")
        return [json.loads(o["message"]) for o in answer.objects if json.loads(o["message"]).get("source") == "net"]

    # ---- rsyslog

    def rsyslog(self, name, action, globals_=""):
        lines = [f"{name} line {i} of rsyslog".encode() for i in range(LINES)]
        sender = Rsyslog(self.lab, name, lines, action, globals_)
        self.wait(LINES, f'"{name} line"')
        sender.stop()
        found = self.objects(f'"{name} line"')
        self.assertEqual(LINES, len(found), name)
        self.assertEqual({f"{name} line {i} of rsyslog" for i in range(LINES)}, {o["fields"]["msg"] for o in found})
        self.assertEqual({name}, {o["fields"]["app"] for o in found})
        self.assertEqual({"warning"}, {o["fields"]["severity"] for o in found})
        self.assertEqual({"local3"}, {o["fields"]["facility"] for o in found})
        return found

    def test_rsyslog_over_tcp_and_udp_in_both_formats(self):
        self.start()
        plain = f'target="127.0.0.1" port="{self.port}"'
        self.rsyslog("tcpold", f'{plain} protocol="tcp" template="RSYSLOG_TraditionalForwardFormat"')
        self.rsyslog("tcpnew", f'{plain} protocol="tcp" tcp_framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format"')
        self.rsyslog("udpold", f'{plain} protocol="udp" template="RSYSLOG_TraditionalForwardFormat"')
        found = self.rsyslog("udpnew", f'{plain} protocol="udp" template="RSYSLOG_SyslogProtocol23Format"')
        self.assertEqual({"event"}, {o.get("time_from", "event") for o in found})

    def test_rsyslog_over_tls_with_and_without_a_certificate(self):
        self.start()
        sender = self.lab.issue("forwarder", "web07")
        drivers = [driver for driver in ("ossl", "gtls") if has_driver(driver)]
        self.assertIn("ossl", drivers, "deploy/install-deps --tests installs rsyslog-openssl")
        for driver in drivers:
            files = f'defaultNetstreamDriver="{driver}" defaultNetstreamDriverCAFile="{sender}/ca.pem"'
            certificate = f' defaultNetstreamDriverCertFile="{sender}/cert.pem" defaultNetstreamDriverKeyFile="{sender}/key.pem"'
            action = (f'target="127.0.0.1" port="{self.tls_port}" protocol="tcp" tcp_framing="octet-counted"'
                      f' streamDriver="{driver}" streamDriverMode="1" streamDriverAuthMode="x509/certvalid"'
                      ' template="RSYSLOG_SyslogProtocol23Format"')
            found = self.rsyslog(driver + "anon", action, files) if driver == "ossl" else []
            self.assertLessEqual({o["origin"] for o in found}, {"127.0.0.1"})
            found = self.rsyslog(driver + "named", action, files + certificate)
            self.assertEqual({"127.0.0.1 spiffe://lab-vault/forwarder/web07"}, {o["origin"] for o in found})
        print(f"TLS drivers of rsyslog: {' '.join(drivers)}", file=sys.stderr)

    # ---- logger

    def test_logger_by_every_way_it_knows(self):
        self.start()
        to = ["-n", "127.0.0.1", "-P", str(self.port), "-t", "probe", "-p", "auth.err"]
        ways = {
            "udp3164": [*to, "-d", "--rfc3164"],
            "udp5424": [*to, "-d", "--rfc5424"],
            "tcp3164": [*to, "-T", "--rfc3164"],
            "tcp5424": [*to, "-T", "--rfc5424"],
            "counted3164": [*to, "-T", "--octet-count", "--rfc3164"],
            "counted5424": [*to, "-T", "--octet-count", "--rfc5424"],
            "unix": ["-u", self.unix, "-t", "probe", "-p", "auth.err"],
        }
        for way, arguments in ways.items():
            logger(*arguments, f"message by {way}")
        self.wait(len(ways), '"message by"')
        for way in ways:
            found = self.objects(f'"message by {way}"')
            self.assertEqual(1, len(found), way)
            fields = found[0]["fields"]
            self.assertEqual(("probe", "auth", "err"), (fields["app"], fields["facility"], fields["severity"]), way)
            self.assertEqual(f"message by {way}", fields["msg"])
        self.assertEqual("unix:" + self.unix, self.objects('"message by unix"')[0]["origin"])

    # ---- TLS by hand

    def tls(self, context):
        raw = socket.create_connection(("127.0.0.1", self.tls_port))
        return context.wrap_socket(raw)

    def test_plaintext_and_strangers_are_refused_and_said(self):
        self.start()
        with socket.create_connection(("127.0.0.1", self.tls_port)) as sender:
            sender.sendall(b"<13>Jul 11 14:00:00 h a: in the clear\n")
            sender.settimeout(BOUND_S)
            self.assertEqual(b"", sender.recv(1), "closed")
        self.forwarder.wait_line("plaintext where TLS is expected")
        context = ssl.create_default_context(cafile=os.path.join(self.host.credentials, "ca.pem"))
        context.check_hostname = False
        with self.tls(context) as sender:
            sender.sendall(b"<13>Jul 11 14:00:00 h a: sealed\n")
        self.wait(1, "sealed")
        self.lab.logvault("pki", "init", self.lab.path("other"), "--name", "lab-vault", expect=0)
        stranger = self.lab.issue("forwarder", "stranger", folder="stranger", pki="other")
        context.load_cert_chain(os.path.join(stranger, "cert.pem"), os.path.join(stranger, "key.pem"))
        with self.assertRaises((ssl.SSLError, OSError)):
            with self.tls(context) as sender:
                sender.sendall(b"<13>Jul 11 14:00:00 h a: of a stranger\n")
                sender.recv(1)
        wait_until(lambda: len(self.own("warning")) >= 2, "both warnings", self.forwarder)
        reasons = " ".join(w["reason"] for w in self.own("warning"))
        self.assertIn("plaintext where TLS is expected", reasons)
        self.assertIn("certificate refused", reasons)
        self.assertEqual(1, self.lab.count("-S", "net"))

    def test_a_revoked_sender_is_refused_and_said(self):
        credentials = self.lab.issue("forwarder", "web01")
        context = ssl.create_default_context(cafile=os.path.join(self.host.credentials, "ca.pem"))
        context.check_hostname = False
        context.load_cert_chain(os.path.join(credentials, "cert.pem"), os.path.join(credentials, "key.pem"))
        self.host.sources[-1]["crl"] = self.lab.path("pki", "crl.pem")
        self.start()
        with self.tls(context) as sender:
            sender.sendall(b"<13>Jul 11 14:00:00 h a: before\n")
            self.wait(1, "before")
            self.lab.revoke("web01")
            sender.settimeout(POLL_S)

            def closed():
                try:
                    sender.sendall(b"<13>Jul 11 14:00:00 h a: meanwhile\n")
                    return sender.recv(1) == b""
                except TimeoutError:
                    return False
                except OSError:
                    return True

            wait_until(closed, "the open connection to be closed", self.forwarder)
        wait_until(lambda: self.own("warning"), "the warning", self.forwarder)
        self.assertIn("spiffe://lab-vault/forwarder/web01 is revoked", self.own("warning")[0]["reason"])

    # ---- other projects' messages

    def test_other_projects_test_messages_arrive_byte_for_byte(self):
        self.start()
        folder = os.path.join(SHARED, "data", "logs", "syslog", "parser-tests")
        messages = [b"<13>Oct 11 22:14:15 own su: \xc3\xa4\0 end", b"<165>1 2003-10-11T22:14:15.003Z own evntslog - ID47 [a@1 b=\"\\]\"] \xef\xbb\xbfx"]
        if os.path.isdir(folder):
            with open(os.path.join(folder, "go-syslog_rfc5424_vectors.json"), encoding="utf-8") as file:
                messages += [bytes.fromhex(v["input_hex"]) for v in json.load(file)]
            with open(os.path.join(folder, "rsyslog_testbench_vectors.json"), encoding="utf-8") as file:
                messages += [i.encode("utf-8", "surrogateescape") for v in json.load(file) for i in v["inputs"]]
        messages = [m for m in messages if m]
        print(f"{len(messages)} messages of parser tests over UDP and TCP", file=sys.stderr)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for message in messages:
                sender.sendto(message, ("127.0.0.1", self.port))
        self.wait(len(messages))
        self.assertEqual(b"".join(messages), self.lab.raw("relay", "net"))
        counted = [m for m in messages if m.startswith(b"<")]
        with socket.create_connection(("127.0.0.1", self.port)) as sender:
            for message in counted:
                sender.sendall(b"%d %s" % (len(message), message))
        self.wait(len(messages) + len(counted))
        self.assertEqual(b"".join(messages + counted), self.lab.raw("relay", "net"))

    # ---- nobody waits

    def test_datagrams_that_the_kernel_dropped_are_counted_exactly(self):
        self.start()
        self.forwarder.process.send_signal(signal.SIGSTOP)
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                for i in range(FLOOD):
                    sender.sendto(b"<13>%d %s" % (i, b"x" * 1000), ("127.0.0.1", self.port))
        finally:
            self.forwarder.process.send_signal(signal.SIGCONT)
        wait_until(lambda: self.lab.count("-S", "net") + sum(g["records"] for g in self.own("gap")) >= FLOOD,
                   "every datagram as a record or in a gap", self.forwarder)
        self.assertEqual(FLOOD, self.lab.count("-S", "net") + sum(g["records"] for g in self.own("gap")))
        self.assertIn("dropped by the kernel", " ".join(g["reason"] for g in self.own("gap")))
        self.assertTrue(all(g["exact"] for g in self.own("gap")))

    def test_nobody_waits_while_the_spool_is_full_and_what_was_dropped_is_counted(self):
        self.host.spool.update({"max_bytes": "256KiB", "when_full": "block"})
        self.start()
        logger("-u", self.unix, "first")
        self.wait(1)
        self.collector.kill()

        def flood(sender):
            sender.settimeout(BOUND_S)  # of each send
            for i in range(FLOOD):
                sender.send(b"<13>%d " % i + os.urandom(250).hex().encode() + b"\n")
            sender.close()

        unix = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        unix.connect(self.unix)
        threads = [threading.Thread(target=flood, args=(unix,))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=4 * BOUND_S)
            self.assertFalse(thread.is_alive(), "a sender waits for the vault")
        self.assertTrue(self.forwarder.alive())
        self.lab.start_collector()
        wait_until(lambda: self.lab.count("-S", "net") + sum(g["records"] for g in self.own("gap")) >= FLOOD + 1,
                   "every message as a record or in a gap", self.forwarder)
        self.assertEqual(FLOOD + 1, self.lab.count("-S", "net") + sum(g["records"] for g in self.own("gap")))
        self.assertTrue(self.own("gap"), "the flood was larger than spool and queue")


if __name__ == "__main__":
    unittest.main(verbosity=2)
