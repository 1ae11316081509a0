"""What a script or a tired person gets wrong is refused as a mistake, and destroys nothing."""

import os
import stat
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import Lab, program, run  # noqa: E402

OK, USAGE = 0, 2


class MisuseTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab(cls)
        cls.lab.collector()
        host = cls.lab.host("geo01")
        host.file("app", "plain", b"one\n")
        host.drain()
        cls.note = cls.lab.path("note")
        cls.lab.cli("checkpoint", "--out", cls.note, expect=OK)
        cls.admin = cls.lab.issue("admin", "root")

    def writers(self, out):
        """Every command that writes a file to where it is told."""
        return {
            "checkpoint": self.lab.cli("checkpoint", "--out", out),
            "proof": self.lab.cli("proof", "geo01/app/1", "--out", out),
            "query": self.lab.cli("query", "one", "--receipt", out),
            "export": self.lab.cli("export", "one", "--out", out),
            "accept-rollback": self.lab.logvault("--credentials", self.admin, "accept-rollback", self.note, "--lost", self.note,
                                                 "--reason", "x", "--out", out),
        }

    def test_a_device_is_neither_written_over_nor_replaced(self):
        link = self.lab.path("device")  # in the place of the device itself: were it replaced, only the link would go
        os.symlink("/dev/null", link)
        before = os.stat("/dev/null")
        for command, answer in self.writers(link).items():
            self.assertEqual(USAGE, answer.code, answer)
            self.assertIn("is not a regular file", answer.err, command)
            self.assertTrue(os.path.islink(link), command)
        self.assertEqual((before.st_ino, before.st_rdev, before.st_mode), (lambda s: (s.st_ino, s.st_rdev, s.st_mode))(os.stat("/dev/null")))

    def test_a_named_pipe_stays_one_and_nobody_waits_for_its_reader(self):
        pipe = self.lab.path("pipe")
        os.mkfifo(pipe)
        for command, answer in self.writers(pipe).items():
            self.assertEqual(USAGE, answer.code, answer)
            self.assertTrue(stat.S_ISFIFO(os.stat(pipe).st_mode), command)

    def test_a_folder_stays_one_and_nothing_is_left_beside_it(self):
        folder = self.lab.path("folder")
        os.mkdir(folder)
        for answer in self.writers(folder).values():
            self.assertEqual(USAGE, answer.code, answer)
        self.assertEqual([], os.listdir(folder))
        self.assertEqual(["folder"], [name for name in os.listdir(self.lab.folder) if name.startswith("folder")])

    def test_an_anchor_that_names_no_file_is_no_check(self):
        for anchor in (["--anchor", ""], ["--anchor="]):
            self.assertEqual(USAGE, self.lab.cli("verify", *anchor).code)
            self.assertEqual(USAGE, self.lab.offline("verify", *anchor, credentials=self.lab.analyst).code)
        self.lab.cli("verify", "--anchor", self.note, expect=OK)

    def test_a_checkpoint_that_could_not_be_kept_is_not_said_to_be_kept(self):
        full = {"XDG_STATE_HOME": self.lab.path("full")}
        status = [program("logvault"), "--vault", self.lab.query, "--credentials", self.lab.analyst, "status"]
        # As on a full disk: no file may grow.
        answer = self.lab.run(["sh", "-c", "trap '' XFSZ; ulimit -f 0; exec \"$@\"", "sh", *status], env=full)
        self.assertIn("could not be kept", answer.text)
        self.assertNotIn("kept from now on", answer.text)
        self.assertIn("kept from now on", run(status, env=full).text)
        self.assertIn("that was kept here\n", run(status, env=full).text)


if __name__ == "__main__":
    unittest.main(verbosity=2)
