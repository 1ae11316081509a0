"""An export convinces both verifiers, ours and the one in Python, and neither once anything in it was changed, whoever signs the change."""

import base64
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import unittest
import unittest.mock

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from bundle import Bundle, ChecksExports, second, sha256, spelt  # noqa: E402
from lab import ROOT, Lab, run, wait_until  # noqa: E402

OK, NO_MATCH, USAGE, INTEGRITY, NOT_PERMITTED = 0, 1, 2, 4, 5


class ExportTest(ChecksExports, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab(cls)
        daemon = cls.lab.collector()
        cls.text = {}
        for name in ("geo01", "web01"):
            host = cls.lab.host(name)
            lines = [b"%s %d %s<script>alert(1)</script>\x1b[2J\n" % (name.encode(), i, b"hidden " if i % 5 == 0 else b"") for i in range(60)]
            host.file("app", "plain", b"")
            for part in range(3):  # three batches
                host.append("app.log", b"".join(lines[20 * part: 20 * part + 20]))
                host.drain()
            cls.text[name] = lines
        cls.export = cls.lab.path("case.tar")
        made = cls.lab.cli("export", "script", "--redact", "hidden", "--out", cls.export, expect=OK)
        assert made.out == b"", made
        cls.offline_export = cls.lab.path("offline.tar")
        assert daemon.stop() == 0
        cls.lab.offline("export", "-H", "geo01", "--out", cls.offline_export, credentials=cls.lab.analyst, expect=OK)
        cls.pinned = cls.lab.path("pinned")  # vault.pub and nothing else
        os.mkdir(cls.pinned)
        cls.vault_pub = shutil.copy(os.path.join(cls.lab.analyst, "vault.pub"), cls.pinned)

    # ---- what is in it

    def test_both_verifiers_accept_both_exports(self):
        for path, shown, redacted in ((self.export, 96, 24), (self.offline_export, 60, 0)):
            answer = self.first(path)
            self.assertEqual(answer.code, OK, answer)
            self.assertIn(f"{shown} records shown, {redacted} redacted", answer.text)
            self.assertEqual(self.second(path), (OK, self.second(path)[1]))
            self.assertIn(f"{shown} records shown", self.second(path)[1])
        self.assertIn("read offline: the vault has no record", self.first(self.offline_export).text)
        script = os.path.join(ROOT, "deploy", "verify-export.py")
        run([sys.executable, script, self.export, self.vault_pub], expect=OK)
        run([sys.executable, script], expect=USAGE)
        with open(script, encoding="utf-8") as file:
            self.assertLess(len(file.readlines()), 300)

    def test_raw_files_are_the_bytes_and_what_is_redacted_is_nowhere(self):
        bundle = Bundle(self.export)
        for host, lines in self.text.items():
            self.assertEqual(bundle[f"raw/{host}/app"], b"".join(line for line in lines if b"hidden" not in line))
        self.assertEqual(Bundle(self.offline_export)["raw/geo01/app"], b"".join(self.text["geo01"]))
        everywhere = b"".join(data for name, data in bundle.files if name != "manifest.json")
        self.assertEqual(everywhere.count(b"hidden"), bundle["report.html"].count(b"hidden"))
        self.assertEqual(bundle["report.html"].count(b"hidden"), 1)  # the --redact expression itself

    def test_the_vaults_record_of_this_very_reading_is_in_it(self):
        access = Bundle(self.export).manifest["access_blocks"]
        blocks = {line.get("block"): base64.b64decode(line.get("bytes", "")) for line in map(json.loads, Bundle(self.export).lines("blocks.jsonl"))}
        asked = [json.loads(blocks[index][72:]) for index in access]
        questions = [json.loads(body["query"])["expression"] for body in asked]
        self.assertEqual(questions, ["script", "(hidden) (script)"])
        self.assertEqual({body["name"] for body in asked}, {"analyst"})
        self.assertIn("complete", "".join(block[72:].decode("latin-1") for block in blocks.values() if block[64:66] == b"\0\6"))
        self.assertEqual(Bundle(self.offline_export).manifest["access_blocks"], [])

    def test_the_report_runs_nothing(self):
        report = Bundle(self.export)["report.html"]
        self.assertNotIn(b"<script", report)
        self.assertNotIn(b"\x1b", report)
        self.assertIn(b"&lt;script&gt;", report)

    def test_any_tar_unpacks_it(self):
        folder = self.lab.path("unpacked")
        os.mkdir(folder)
        run(["tar", "-xf", self.export, "-C", folder], expect=OK)
        for name, data in Bundle(self.export).files:
            self.assertEqual(self.content(os.path.join(folder, name)), data)
        # README.txt's own commands, on a manifest that is good and on one that is not.
        verify = "openssl x509 -in investigator.pem -noout -pubkey > k; openssl pkeyutl -verify -pubin -inkey k -rawin -in manifest.json -sigfile manifest.sig"
        in_folder = {"cwd": folder, "shell": True, "capture_output": True, "check": False}
        self.assertEqual(subprocess.run(verify, **in_folder).returncode, 0)
        self.assertNotEqual(subprocess.run("echo >> manifest.json; " + verify, **in_folder).returncode, 0)

    def test_the_same_question_asked_again_offline_is_the_same_but_for_the_time(self):
        again = self.lab.path("again.tar")
        self.lab.offline("export", "-H", "geo01", "--out", again, credentials=self.lab.analyst, expect=OK)
        for name, data in Bundle(self.offline_export).files:
            if name not in ("manifest.json", "manifest.sig", "report.html"):
                self.assertEqual(Bundle(again)[name], data, name)

    def test_misuse_is_exit_2_and_no_match_exit_1(self):
        out = self.lab.path("none.tar")
        offline = lambda *more, credentials=self.lab.analyst: self.lab.offline("export", *more, credentials=credentials).code  # noqa: E731
        self.assertEqual(offline("no such text", "--out", out), NO_MATCH)
        self.assertEqual(offline("x", "--out", out, credentials=self.pinned), USAGE, "nobody signs")
        self.assertEqual(offline("script", "--redact", "(", "--out", out), USAGE)
        self.assertEqual(offline("script", "--out", self.lab.path("no", "such", "folder")), USAGE)
        self.assertEqual(offline("script"), USAGE)
        self.assertEqual(offline("script", "--out", out, "--check", out), USAGE)
        self.assertFalse(os.path.exists(out))
        self.assertEqual([n for n in os.listdir(self.lab.folder) if n.startswith("none.tar")], [])
        for content in (b"", b"hello\n", bytes(2048)):
            path = self.write(content, "other")
            self.assertEqual(self.first(path).code, USAGE)
            self.assertEqual(self.second(path)[0], USAGE)
        self.assertEqual(self.first(self.lab.path("missing")).code, USAGE)
        good = self.content(self.vault_pub)
        first = good.splitlines()[0]
        for content in (b"", b"\n", bytes(100), b"x" * 100, b"\xff", good + b"\n", good + first + b" -1\n", good + first + b"  5\n", first[1:], good + b"other/" + first):
            os.makedirs(self.lab.path("no-key"), exist_ok=True)
            path = self.write(content, "no-key/vault.pub")
            self.assertEqual(self.first(self.export, credentials=self.lab.path("no-key")).code, USAGE, content)
            self.assertEqual(run([sys.executable, os.path.join(ROOT, "deploy", "verify-export.py"), self.export, path]).code, USAGE, content)

    def test_a_certificate_that_cannot_sign_is_not_permitted_and_nothing_is_altered(self):
        def export(credentials):
            answer = self.lab.offline("export", "script", "--out", self.lab.path("unsigned.tar"), credentials=credentials)
            self.assertNotIn("\\n", answer.err)
            return answer

        self.assertIn("it is spiffe://lab-vault/forwarder/", export(self.lab.issue("forwarder", "signer")).err)
        short = self.lab.issue("investigator", "short", ttl="1s")
        expired = wait_until(lambda: (answer := export(short)).code != OK and answer, "the end of a certificate")
        self.assertEqual(NOT_PERMITTED, expired.code, expired)
        self.assertIn("expired", expired.err)
        other = Lab(self, vault=self.lab.vault_name)
        shutil.copy(self.vault_pub, other.analyst)
        self.assertEqual(NOT_PERMITTED, export(other.analyst).code, "another authority's")

    # ---- changes by somebody who cannot sign

    def test_each_flipped_bit_is_named(self):
        seed = random.randrange(2**32)
        chance = random.Random(seed)
        good = self.content()
        for i in range(200):
            bit = chance.randrange(len(good) * 8)
            bad = bytearray(good)
            bad[bit // 8] ^= 1 << bit % 8
            path = self.write(bad)
            answer = self.first(path)
            self.assertEqual(answer.code, INTEGRITY, f"seed {seed}, bit {bit}: {answer}")
            self.assertIn("BAD ", answer.text)
            if i % 10 == 0:
                self.assertEqual(self.second(path)[0], INTEGRITY, f"seed {seed}, bit {bit}")

    def test_a_flip_in_each_file_names_it(self):
        for name, data in Bundle(self.export).files:
            bundle = Bundle(self.export)
            bundle[name] = data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1:]
            self.found(bundle.pack(), name, name)

    def test_files_dropped_added_or_reordered(self):
        for name, _ in Bundle(self.export).files:
            bundle = Bundle(self.export)
            bundle.files = [(n, d) for n, d in bundle.files if n != name]
            self.found(bundle.pack(), f"without {name}", name)
        bundle = Bundle(self.export)
        bundle.files.append(("extra", b"x"))
        self.found(bundle.pack(), "an extra file", "extra")
        bundle = Bundle(self.export)
        bundle.files.append(bundle.files[-1])
        self.found(bundle.pack(), "a file twice")
        bundle = Bundle(self.export)
        bundle.files[4], bundle.files[5] = bundle.files[5], bundle.files[4]
        self.found(bundle.pack(), "another order")

    def test_a_signed_manifest_makes_no_other_files_members(self):
        """A second file of a name is what a tar leaves behind; one that no step reads is nobody's evidence."""
        for name, good in Bundle(self.export).files[3:]:
            bundle = Bundle(self.export)
            bundle.files.append((name, good))
            bundle.state()
            bundle.sign(self.lab.analyst, self.lab.folder)
            for other in (len(bundle.files) - 1, [n for n, _ in bundle.files].index(name)):  # the manifest knows the good one, twice
                changed = [(n, b"another\n" if i == other else data) for i, (n, data) in enumerate(bundle.files)]
                content = b"".join(second.header_of(n, len(d)) + d + bytes(-len(d) % 512) for n, d in changed) + bytes(1024)
                self.found(content, f"{name} twice", f"BAD {name}: is no member of an export")
        for name in ("evil.html", "../../etc/cron.d/x", "/etc/x", "raw2/x", "raw/zzz/nothing"):
            bundle = Bundle(self.export)
            bundle.files.append((name, b"x"))
            self.resigned(bundle, name, f"BAD {name}")
        bundle = Bundle(self.export)
        bundle.files[-1], bundle.files[-2] = bundle.files[-2], bundle.files[-1]
        self.resigned(bundle, "raw files in another order", "not in its place")

    def test_hostile_tars(self):
        good = self.content()
        body = good[:-1024]

        def header(name=b"raw/geo01/app", type=b"0", size=b"00000000000", link=b""):
            fields = bytearray(second.header_of("x", 0))
            fields[0:100], fields[124:135], fields[156:157], fields[157:257] = name.ljust(100, b"\0"), size, type, link.ljust(100, b"\0")
            fields[148:156] = b" " * 8
            fields[148:156] = b"%06o\0 " % sum(fields)
            return bytes(fields)

        for what, content in {
            "symlink": body + header(type=b"2", link=b"/etc/passwd") + bytes(1024),
            "hard link": body + header(type=b"1", link=b"checkpoint") + bytes(1024),
            "pax header": body + header(type=b"x", size=b"00000000000") + bytes(1024),
            "long name of GNU": body + header(type=b"L") + bytes(1024),
            "way out of the folder": body + header(name=b"../../etc/cron.d/x") + bytes(1024),
            "absolute name": body + header(name=b"/etc/x") + bytes(1024),
            "huge size": body + header(size=b"77777777777") + bytes(1024),
            "negative size": body + header(size=b"-0000000001") + bytes(1024),
            "size of GNU": body + header(size=b"\x80" + bytes(10)) + bytes(1024),
            "no end": body,
            "half an end": body + bytes(512),
            "a longer end": good + bytes(512),
            "something behind the end": good + b"x",
            "the end twice": good + good,
            "nothing but a start": good[:512],
        }.items():
            self.found(content, what)

    # ---- another vault, another key

    def test_another_vaults_checkpoint_key_or_signer(self):
        other = Lab(self, vault=self.lab.vault_name)
        other.collector()
        host = other.host("geo01")
        host.file("app", "plain", b"x <script>\n")
        host.drain()
        theirs = other.path("theirs.tar")
        other.cli("export", "--out", theirs, expect=OK)
        self.assertEqual(self.first(theirs, credentials=other.analyst).code, OK)
        self.found(self.content(theirs), "an export of a vault of the same name", "checkpoint")
        self.assertEqual(self.first(self.export, credentials=other.analyst).code, INTEGRITY)

        bundle = Bundle(self.export)
        bundle["checkpoint"] = Bundle(theirs)["checkpoint"]
        self.resigned(bundle, "their checkpoint", "BAD checkpoint")
        bundle = Bundle(self.export)
        bundle["investigator.pem"] = Bundle(theirs)["investigator.pem"]
        theirs_der = base64.b64decode(b"".join(bundle["investigator.pem"].splitlines()[1:-1]))
        bundle.state(certificate_sha256=sha256(theirs_der))
        bundle.sign(other.analyst, self.lab.folder)
        with unittest.mock.patch.dict(os.environ, other.system_store()):  # the machine trusts them, the vault does not
            self.found(bundle.pack(), "their investigator", "BAD investigator.pem")
        bundle = Bundle(self.export)
        bundle.sign(other.analyst, self.lab.folder)
        self.found(bundle.pack(), "another key", "BAD manifest.sig")

    def test_a_host_cannot_sign_an_export(self):
        credentials = self.lab.issue("forwarder", "mallory")
        with open(os.path.join(credentials, "cert.pem"), "rb") as file:
            der = base64.b64decode(b"".join(line for line in file if not line.startswith(b"-")))
        bundle = Bundle(self.export)
        bundle["investigator.pem"] = second.pem_of(der)
        bundle.state(investigator=f"spiffe://{self.lab.vault_name}/forwarder/mallory", certificate_sha256=sha256(der))
        bundle.sign(credentials, self.lab.folder)
        self.found(bundle.pack(), "a forwarder's certificate", "BAD investigator.pem")

    # ---- changes by a dishonest investigator, who signs the result

    def test_an_unsigned_edit_of_the_manifest(self):
        bundle = Bundle(self.export)
        bundle.state(query="something else")
        self.found(bundle.pack(), "edited", "BAD manifest.sig")

    def test_a_resigned_manifest_cannot_misstate_the_evidence(self):
        good = Bundle(self.export).manifest
        for name, value in {"tree_size": 5, "shown": 95, "redacted": 0, "access_blocks": [1], "made_at_ns": 1,
                            "streams": good["streams"][:1], "origin": "lab-vault/00000000", "investigator": "spiffe://lab-vault/admin/root"}.items():
            self.resigned(Bundle(self.export), name, "BAD ", **{name: value})
        bundle = Bundle(self.export)
        bundle["manifest.json"] = bundle["manifest.json"].replace(b'"shown": 96', b'"shown": 95,\n "shown": 96', 1)
        bundle.sign(self.lab.analyst, self.lab.folder)
        self.found(bundle.pack(), "a member twice", "BAD manifest.json")

    def test_records_changed_dropped_or_swapped(self):
        def edit(change):
            bundle = Bundle(self.export)
            lines = bundle.lines("records.jsonl")
            bundle["records.jsonl"] = b"".join(change(lines))
            return bundle

        def with_member(line, **members):
            return spelt({**json.loads(line), **members})

        record = json.loads(Bundle(self.export).lines("records.jsonl")[0])
        place = f"({record['host']}/app {record['seq']}..{record['seq']}"
        for what, members in {"message": {"message": "nothing to see"}, "time": {"time": "2020-01-01T00:00:00.000000000Z"}, "origin": {"origin": "x"},
                              "leaf": {"leaf": "00" * 32}, "salt": {"salt": "00" * 16}, "flags": {"flags": 1}, "read_time": {"read_time": 1},
                              "event_time": {"event_time": 1}, "source": {"source": "app2"}, "host": {"host": "geo02"},
                              "seq": {"seq": 2**32}, "block": {"block": 3}, "origin bytes": {"origin_base64": ""}}.items():
            bundle = edit(lambda lines, members=members: [with_member(lines[0], **members), *lines[1:]])
            self.resigned(bundle, what, *([place] if what not in ("source", "host") else []))
        for what, change in {
            "a JSON member twice": lambda lines: [lines[0].replace(b'{"host"', b'{"host":"x","host"', 1), *lines[1:]],
            "true for 1": lambda lines: [lines[0].replace(b'"flags":0', b'"flags":false', 1), *lines[1:]],
            "blanks": lambda lines: [lines[0].replace(b",", b", ", 1), *lines[1:]],
            "0.0 for 0": lambda lines: [lines[0].replace(b'"offset":0,', b'"offset":0.0,', 1), *lines[1:]],
            "offset": lambda lines: [with_member(lines[0], offset=1), *lines[1:]],
            "size": lambda lines: [with_member(lines[0], size=2**60), *lines[1:]],
            "the last dropped": lambda lines: lines[:-1],
            "one dropped": lambda lines: lines[:3] + lines[4:],
            "one twice": lambda lines: lines[:4] + lines[3:],
            "two swapped": lambda lines: [lines[1], lines[0], *lines[2:]],
            "one more": lambda lines: [*lines, lines[-1]],
            "no line feed": lambda lines: [*lines[:-1], lines[-1][:-1]],
        }.items():
            self.resigned(edit(change), what, "BAD ")

    def test_raw_bytes_changed_together_with_everything_that_repeats_them(self):
        bundle = Bundle(self.export)
        bundle["raw/geo01/app"] = bundle["raw/geo01/app"].replace(b"alert(1)", b"alert(2)", 1)
        lines = bundle.lines("records.jsonl")
        at = next(i for i, line in enumerate(lines) if json.loads(line)["host"] == "geo01")
        record = json.loads(lines[at])
        record["message"] = record["message"].replace("alert(1)", "alert(2)")
        lines[at] = spelt(record)
        bundle["records.jsonl"] = b"".join(lines)
        self.resigned(bundle, "raw", f"(geo01/app {record['seq']}..{record['seq']}")
        bundle = Bundle(self.export)
        bundle["raw/geo01/app"] += b"more\n"
        self.resigned(bundle, "more raw bytes", "BAD raw/geo01/app")

    def batches_of(self, lines):
        """Line numbers of the blocks of geo01's batches."""
        stream = hashlib.sha256(b"logvault/stream/v1\n\x00\x05geo01\x00\x03app").digest()
        found = []
        for i, line in enumerate(map(json.loads, lines)):
            block = base64.b64decode(line.get("bytes", ""))
            if block[64:66] == b"\0\4" and block[88:120] == stream:
                found.append(i)
        return found

    def test_a_batch_left_out_shows(self):
        """Its leaf hash in its place: the tree still fits, the numbers do not."""
        bundle = Bundle(self.export)
        lines = bundle.lines("blocks.jsonl")
        begin = self.batches_of(lines)[1]
        end = begin + 1
        while not json.loads(lines[end]).keys() & {"block", "pruned"}:
            end += 1
        block = json.loads(lines[begin])
        left_out = spelt({"pruned": [block["block"], 1], "hash": second.leaf_hash(base64.b64decode(block["bytes"])).hex()})
        bundle["blocks.jsonl"] = b"".join([*lines[:begin], left_out, *lines[end:]])
        records, raw = [], b""
        offset = 0
        for line in map(json.loads, bundle.lines("records.jsonl")):
            data = bundle[f"raw/{line['host']}/app"][line["offset"]: line["offset"] + line["size"]]
            if line["block"] == block["block"]:
                continue
            if line["host"] == "geo01":
                line["offset"], offset, raw = offset, offset + line["size"], raw + data
            records.append(spelt(line))
        bundle["records.jsonl"], bundle["raw/geo01/app"] = b"".join(records), raw
        streams = bundle.manifest["streams"]
        streams[0]["shown"], streams[0]["redacted"] = 32, 8
        self.resigned(bundle, "a batch", "geo01/app 41..60", "left out", streams=streams, shown=80, redacted=20)

    def test_blocks_changed(self):
        lines = Bundle(self.export).lines("blocks.jsonl")
        first, middle, last = self.batches_of(lines)
        flipped = json.loads(lines[middle])
        block = bytearray(base64.b64decode(flipped["bytes"]))
        block[72 + 200] ^= 1  # seen_size: the host's signature covers it
        flipped["bytes"] = base64.b64encode(block).decode()
        redacted = next(i for i, line in enumerate(lines) if b'"redacted"' in line)
        changed_hash = spelt({**json.loads(lines[redacted]), "hash": "11" * 32})
        for what, changed in {
            "a header": [*lines[:middle], spelt(flipped), *lines[middle + 1:]],
            "a redacted hash": [*lines[:redacted], changed_hash, *lines[redacted + 1:]],
            "GENESIS pruned": [spelt({"pruned": [0, 1], "hash": second.leaf_hash(base64.b64decode(json.loads(lines[0])["bytes"])).hex()}), *lines[1:]],
            "the first batch": lines[:first] + lines[middle:],
            "two swapped": [*lines[:first], *lines[last:], *lines[first:last]],
            "cut off": lines[:last],
            "a block twice": [*lines[:1], *lines],
            "a pruned node that is none": [lines[0], spelt({"pruned": [1, 3], "hash": "00" * 32}), *lines[1:]],
            "pruned without end": [lines[0], spelt({"pruned": [1, 2**63], "hash": "00" * 32}), *lines[1:]],
            "deep JSON": [b"[" * 100000 + b"\n", *lines],
            "a long line": [b'{"block":0,"bytes":"' + b"A" * 2**21 + b'"}\n', *lines[1:]],
            "nothing": [],
        }.items():
            bundle = Bundle(self.export)
            bundle["blocks.jsonl"] = b"".join(changed)
            self.resigned(bundle, what, "BAD ")

    def test_what_follows_from_the_evidence_is_compared_with_it(self):
        for name in ("README.txt", "report.html", "ca.pem", "certificates.pem"):
            bundle = Bundle(self.export)
            bundle[name] = bundle[name].replace(b"e", b"a", 1)
            bundle.state()
            bundle.sign(self.lab.analyst, self.lab.folder)
            answer = self.first(self.write(bundle.pack()))
            self.assertEqual(answer.code, INTEGRITY, answer)
            self.assertIn(f"BAD {name}", answer.text)


if __name__ == "__main__":
    unittest.main()
