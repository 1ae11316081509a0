"""A proof of one record convinces whoever holds vault.pub, with our tool or with other people's, and only while nobody touched it."""

import base64
import hashlib
import os
import random
import re
import shutil
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import Lab, run  # noqa: E402

OK, NO_MATCH, USAGE, INTEGRITY = 0, 1, 2, 4
GO_PATH = "/usr/share/gocode"  # where Debian puts golang.org/x/mod
SPKI_ED25519 = bytes.fromhex("302a300506032b6570032100")  # RFC 8410, before the 32 bytes of the key

# What follows reads the proof by the C2SP pages and docs/FORMAT.md alone.
GO_CHECK = """
package main

import ("encoding/base64"; "fmt"; "os"; "strconv"; "strings"
	"golang.org/x/mod/sumdb/note"; "golang.org/x/mod/sumdb/tlog")

func must(err error) { if err != nil { fmt.Println("REFUSED:", err); os.Exit(4) } }

func main() {
	text, err := os.ReadFile(os.Args[1]); must(err)
	vkey, err := os.ReadFile(os.Args[2]); must(err)
	verifier, err := note.NewVerifier(strings.Split(string(vkey), "\\n")[0]); must(err)
	head, signed, _ := strings.Cut(string(text), "\\n\\n")
	opened, err := note.Open([]byte(signed), note.VerifierList(verifier)); must(err)
	tree, err := tlog.ParseTree([]byte("go.sum database tree\\n" + strings.SplitN(opened.Text, "\\n", 2)[1])); must(err)
	lines := strings.Split(head, "\\n")
	extra, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra ")); must(err)
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64); must(err)
	var proof tlog.RecordProof
	for _, line := range lines[3:] {
		raw, err := base64.StdEncoding.DecodeString(line); must(err)
		var hash tlog.Hash; copy(hash[:], raw); proof = append(proof, hash)
	}
	rest := extra[16:]
	for i := 0; i < 2; i++ { rest = rest[2+int(rest[0])<<8+int(rest[1]):] }
	size := int(rest[0])<<24 | int(rest[1])<<16 | int(rest[2])<<8 | int(rest[3])
	block := rest[4 : 4+size]
	must(tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(block)))
	fmt.Println("accepted")
}
"""

NODE_CHECK = """
const fs = require('fs'), path = require('path'), crypto = require('crypto');
const root = path.dirname(require.resolve('@sigstore/verify/package.json'));
const { verifyCheckpoint } = require(root + '/dist/tlog/checkpoint.js');
const { verifyMerkleInclusion } = require(root + '/dist/tlog/merkle.js');
const text = fs.readFileSync(process.argv[2], 'utf8');
const vkey = fs.readFileSync(process.argv[3], 'utf8').split('\\n')[0];
const [name, , encoded] = [vkey.split('+')[0], 0, vkey.split('+').slice(2).join('+')];
const raw = Buffer.from(encoded, 'base64').subarray(1);
const publicKey = crypto.createPublicKey({ key: Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw]),
  format: 'der', type: 'spki' });
const logID = crypto.createHash('sha256').update(Buffer.concat([Buffer.from(name + '\\n\\x01', 'latin1'), raw])).digest();
const split = text.indexOf('\\n\\n');
const lines = text.slice(0, split).split('\\n'), note = text.slice(split + 2);
const extra = Buffer.from(lines[1].slice(6), 'base64');
let at = 16;
for (let i = 0; i < 2; ++i) at += 2 + extra.readUInt16BE(at);
const block = extra.subarray(at + 4, at + 4 + extra.readUInt32BE(at));
const size = note.split('\\n')[1];
const entry = { logIndex: lines[2].slice(6), logId: { keyId: logID }, canonicalizedBody: block,
  inclusionProof: { checkpoint: { envelope: note }, logIndex: lines[2].slice(6), treeSize: size,
    rootHash: Buffer.from(note.split('\\n')[2], 'base64'), hashes: lines.slice(3).map(l => Buffer.from(l, 'base64')) } };
const log = { logID, publicKey, baseURL: 'https://' + name, validFor: { start: new Date(0), end: new Date(8e15) } };
try {
  verifyMerkleInclusion(entry, verifyCheckpoint(entry, [log]));
  console.log('accepted');
} catch (error) { console.log('REFUSED: ' + error.message); process.exit(4); }
"""


def leaf(entry):
    return hashlib.sha256(b"\0" + entry).digest()


