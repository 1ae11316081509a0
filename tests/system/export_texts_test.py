"""README.txt and report.html change with the program: the exports of before stay good, and no version lets other texts pass."""

import json
import os
import shutil
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from bundle import Bundle, ChecksExports  # noqa: E402
from lab import Lab  # noqa: E402

OK, INCOMPLETE, INTEGRITY = 0, 3, 4


class ExportTextsTest(ChecksExports, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab(cls)
        cls.lab.collector()
        host = cls.lab.host("geo01")
        host.file("app", "plain", b"alert one\nalert two\n")
        host.drain()
        cls.export = cls.lab.path("case.tar")
        cls.lab.cli("export", "alert", "--out", cls.export, expect=OK)
        cls.pinned = cls.lab.path("pinned")
        os.mkdir(cls.pinned)
        cls.vault_pub = shutil.copy(os.path.join(cls.lab.analyst, "vault.pub"), cls.pinned)

    def first_version(self):
        """The export as a program of before would have made it: with the README of then, and no word of versions."""
        bundle = Bundle(self.export)
        with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "data", "export-readme-1.txt"), "rb") as file:
            bundle["README.txt"] = file.read()
        return self.without_texts(bundle)

    def without_texts(self, bundle):
        manifest = bundle.manifest
        del manifest["texts"]
        bundle["manifest.json"] = json.dumps(manifest, indent=1).encode() + b"\n"
        bundle.state()
        bundle.sign(self.lab.analyst, self.lab.folder)
        return bundle

    def test_an_export_of_an_older_version_stays_good(self):
        path = self.write(self.first_version().pack(), "older.tar")
        self.assertEqual(self.first(path).code, OK, self.first(path))
        self.assertEqual(self.second(path)[0], OK)

    def test_no_version_lets_other_texts_pass(self):
        """Whoever signs could state the version that suits them."""
        def refused(bundle, name):
            answer = self.first(self.write(bundle.pack()))
            self.assertEqual(answer.code, INTEGRITY, answer)
            self.assertIn(f"BAD {name}", answer.text)

        refused(self.without_texts(Bundle(self.export)), "README.txt")
        for name, lie in (("README.txt", b"What the check proves: everything."), ("report.html", b"<p>nothing happened</p>")):
            older = self.first_version()
            newest = Bundle(self.export)
            for bundle in (older, newest):
                bundle[name] += lie
                bundle.state()
                bundle.sign(self.lab.analyst, self.lab.folder)
                refused(bundle, name)
        for version in (0, 1):  # 1 is stated by not being there
            bundle = self.first_version()
            manifest = bundle.manifest
            bundle["manifest.json"] = json.dumps({"format": manifest.pop("format"), "texts": version, **manifest}, indent=1).encode() + b"\n"
            bundle.sign(self.lab.analyst, self.lab.folder)
            self.found(bundle.pack(), f"version {version}")

    def test_texts_of_a_newer_version_are_not_called_good(self):
        bundle = Bundle(self.export)
        bundle["report.html"] = b"<p>whatever a later version writes</p>"
        bundle.state(texts=3)
        bundle.sign(self.lab.analyst, self.lab.folder)
        answer = self.first(self.write(bundle.pack()))
        self.assertEqual(answer.code, INCOMPLETE, answer)
        self.assertIn("were not compared", answer.err)
        bundle["raw/geo01/app"] = bundle["raw/geo01/app"].replace(b"alert", b"elert", 1)
        self.resigned(bundle, "the evidence is checked all the same", texts=3)


if __name__ == "__main__":
    unittest.main(verbosity=2)
