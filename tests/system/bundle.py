"""Exports taken apart, changed and packed again, and the two verifiers that judge the result."""

import contextlib
import hashlib
import importlib.util
import io
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import ROOT, run  # noqa: E402

OK, INTEGRITY = 0, 4

_spec = importlib.util.spec_from_file_location("verify_export", os.path.join(ROOT, "deploy", "verify-export.py"))
second = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(second)


# The same signature is asked about in a hundred bundles, and openssl's answer depends on nothing else.
class _Remembering(second.OpenSsl):
    def signs(self, *question):
        return _answer(lambda: second_signs(self, *question), question)

    def certificate(self, *question):
        return _answer(lambda: second_certificate(self, *question), question)


second_signs, second_certificate, _answers = second.OpenSsl.signs, second.OpenSsl.certificate, {}
second.OpenSsl = _Remembering


def _answer(ask, question):
    if question not in _answers:
        _answers[question] = ask()  # an exception is asked for again
    return _answers[question]


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def spelt(value):
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


class Bundle:
    """The files of an export, to be changed and packed again."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.files = [(n, self._read(file, at, size)) for n, at, size in second.members_of(file, os.path.getsize(path))]

    @staticmethod
    def _read(file, at, size):
        file.seek(at)
        return file.read(size)

    def __getitem__(self, name):
        return dict(self.files)[name]

    def __setitem__(self, name, data):
        self.files = [(n, data if n == name else old) for n, old in self.files]

    def lines(self, name):
        return self[name].splitlines(keepends=True)

    @property
    def manifest(self):
        return json.loads(self["manifest.json"])

    def state(self, **changes):
        """A manifest of the files as they are, with these members changed; not signed."""
        manifest = {**self.manifest, **changes}
        manifest["files"] = [{"name": n, "size": len(d), "sha256": sha256(d)} for n, d in self.files[3:]]
        self["manifest.json"] = json.dumps(manifest, indent=1).encode() + b"\n"

    def sign(self, credentials, scratch):
        """As an investigator who is dishonest can."""
        message, signature = os.path.join(scratch, "message"), os.path.join(scratch, "signature")
        with open(message, "wb") as file:
            file.write(self["manifest.json"])
        key = os.path.join(credentials, "key.pem")
        run(["openssl", "pkeyutl", "-sign", "-inkey", key, "-rawin", "-in", message, "-out", signature], expect=OK)
        with open(signature, "rb") as file:
            self["manifest.sig"] = file.read()

    def pack(self):
        return b"".join(second.header_of(n, len(d)) + d + bytes(-len(d) % 512) for n, d in self.files) + bytes(1024)


class ChecksExports:
    """For a TestCase with `lab`, and `pinned`: a folder with the vault's vault.pub and nothing else."""

    def first(self, path, credentials=None):
        return self.lab.logvault("export", "--check", path, "--credentials", credentials or self.pinned)

    def second(self, path, vault_pub=None):
        told = io.StringIO()
        with contextlib.redirect_stdout(told):
            return second.main(path, vault_pub or self.vault_pub), told.getvalue()

    def write(self, content, name="bad.tar"):
        with open(self.lab.path(name), "wb") as file:
            file.write(content)
        return self.lab.path(name)

    def found(self, content, what, *named):
        """Both refuse it, and ours says what and where."""
        path = self.write(content)
        answer = self.first(path)
        self.assertEqual(answer.code, INTEGRITY, f"{what}: {answer}")
        for text in named:
            self.assertIn(text, answer.text, what)
        self.assertEqual(self.second(path)[0], INTEGRITY, what)

    def resigned(self, bundle, what, *named, **changes):
        bundle.state(**changes)
        bundle.sign(self.lab.analyst, self.lab.folder)
        self.found(bundle.pack(), what, *named)

    def content(self, path=None):
        with open(path or self.export, "rb") as file:
            return file.read()