def root_from(path, index, size, node):
    """RFC 9162 section 2.1.3.2."""
    last = size - 1
    for sibling in path:
        if index & 1 or index == last:
            node = hashlib.sha256(b"\1" + sibling + node).digest()
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            node = hashlib.sha256(b"\1" + node + sibling).digest()
        index, last = index >> 1, last >> 1
    return node


class Reading:
    """A proof file, cut by the letter of the documents."""

    def __init__(self, content):
        head, self.note = content.split(b"\n\n", 1)
        lines = head.split(b"\n")
        assert lines[0] == b"c2sp.org/tlog-proof@v1"
        self.index = int(lines[2].removeprefix(b"index "))
        self.path = [base64.b64decode(line, validate=True) for line in lines[3:]]
        self.text, signature = self.note.rsplit(b"\n\n", 1)
        self.text += b"\n"
        self.signature = base64.b64decode(signature.split(b" ")[2])[4:]
        self.size, self.root = int(self.text.split(b"\n")[1]), base64.b64decode(self.text.split(b"\n")[2])
        rest = base64.b64decode(lines[1].removeprefix(b"extra "), validate=True)
        assert rest.startswith(b"logvault/prf/v1\n")
        self.rest = rest[16:]
        self.host, self.source, self.block = self.take(2), self.take(2), self.take(4)
        inputs = self.rest[: 16 + 8 + 8 + 8 + 4]
        self.rest = self.rest[len(inputs):]
        self.seq = int.from_bytes(inputs[16:24], "big")
        origin = self.take(2)
        self.bytes = self.take(4)
        self.leaf = leaf(inputs + len(origin).to_bytes(2, "big") + origin + self.bytes)
        self.record_path = [self.rest[2 + 32 * i:][:32] for i in range(int.from_bytes(self.rest[:2], "big"))]

    def take(self, width):
        size = int.from_bytes(self.rest[:width], "big")
        value, self.rest = self.rest[width: width + size], self.rest[width + size:]
        return value


class ProofTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab(cls)
        daemon = cls.lab.collector()
        geo01 = cls.lab.host("geo01")
        cls.lines = [b"line %d <script>\x1b[2J\n" % i for i in range(3000)]
        geo01.file("app", "plain", b"".join(cls.lines))
        geo01.drain()
        cls.proof = cls.lab.path("1234.tlog-proof")
        made = cls.lab.cli("proof", "geo01/app/1234", "--out", cls.proof, expect=OK)
        assert made.out == b"", made
        assert cls.lab.cli("proof", "geo01/app/99999", "--out", cls.lab.path("none")).code == NO_MATCH
        assert not os.path.exists(cls.lab.path("none"))
        assert daemon.stop() == 0
        cls.pinned = cls.lab.path("pinned")  # vault.pub and nothing else
        os.mkdir(cls.pinned)
        cls.vault_pub = shutil.copy(os.path.join(cls.lab.analyst, "vault.pub"), cls.pinned)

    def check(self, path, credentials=None, expect=None):
        return self.lab.logvault("proof", "--check", path, "--credentials", credentials or self.pinned, expect=expect)

    def write(self, name, content):
        with open(self.lab.path(name), "wb") as file:
            file.write(content)
        return self.lab.path(name)

    def content(self, path=None):
        with open(path or self.proof, "rb") as file:
            return file.read()

    def test_the_check_needs_vault_pub_alone_and_says_what_is_proven(self):
        told = self.check(self.proof, expect=OK)
        for expected in ("host          geo01", "source        app", "seq           1234", "commit time   20",
                         "vault         lab-vault/", hashlib.sha256(self.lines[1233]).hexdigest(), "block         "):
            self.assertIn(expected, told.text)
        self.assertNotIn("\x1b", told.text)
        self.lab.logvault("proof", "--check", self.proof, expect=USAGE)

    def test_offline_makes_the_same_proof(self):
        offline = self.lab.path("offline.tlog-proof")
        self.lab.offline("proof", "geo01/app/1234", "--out", offline, credentials=self.pinned, expect=OK)
        self.check(offline, expect=OK)
        self.assertEqual(Reading(self.content()).block, Reading(self.content(offline)).block)
        to_stdout = self.lab.offline("proof", "geo01/app/1234", "--out", "-", credentials=self.pinned, expect=OK)
        self.check(self.write("stdout.tlog-proof", to_stdout.out), expect=OK)

    def test_altered_proofs_are_exit_4_and_others_exit_2(self):
        seed = random.randrange(2**32)
        chance = random.Random(seed)
        good = self.content()
        for _ in range(30):
            bit = chance.randrange(len(good) * 8)
            bad = bytearray(good)
            bad[bit // 8] ^= 1 << bit % 8
            self.assertEqual(self.check(self.write("bad", bad)).code, INTEGRITY, f"seed {seed}, bit {bit}")
        self.check(self.write("bad", good + b"\n"), expect=INTEGRITY)
        self.check(self.write("bad", good[:-30]), expect=INTEGRITY)
        self.check(self.write("bad", b"just a file\n"), expect=USAGE)
        self.check(self.write("bad", b""), expect=USAGE)
        self.check(self.lab.path("missing"), expect=USAGE)
        self.check(self.pinned, expect=USAGE)

    def test_a_vault_of_the_same_name_proves_nothing_here(self):
        other = Lab(self, vault=self.lab.vault_name)
        self.check(self.proof, credentials=other.analyst, expect=INTEGRITY)

    def test_plain_arithmetic_and_openssl_agree(self):
        proof = Reading(self.content())
        self.assertEqual((proof.host, proof.source, proof.seq, proof.bytes), (b"geo01", b"app", 1234, self.lines[1233]))
        self.assertEqual(root_from(proof.path, proof.index, proof.size, leaf(proof.block)), proof.root)
        batch = proof.block[72:]
        first_seq, count = int.from_bytes(batch[56:64], "big"), int.from_bytes(batch[64:68], "big")
        self.assertEqual(root_from(proof.record_path, 1234 - first_seq, count, proof.leaf), batch[136:168])
        self.assertTrue(self.openssl_verifies(proof.text, proof.signature))
        self.assertFalse(self.openssl_verifies(proof.text.replace(b"\n", b"\r", 1), proof.signature))

    def openssl_verifies(self, text, signature):
        with open(self.vault_pub, encoding="ascii") as file:
            key = base64.b64decode(file.readline().strip().split("+", 2)[2])[1:]
        command = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", self.write("key", SPKI_ED25519 + key),
                   "-rawin", "-in", self.write("text", text), "-sigfile", self.write("sig", signature)]
        return run(command).code == 0

    def accepts(self, command):
        """The tool takes the proof, and refuses it with a flip in block, path or checkpoint."""
        good = self.content()
        self.assertIn(b"accepted", run([*command, self.proof, self.vault_pub], expect=OK).out)
        lines = good.split(b"\n")
        hits = {"block": len(lines[0]) + 200, "path": good.index(lines[3]) + 9, "root": good.index(b"\n\n") + 40,
                "signature": len(good) - 30}
        for what, at in hits.items():
            bad = bytearray(good)
            bad[at] = ord("B") if bad[at] == ord("A") else ord("A")
            self.assertNotIn(b"accepted", run([*command, self.write("bad", bad), self.vault_pub]).out, what)

    def test_go_sumdb_agrees(self):
        if not shutil.which("go") or not os.path.isdir(GO_PATH + "/src/golang.org/x/mod/sumdb"):
            self.skipTest("no go, or no golang-golang-x-mod-dev")
        os.mkdir(self.lab.path("go"))
        source, program = self.write("go/check.go", GO_CHECK.encode()), self.lab.path("go", "check")
        environment = {"GO111MODULE": "off", "GOPATH": GO_PATH, "GOCACHE": self.lab.path("go", "cache")}
        self.lab.run(["go", "build", "-o", program, source], env=environment, expect=OK)
        self.accepts([program])

    def test_sigstore_verify_agrees(self):
        """Where node is new enough for it, and the npm registry answers."""
        node, npm = shutil.which("node"), shutil.which("npm")
        version = run([node, "--version"], expect=OK).text if node and npm else "v0.0"
        if tuple(int(part) for part in re.findall(r"[0-9]+", version)[:2]) < (20, 17):
            self.skipTest(f"no node of at least 20.17 with npm: {version.strip()}")
        fetch = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", self.lab.path("npm"), "@sigstore/verify@3"]
        fetched = self.lab.run(fetch, env={"npm_config_cache": self.lab.path("npm-cache")})
        if fetched.code != 0:
            self.skipTest(f"npm does not bring @sigstore/verify: {fetched.err[-300:]}")
        self.accepts([node, self.write("npm/check.js", NODE_CHECK.encode())])


if __name__ == "__main__":
    unittest.main()
