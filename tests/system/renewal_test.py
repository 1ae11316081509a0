"""Certificates that are renewed while everything runs: nobody restarts, nothing is lost."""

import os
import ssl
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import Lab, wait_until  # noqa: E402


class RenewalTest(unittest.TestCase):
    def setUp(self):
        self.lab = Lab(self)
        self.collector = self.lab.collector()

    def presented(self):
        """The certificate that the query listener shows now, PEM."""
        host, port = self.lab.query.rsplit(":", 1)
        return ssl.get_server_certificate((host, int(port))).strip()

    def certificate(self):
        with open(os.path.join(self.lab.collector_credentials, "cert.pem"), encoding="ascii") as file:
            return file.read().strip()

    def replace_certificate(self, text):
        path = os.path.join(self.lab.collector_credentials, "cert.pem")
        with open(path + ".new", "w", encoding="ascii") as file:
            file.write(text)
        os.replace(path + ".new", path)

    def test_the_collectors_renewed_certificate_is_presented_without_a_restart(self):
        first = self.certificate()
        self.assertEqual(first, self.presented())
        host = self.lab.host("geo01")
        host.file("app", "plain", b"one\n")
        forwarder = host.start()
        self.lab.wait_count(1, "-S", "app", daemon=forwarder)
        self.lab.issue("collector", "vault01")
        renewed = self.certificate()
        self.assertNotEqual(first, renewed)
        wait_until(lambda: self.presented() == renewed, "the renewed certificate", self.collector)
        host.append("app.log", b"two\n")
        self.lab.wait_count(2, "-S", "app", daemon=forwarder)
        self.lab.cli("status", expect=0)

    def test_a_certificate_that_is_not_in_order_is_told_and_the_one_before_stays(self):
        first = self.certificate()
        self.replace_certificate("no certificate\n")
        self.collector.wait_line("the certificate was not taken, the one before stays: .*cert.pem")
        self.assertEqual(first, self.presented())
        self.lab.cli("status", expect=0)
        others = self.lab.issue("forwarder", "other")
        with open(os.path.join(others, "cert.pem"), encoding="ascii") as file:
            self.replace_certificate(file.read())
        self.collector.wait_line("is not the private key of")
        self.lab.cli("status", expect=0)
        self.replace_certificate(first + "\n")
        self.assertEqual(first, self.presented())

    def test_a_forwarder_whose_certificate_file_is_broken_goes_on_with_the_last_good_one(self):
        host = self.lab.host("geo01")
        host.file("app", "plain", b"one\n")
        forwarder = host.start()
        self.lab.wait_count(1, "-S", "app", daemon=forwarder)
        with open(os.path.join(host.credentials, "cert.pem"), "w", encoding="ascii") as file:
            file.write("half a certif")
        self.collector.kill()
        self.collector = self.lab.start_collector()
        host.append("app.log", b"two\n")
        self.lab.wait_count(2, "-S", "app", daemon=forwarder)
        self.assertIn("the certificate was not taken, the one before stays", forwarder.log)

    def test_a_certificate_that_ends_within_30_days_is_told(self):
        host = self.lab.host("geo01")
        host.file("app", "plain", b"one\n")
        self.lab.issue("forwarder", "geo01", ttl="72h")
        forwarder = host.start()
        forwarder.wait_line(r"cert.pem expires in 7[12] h: renew it")
        self.lab.wait_count(1, "-H", "geo01", "-S", "logvault", '"renew it"', daemon=forwarder)
        self.assertRegex(host.run("status", expect=0).text, "certificate ends in 7[12] h")

    def test_a_forwarder_and_an_investigator_go_on_with_renewed_certificates(self):
        host = self.lab.host("geo01")
        host.file("app", "plain", b"one\n")
        forwarder = host.start()
        self.lab.wait_count(1, "-S", "app", daemon=forwarder)
        self.lab.issue("forwarder", "geo01")
        self.lab.issue("investigator", "analyst")
        self.collector.kill()
        self.collector = self.lab.start_collector()
        host.append("app.log", b"two\n")
        self.lab.wait_count(2, "-S", "app", daemon=forwarder)
        self.lab.cli("verify", expect=0)


if __name__ == "__main__":
    unittest.main()
