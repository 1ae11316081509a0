"""Who is turned away, with which exit code and which words; what speaks no mutual TLS 1.3 gets nothing."""

import os
import shutil
import socket
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import Lab, run, wait_until  # noqa: E402

OK, USAGE, NOT_PERMITTED, CANNOT_CONNECT = 0, 2, 5, 6


class RefusalsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab(cls)
        cls.daemon = cls.lab.collector()
        cls.geo01 = cls.lab.host("geo01")
        cls.geo01.file("log", "plain", b"one\n")
        cls.geo01.drain()

    def refused(self, answer, code, *words):
        self.assertEqual(code, answer.code, str(answer))
        self.assertEqual(b"", answer.out)
        for word in words:
            self.assertRegex(answer.err.lower(), word.lower(), str(answer))

    def logged_since(self, mark, pattern):
        wait_until(lambda: pattern in self.daemon.log[mark:].lower(), f"{pattern!r} in the collector's log", self.daemon)

    def expired(self, role, name):
        folder = self.lab.issue(role, name, ttl="1s")
        cert = os.path.join(folder, "cert.pem")
        wait_until(lambda: run(["openssl", "x509", "-in", cert, "-noout", "-checkend", "0"]).code == 1, "the certificate's end")
        return folder

    def intruder(self, name, credentials):
        host = self.lab.host(name)
        host.credentials = credentials
        host.file("log", "plain", b"spoofed\n")
        return host

    # ---- on the query listener

    def test_an_expired_investigator_cannot_connect(self):
        credentials = self.expired("investigator", "late")
        mark = len(self.daemon.log)
        self.refused(self.lab.cli("status", credentials=credentials), CANNOT_CONNECT)
        self.logged_since(mark, "expired")

    def test_an_investigator_of_another_ca_cannot_connect(self):
        self.lab.logvault("pki", "init", self.lab.path("pki2"), "--name", "lab-vault", expect=0)
        credentials = self.lab.issue("investigator", "analyst", folder="foreign-analyst", pki="pki2")
        mark = len(self.daemon.log)
        # It trusts the right collector, so only its own certificate is wrong.
        for name in ("ca.pem", "vault.pub"):
            shutil.copy(os.path.join(self.lab.analyst, name), credentials)
        self.refused(self.lab.cli("status", credentials=credentials), CANNOT_CONNECT)
        wait_until(lambda: len(self.daemon.log) > mark, "the reason in the collector's log", self.daemon)

    def test_a_collector_of_another_ca_is_not_believed(self):
        self.lab.logvault("pki", "init", self.lab.path("pki3"), "--name", "lab-vault", expect=0)
        credentials = self.lab.issue("investigator", "analyst", folder="deceived-analyst", pki="pki3")
        self.refused(self.lab.cli("status", credentials=credentials), CANNOT_CONNECT)

    def test_a_revoked_investigator_is_not_permitted(self):
        credentials = self.lab.issue("investigator", "mallory")
        self.lab.cli("status", credentials=credentials, expect=OK)
        self.lab.revoke("mallory")
        wait_until(lambda: self.lab.cli("status", credentials=credentials).code != OK, "the new revocation list", self.daemon)
        self.refused(self.lab.cli("status", credentials=credentials), NOT_PERMITTED, "revoked")
        again = self.lab.issue("investigator", "mallory", folder="mallory-anew")
        self.lab.cli("status", credentials=again, expect=OK)

    def test_a_forwarder_may_not_read(self):
        for command in (["status"], ["query", "one"], ["hosts"], ["verify"], ["show", "geo01/log/1"]):
            with self.subTest(command=command):
                self.refused(self.lab.cli(*command, credentials=self.geo01.credentials), NOT_PERMITTED, "forwarder")

    def test_no_certificate_is_a_configuration_error(self):
        empty = self.lab.path("no-credentials")
        os.makedirs(empty, exist_ok=True)
        self.refused(self.lab.cli("status", credentials=empty), USAGE, r"\.pem|vault\.pub")

    # ---- on the ingest listener

    def test_an_investigator_finds_nothing_to_read_on_the_ingest_listener(self):
        for command in (["status"], ["query", "one"], ["hosts"]):
            with self.subTest(command=command):
                self.refused(self.lab.cli(*command, vault=self.lab.ingest), NOT_PERMITTED)

    def test_an_investigator_may_not_ship(self):
        host = self.intruder("nosy", self.lab.analyst)
        self.refused(host.drain(expect=None), NOT_PERMITTED, "investigator")
        self.assertEqual(0, self.lab.count("spoofed"))

    def test_an_expired_forwarder_cannot_ship(self):
        host = self.intruder("stale", self.expired("forwarder", "stale-forwarder"))
        mark = len(self.daemon.log)
        self.refused(host.drain(expect=None, timeout="3s"), CANNOT_CONNECT)
        self.logged_since(mark, "expired")

    def test_a_revoked_forwarder_may_not_ship(self):
        host = self.lab.host("fired")
        host.file("log", "plain", b"before\n")
        host.drain()
        self.lab.revoke("fired")
        host.append("log.log", b"after\n")

        def refused():
            answer = host.drain(expect=None)
            host.append("log.log", b"more\n")
            return answer if answer.code != OK else None

        self.refused(wait_until(refused, "the new revocation list", self.daemon), NOT_PERMITTED, "revoked")

    def test_a_revoked_forwarders_session_is_cut(self):
        host = self.lab.host("cut")
        host.file("log", "plain", b"before\n")
        forwarder = host.start()
        self.lab.wait_count(1, "-H", "cut", "-S", "log", daemon=forwarder)
        mark = len(self.daemon.log)

        def heartbeats():
            return self.lab.count("type=heartbeat", "-H", "cut", "-S", "logvault")

        self.lab.revoke("cut")
        before = heartbeats()
        self.logged_since(mark, "revoked")
        host.append("log.log", b"after the revocation\n")
        wait_until(lambda: "revoked" in forwarder.log.lower(), "the reason in the forwarder's log")
        # One a second is its clock: the list is read within 10 s, and what was read in the second before is still sealed.
        self.assertLessEqual(heartbeats() - before, 11)
        self.assertEqual(0, self.lab.count("revocation", "-H", "cut"))
        forwarder.stop()

    # ---- below gRPC

    def s_client(self, address, *options, credentials=None):
        own = []
        if credentials:
            own = ["-cert", os.path.join(credentials, "cert.pem"), "-key", os.path.join(credentials, "key.pem")]
        ca = os.path.join(self.lab.analyst, "ca.pem")
        return run(["openssl", "s_client", "-connect", address, "-CAfile", ca, "-alpn", "h2", *own, *options], timeout=60)

    def test_tls_1_3_with_a_certificate_connects(self):
        """The control for the refusals below."""
        for address, credentials in ((self.lab.ingest, self.geo01.credentials), (self.lab.query, self.lab.analyst)):
            answer = self.s_client(address, "-tls1_3", credentials=credentials)
            self.assertIn("TLSv1.3", answer.text)
            self.assertIn("Verify return code: 0", answer.text)

    def test_tls_1_2_gets_nothing(self):
        for address, credentials in ((self.lab.ingest, self.geo01.credentials), (self.lab.query, self.lab.analyst)):
            answer = self.s_client(address, "-tls1_2", credentials=credentials)
            self.assertNotEqual(0, answer.code, str(answer))
            self.assertRegex(answer.text, r"Cipher is \(NONE\)")

    def test_plaintext_gets_nothing(self):
        for address in (self.lab.ingest, self.lab.query):
            host, port = address.rsplit(":", 1)
            with socket.create_connection((host, int(port)), timeout=60) as connection:
                connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0")
                received = b""
                try:
                    while chunk := connection.recv(4096):
                        received += chunk
                except ConnectionResetError:
                    pass
            # Nothing but, at most, a TLS alert record.
            self.assertTrue(not received or received[0] == 0x15, received)

    def test_tls_without_a_certificate_gets_nothing(self):
        """In TLS 1.3 the client learns of it after its own handshake: what counts is that HTTP/2 never answers."""
        for address in (self.lab.ingest, self.lab.query):
            ca = os.path.join(self.lab.analyst, "ca.pem")
            argv = ["openssl", "s_client", "-connect", address, "-CAfile", ca, "-alpn", "h2", "-tls1_3", "-quiet", "-ign_eof"]
            with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as client:
                out, err = client.communicate(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", timeout=60)
            self.assertEqual(b"", out)
            self.assertRegex(err.decode(), "alert|closed|reset|unexpected eof")


class SystemStoreTest(unittest.TestCase):
    """The machine trusts another authority, of a vault of the same name; none of the programs does."""

    def setUp(self):
        self.lab, self.other = Lab(self), Lab(self)
        self.store = self.other.system_store()
        self.lab.init_vault()
        self.daemon = self.lab.start_collector(env=self.store)
        self.other.collector()

    def mixed(self, role, name):
        """A certificate of the other authority, by somebody who believes the right vault."""
        credentials = self.other.issue(role, name)
        for file in ("ca.pem", "vault.pub"):
            shutil.copy(os.path.join(self.lab.analyst, file), credentials)
        return credentials

    def host(self, name, credentials=None):
        host = self.lab.host(name)
        host.credentials = credentials or host.credentials
        host.file("log", "plain", b"one\n")
        return host

    def test_the_collector_takes_no_certificate_that_the_machine_trusts(self):
        self.assertEqual(CANNOT_CONNECT, self.lab.cli("status", credentials=self.mixed("investigator", "ann"), env=self.store).code)
        answer = self.host("geo01", self.mixed("forwarder", "geo01")).run("--drain", "--timeout", "3s", env=self.store)
        self.assertEqual(CANNOT_CONNECT, answer.code, answer)

    def test_nobody_believes_a_collector_that_the_machine_trusts(self):
        self.assertEqual(CANNOT_CONNECT, self.lab.cli("status", vault=self.other.query, env=self.store).code)
        host = self.host("geo01")
        host.settings["collector"] = self.other.ingest
        answer = host.run("--drain", "--timeout", "3s", env=self.store)
        self.assertEqual(CANNOT_CONNECT, answer.code, answer)

    def test_the_right_ones_are_taken(self):
        self.host("geo01").run("--drain", "--timeout", "60s", env=self.store, expect=OK)
        self.lab.cli("query", "one", env=self.store, expect=OK)


if __name__ == "__main__":
    unittest.main(verbosity=2)
