"""How the daemons start, refuse to start, and drain: the exit codes of the contract."""

import os
import re
import shutil
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import Lab, program, wait_until  # noqa: E402

OK, USAGE, INTEGRITY, CANNOT_CONNECT, ATTENTION = 0, 2, 4, 6, 7


class CollectorStartTest(unittest.TestCase):
    def setUp(self):
        self.lab = Lab(self)

    def collector(self, *arguments, expect):
        return self.lab.run([program("logvault-collector"), "--config", self.lab.path("collector.yaml"), *arguments], expect=expect)

    def test_init_prints_the_verifier_key_and_happens_once(self):
        with open(os.path.join(self.lab.collector_credentials, "vault.pub"), encoding="utf-8") as file:
            first_line = file.readline().strip()
        self.assertEqual(first_line, self.lab.init_vault(expect=OK).text.strip())
        again = self.lab.init_vault(expect=USAGE)
        self.assertIn("exists", again.err)

    def test_an_empty_folder_never_becomes_a_vault_by_itself(self):
        self.lab.collector_config()
        answer = self.collector(expect=USAGE)
        self.assertIn("--init", answer.err)
        os.makedirs(self.lab.vault_dir, exist_ok=True)
        self.collector(expect=USAGE)

    def test_a_missing_anchor_is_refused(self):
        self.lab.collector()
        self.lab.daemons[-1].stop()
        os.remove(self.lab.vault_dir + ".anchor")
        self.assertIn("anchor", self.collector(expect=INTEGRITY).err)

    def test_an_old_copy_of_the_vault_is_refused_by_its_anchor(self):
        daemon = self.lab.collector()
        daemon.stop()
        old = self.lab.path("old")
        shutil.copytree(self.lab.vault_dir, old)
        self.lab.start_collector()
        host = self.lab.host("geo01")
        host.file("log", "plain", b"one\n")
        host.drain()
        self.lab.daemons[-1].stop()
        shutil.rmtree(self.lab.vault_dir)
        os.rename(old, self.lab.vault_dir)
        self.assertIn("anchor", self.collector(expect=INTEGRITY).err)

    def test_an_old_copy_with_its_own_anchor_is_stopped_by_a_forwarder(self):
        self.lab.collector().stop()
        for path in ("vault", "vault.anchor"):
            copy = shutil.copytree if path == "vault" else shutil.copy
            copy(self.lab.path(path), self.lab.path("old-" + path))
        self.lab.start_collector()
        host = self.lab.host("geo01")
        host.file("log", "plain", b"one\n")
        host.drain()
        self.lab.daemons[-1].stop()
        shutil.rmtree(self.lab.vault_dir)
        for path in ("vault", "vault.anchor"):
            os.rename(self.lab.path("old-" + path), self.lab.path(path))
        old_copy = self.lab.start_collector()
        host.append("log.log", b"two\n")
        host.drain(expect=INTEGRITY)
        self.assertEqual(INTEGRITY, old_copy.ended())
        self.assertIn("old copy", old_copy.log)
        self.assertEqual(1, host.run("status", expect=0).text.count("\u2014 "), "the newest note, to be compared")

    def test_status_tells_a_forwarders_spool_and_newest_note_while_it_runs(self):
        self.lab.collector()
        host = self.lab.host("geo01")
        self.assertIn("no spool", host.run("status", expect=2).err)
        host.file("log", "plain", b"one\ntwo\n")
        forwarder = host.start()
        self.lab.wait_count(2, "-S", "log", daemon=forwarder)
        wait_until(lambda: "source log: sealed to record 2, in the vault to record 2" in host.run("status", expect=0).text, "the receipt")
        note = host.run("status", expect=0).text.split("verified:\n\n")[1]
        with open(self.lab.path("host.note"), "w", encoding="utf-8") as file:
            file.write(note)
        self.lab.cli("verify", "--anchor", self.lab.path("host.note"), expect=0)

    def test_one_ready_line_and_nothing_on_stdout(self):
        daemon = self.lab.collector()
        ready = re.findall(r"^ready ingest=127\.0\.0\.1:\d+ query=127\.0\.0\.1:\d+$", daemon.log, re.M)
        self.assertEqual(1, len(ready), daemon.log)
        self.assertEqual(OK, daemon.stop())
        self.assertEqual(b"", daemon.stdout)

    def test_a_second_collector_on_the_same_vault_does_not_start(self):
        self.lab.collector()
        answer = self.collector(expect=USAGE)
        self.assertRegex(answer.err, "lock|in use")

    def test_check_names_file_line_and_the_nearest_key(self):
        path = self.lab.collector_config()
        self.collector("--check", expect=OK)
        with open(path, encoding="utf-8") as file:
            lines = file.read().replace('"signing_key"', '"signing_kye"').split("\n")
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(lines))
        number = next(n for n, text in enumerate(lines, 1) if "signing_kye" in text)
        for arguments in (["--check"], []):
            answer = self.collector(*arguments, expect=USAGE)
            self.assertIn(f"collector.yaml:{number}", answer.err)
            self.assertIn("signing_kye", answer.err)
            self.assertIn("signing_key", answer.err)

    def test_relative_paths_are_relative_to_the_configuration_file(self):
        credentials = self.lab.collector_credentials
        config = os.path.join(credentials, "collector.yaml")
        self.lab.write_config(config, {
            "listen": {"ingest": "127.0.0.1:0", "query": "127.0.0.1:0"},
            "tls": {"ca": "ca.pem", "cert": "cert.pem", "key": "key.pem", "crl": "crl.pem"},
            "vault": {"dir": "here", "name": "lab-vault", "signing_key": "vault.key"},
        })
        self.lab.run([program("logvault-collector"), "--config", config, "--init"], expect=OK)
        self.assertTrue(os.path.isdir(os.path.join(credentials, "here")))

    def test_a_missing_configuration_is_a_usage_error(self):
        self.lab.run([program("logvault-collector"), "--config", self.lab.path("none.yaml")], expect=USAGE)
        self.lab.run([program("logvault-collector")], expect=USAGE)
        self.lab.run([program("logvault-collector"), "--nonsense"], expect=USAGE)


class DrainTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab(cls)
        cls.daemon = cls.lab.collector()

    def test_a_glob_without_a_match_is_a_warning(self):
        host = self.lab.host("globless")
        host.source("app", type="file", format="plain", path=host.path("none/*.log"))
        self.assertIn("none/", host.drain(expect=OK).err)

    def test_a_missing_named_file_needs_attention_and_the_rest_is_shipped(self):
        host = self.lab.host("partial")
        host.file("gone", "plain")
        host.file("folder", "plain", path=host.folder)
        host.file("log", "plain", b"shipped anyway\n")
        answer = host.drain(expect=ATTENTION)
        self.assertIn("gone", answer.err)
        self.assertEqual(1, self.lab.count("shipped", "-H", "partial"))

    def test_an_unterminated_last_line_is_drained(self):
        host = self.lab.host("endless")
        host.file("log", "plain", b"one\nno end")
        host.drain()
        self.assertEqual(b"one\nno end", self.lab.raw("endless", "log"))

    def test_nobody_there_is_cannot_connect(self):
        host = self.lab.host("lonely")
        host.file("log", "plain", b"one\n")
        host.settings["collector"] = "127.0.0.1:1"
        host.drain(expect=CANNOT_CONNECT, timeout="2s")

    def test_a_list_of_collectors_is_tried_in_order(self):
        host = self.lab.host("listed")
        host.file("log", "plain", b"one\n")
        host.settings["collector"] = ["127.0.0.1:1", self.lab.ingest]
        host.drain()
        self.assertEqual(1, self.lab.count("-H", "listed", "-S", "log"))

    def test_the_spool_belongs_to_one_process(self):
        host = self.lab.host("shared-spool")
        host.file("log", "plain", b"one\n")
        forwarder = host.start()
        self.assertIn("spool", host.drain(expect=USAGE).err)
        self.assertEqual(OK, forwarder.stop())

    def test_check_finds_what_is_wrong_with_the_configuration(self):
        host = self.lab.host("checked")
        host.file("log", "plain", b"one\n")
        host.run("--check", expect=OK)
        host.settings["hartbeat"] = "1s"
        answer = host.run("--check", expect=USAGE)
        self.assertIn("forwarder.yaml:", answer.err)
        self.assertIn("heartbeat", answer.err)
        del host.settings["hartbeat"]
        for name, wrong in (("type", "flie"), ("format", "sislog"), ("timezone", "Asia/Atlantis")):
            good = dict(host.sources[0])
            host.sources[0][name] = wrong
            self.assertIn(wrong, host.run("--check", expect=USAGE).err)
            host.sources[0] = good

    def test_check_finds_files_that_a_start_could_not_use(self):
        host = self.lab.host("checked")
        host.source("net", type="syslog", tls="127.0.0.1:0", crl=self.lab.path("pki", "crl.pem"))
        host.run("--check", expect=OK)
        host.sources[0]["crl"] = host.write("no.crl", b"no list")
        self.assertRegex(host.run("--check", expect=USAGE).err, r"forwarder.yaml:\d+: source net: .*no\.crl")
        host.sources[0]["crl"] = self.lab.path("pki", "crl.pem")
        host.spool["dir"] = host.write("no.folder", b"")
        self.assertIn("is not a folder", host.run("--check", expect=USAGE).err)

    def test_another_vaults_key_is_refused(self):
        self.lab.logvault("pki", "init", self.lab.path("other"), "--name", "lab-vault", expect=OK)
        host = self.lab.host("misled")
        host.file("log", "plain", b"one\n")
        shutil.copy(self.lab.path("other", "vault.pub"), os.path.join(host.credentials, "vault.pub"))
        self.assertNotEqual(OK, host.drain(expect=None, timeout="3s").code)
        self.assertEqual(0, self.lab.count("-H", "misled", "-S", "log"))

    def test_a_second_session_of_one_host_is_refused_with_an_alert(self):
        host = self.lab.host("cloned")
        host.file("log", "plain", b"one\n")
        forwarder = host.start()
        self.lab.wait_count(1, "-H", "cloned", "-S", "log", daemon=forwarder)
        clone = self.lab.host("cloned-twin")
        clone.credentials = host.credentials
        clone.file("log", "plain", b"another\n")
        answer = clone.drain(expect=None, timeout="3s")
        self.assertNotEqual(OK, answer.code, str(answer))
        self.assertEqual(0, self.lab.count("another", "-H", "cloned"))
        wait_until(lambda: "clone" in self.daemon.log or "session" in self.daemon.log, "the alert in the log", self.daemon)
        forwarder.stop()


if __name__ == "__main__":
    unittest.main(verbosity=2)
