#!/usr/bin/env python3
"""Checks an export of a logvault vault: verify-export.py EXPORT vault.pub

A second verifier, written from docs/FORMAT.md (section "Export") and nothing else.  Python's standard library and the openssl command;
nothing is unpacked.  Exit code 0: good, 4: altered, 2: not an export.  README.txt and report.html are held to the signed manifest only.
"""
import base64, datetime, hashlib, json, os, pathlib, re, subprocess, sys, tempfile  # noqa: E401
SPKI = bytes.fromhex("302a300506032b6570032100")  # an Ed25519 key in DER, before its 32 bytes
FIRST = ["manifest.json", "manifest.sig", "investigator.pem"]
TEXTS = ["README.txt", "report.html", "checkpoint", "ca.pem", "certificates.pem", "blocks.jsonl", "records.jsonl"]
RECORD = "host source seq block event_time read_time flags salt leaf offset size origin_base64".split(" ")
GENESIS, STREAM, KEY, RECORDS, ACCESS, ALERT = 1, 2, 3, 4, 5, 8
NO_TIME, LINE_MAX, TEXT_MAX, RECORD_MAX, MESSAGE_MAX = -(2**63), 2**20, 2**26, 2**24, 2**16
class Bad(Exception): pass  # something that cannot be followed any further
def need(holds, reason):
    if not holds: raise Bad(reason)
def number(data, at, size, signed=False): return int.from_bytes(data[at : at + size], "big", signed=signed)
def decode(text): return base64.b64decode(text, validate=True)
def sha256(*parts): return hashlib.sha256(b"".join(parts)).digest()
def leaf_hash(entry): return sha256(b"\0", entry)
def spelt(value): return json.dumps(value, separators=(",", ":")).encode() + b"\n"
class Tree:  # RFC 6962: the roots of the complete subtrees so far, the largest first
    def __init__(self): self.size, self.peaks = 0, []
    def add(self, count, node):
        need(len(node) == 32 and count > 0 and count & (count - 1) == 0 and self.size % count == 0, "a hash that is no node of the tree")
        self.peaks.append((count, node))
        self.size += count
        while len(self.peaks) > 1 and self.peaks[-1][0] == self.peaks[-2][0]:
            (half, left), (_, right) = self.peaks[-2:]
            self.peaks[-2:] = [(2 * half, sha256(b"\1", left, right))]
    def root(self):
        node = self.peaks[-1][1] if self.peaks else sha256()
        for _, left in reversed(self.peaks[:-1]): node = sha256(b"\1", left, node)
        return node
class OpenSsl:
    def __init__(self, folder): self.folder = folder
    def run(self, command):
        done = subprocess.run(["openssl", *command.split(" ")], cwd=self.folder, capture_output=True, check=False)
        return done.returncode == 0, done.stdout
    def write(self, **files):
        for name, data in files.items(): pathlib.Path(self.folder, name).write_bytes(data)
    def signs(self, key, message, signature):
        self.write(key=SPKI + key, message=message, signature=signature)
        return self.run("pkeyutl -verify -pubin -keyform DER -inkey key -rawin -in message -sigfile signature")[0]
    def certificate(self, der, ca_pem, when):  # the URI and the key of one that the CA issued and that is valid `when`, in seconds
        self.write(certificate=pem_of(der), ca=ca_pem)
        good, _ = self.run(f"verify -x509_strict -CAfile ca -no-CApath -no-CAstore -attime {int(when)} certificate")
        uris = re.findall(r"URI:([^\s,]+)", self.run("x509 -in certificate -noout -ext subjectAltName")[1].decode("utf-8", "replace"))
        public = base64.b64decode(b"".join(self.run("x509 -in certificate -noout -pubkey")[1].splitlines()[1:-1]))
        need(good and len(uris) == 1 and len(public) == 44 and public.startswith(SPKI), "a certificate that this CA did not issue for then")
        return uris[0], public[12:]
def pem_of(der):
    lines = re.findall(".{1,64}", base64.b64encode(der).decode())
    return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""]).encode()
def header_of(name, size):
    prefix, _, last = name.rpartition("/")
    parts = [last.encode().ljust(100, b"\0"), b"0000644\0" + 2 * b"0000000\0", b"%011o\0" % size, b"00000000000\0", b" " * 8,
             b"0" + bytes(100) + b"ustar\x0000" + bytes(64), 2 * b"0000000\0", prefix.encode().ljust(167, b"\0")]
    parts[4] = b"%06o\0 " % sum(b"".join(parts))
    return b"".join(parts)
def members_of(file, end):  # [(name, offset, size)] of a tar in the one spelling that an export has
    members, at = [], 0
    while True:
        file.seek(at)
        header = file.read(512)
        need(len(header) == 512, "the tar ends without its end")
        if header == bytes(512):
            need(file.read(513) == bytes(512), "the tar does not end as it must")
            return members
        parts = [field.split(b"\0")[0].decode("latin-1") for field in (header[345:500], header[:100])]
        name, size = "/".join(part for part in parts if part), int(header[124:135], 8) if header[124:135].isdigit() else 0
        need(name.isascii() and header == header_of(name, size), f"the header behind {len(members)} members is not as it must be")
        members.append((name, at + 512, size))
        at += 512 + size + -size % 512
        file.seek(at - -size % 512)
        need(at <= end and file.read(-size % 512) == bytes(-size % 512), f"{name}: cut off, or other bytes behind it")
class Cursor:  # one member, read from its front to its end
    def __init__(self, file, member):
        self.file, (self.name, self.start, self.size), self.taken = file, member, 0
    def take(self, read, size):
        self.file.seek(self.start + self.taken)
        data = read(min(size, self.size - self.taken))
        self.taken += len(data)
        return data
    def bytes(self, size):
        need(0 <= size <= self.size - self.taken, f"{self.name} is too short")
        return self.take(self.file.read, size)
    def line(self):
        line = self.take(self.file.readline, LINE_MAX + 1)
        need(line.endswith(b"\n"), f"{self.name}: a line that is not there or too long")
        return line
    def done(self): return self.taken == self.size
def once(pairs):  # an object without a member twice, and with true and false only where they belong
    flags = {name for name, value in pairs for part in (value if isinstance(value, list) else [value]) if isinstance(part, bool)}
    need(len(dict(pairs)) == len(pairs) and flags <= {"contents", "offline", "complete"}, "a JSON member twice, or of another type")
    return dict(pairs)
def parse(line):
    try:
        value = json.loads(line, object_pairs_hook=once, parse_float=lambda _: need(False, "a number that is not whole"))
    except (ValueError, RecursionError):
        raise Bad("not JSON") from None
    need(isinstance(value, dict), "not a JSON object")
    return value
def time_text(ns):  # RFC 3339 with nine decimals
    second = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=ns // 10**9)
    return f"{second.isoformat(timespec='seconds')}.{ns % 10**9:09d}Z"
def text_of(data, encoding="utf-8"):
    return None if "\ufffd" in (text := data.decode(encoding, "replace")) else text
def message_of(data, flags):
    if len(data) > MESSAGE_MAX: return None
    utf16 = flags & 8
    text = text_of(data[2:] if utf16 and data.startswith(b"\xff\xfe") else data, "utf-16-le" if utf16 else "utf-8")
    return text if text is None else re.sub(r"\r?\n\Z", "", text)
class Fields:  # a block's body from its front, behind the magic that must begin it
    def __init__(self, data, kind):
        self.data, self.at = data, 0
        need(self.take(16) == b"logvault/%s/v1\n" % kind, f"a {kind.decode()} body of another kind")
    def take(self, size):
        need(size <= len(self.data) - self.at, "a block's body is cut off")
        self.at += size
        return self.data[self.at - size : self.at]
    def text(self, width): return self.take(int.from_bytes(self.take(width), "big"))
def keys_of(vault_pub):  # the vault's name; its keys, the one in force first, each with the largest tree size that it may sign
    lines = [re.fullmatch(r"([^+ ]+)\+([0-9a-f]{8})\+([\w+/]+=*)(?: (\d{1,20}))?", line) for n, line in enumerate(vault_pub.splitlines()) if n != 1]
    good = all([*lines, lines]) and all(line[1] == lines[0][1] and line[2] == sha256(line[1].encode(), b"\n", decode(line[3]))[:4].hex() for line in lines)
    if not good: raise ValueError("not a vault.pub")
    return lines[0][1], [(decode(line[3]), int(line[4] or 2**64)) for line in lines]

class Verifier:
    def __init__(self, file, members, name, keys, openssl):
        self.file, self.members, self.openssl, self.places = file, members, openssl, {member[0]: member for member in members}
        self.name, self.vault, self.keys, self.manifest, self.genesis = name, name.split("/")[0], keys, {}, None
        self.names, self.streams, self.heads, self.epochs, self.access, self.raw, self.certificates = {}, {}, {}, {}, [], {}, b""
    def check(self):  # what is wrong: of each step the first thing
        for step in (self.check_files, self.check_evidence, self.check_statements, self.check_signature):
            try:
                step()
            except (Bad, KeyError, TypeError, ValueError, OverflowError, AttributeError, IndexError) as reason:
                yield f"{step.__name__[6:]}: {type(reason).__name__}: {reason}"
    def text(self, name):
        need(name in self.places and self.places[name][2] <= TEXT_MAX, f"{name} is not there, or too long")
        return Cursor(self.file, self.places[name]).bytes(self.places[name][2])
    def check_files(self):
        self.manifest_bytes = self.text("manifest.json")
        self.manifest = parse(self.manifest_bytes)
        need(json.dumps(self.manifest, indent=1).encode() + b"\n" == self.manifest_bytes, "manifest.json is spelt otherwise")
        need(self.manifest["format"] == "logvault/export/v1" and self.manifest.get("texts", 2) > 1, "manifest.json is of another version")
        expected, raw = FIRST + [file["name"] for file in self.manifest["files"]], sorted({name for name in self.places if name.startswith("raw/")})
        need([member[0] for member in self.members] == expected == [*FIRST, *TEXTS, *raw], "not the manifest's files, each once, in order")
        for file in self.manifest["files"]:
            cursor, hashed = Cursor(self.file, self.places[file["name"]]), hashlib.sha256()
            while not cursor.done(): hashed.update(cursor.bytes(min(2**16, cursor.size - cursor.taken)))
            need((cursor.size, hashed.hexdigest()) == (file["size"], file["sha256"]), f"{file['name']} is not what the manifest names")
    def check_evidence(self):
        text, lines = (self.text("checkpoint").rpartition(b"\n\n")[i] + b"\n" * (i == 0) for i in (0, 2))
        ours = [decode(line.split(b" ")[2]) for line in lines.split(b"\n") if line.startswith(f"\u2014 {self.name} ".encode())]
        origin, size, root = text.decode().split("\n")[:3]
        ids = [(sha256(self.name.encode(), b"\n", key)[:4], key[1:]) for key, last in self.keys if int(size) <= last]
        good = [[self.openssl.signs(key, text, blob[4:]) for blob in ours if blob[:4] == key_id] for key_id, key in ids]
        need(lines.endswith(b"\n") and any(by and all(by) for by in good), "the checkpoint is not signed by vault.pub's key")
        need(origin == self.name, "the checkpoint is of another vault")
        self.size, self.root, self.tree, self.before, self.time, self.notice = int(size), decode(root), Tree(), bytes(32), NO_TIME, None
        self.blocks, self.records = (Cursor(self.file, self.places[name]) for name in ("blocks.jsonl", "records.jsonl"))
        while not self.blocks.done(): self.take_block(self.block_line())
        self.expect_notice(None, None)
        need((self.tree.size, self.tree.root()) == (self.size, self.root), "the blocks do not lead to the checkpoint's root")
        used = self.records.done() and {name for name in self.places if name.startswith("raw/")} == set(self.raw)
        need(used and all(raw.done() and raw.size for raw in self.raw.values()), "records.jsonl or raw/ has more than the blocks account for")
        need([self.text(name) for name in TEXTS[3:5]] == [self.genesis, self.certificates], "ca.pem or certificates.pem is not what the blocks have")
    def block_line(self):
        value = parse(line := self.blocks.line())
        need(spelt(value) == line, "a line of blocks.jsonl is spelt otherwise")
        return value
    def take_block(self, line):
        if list(line) == ["pruned", "hash"]:
            first, count = line["pruned"]
            need(first == self.tree.size and count <= self.size - first, "pruned blocks that are not the next")
            self.expect_notice(None, None)
            self.before = self.tree.add(count, bytes.fromhex(line["hash"]))  # None: unknown
            return
        contents = list(line) == ["block", "bytes", "contents"] and line["contents"] is True
        need(contents or list(line) == ["block", "bytes"], "an unknown line in blocks.jsonl")
        block, index = decode(line["bytes"]), line["block"]
        kind, flags, body, time = number(block, 64, 2), number(block, 66, 2), block[72:], number(block, 56, 8, True)
        need(index == self.tree.size < self.size, f"block {index} is not the next of the tree")
        need(block[:16] == b"logvault/blk/v1\n" and number(block, 68, 4) == len(body), f"block {index} is malformed")
        follows = number(block, 16, 8) == index and self.before in (None, block[24:56]) and time > self.time
        need(follows, f"block {index}: its index, prev or commit time does not follow on the block before")
        need((kind == GENESIS) == (index == 0) and (kind == RECORDS or not contents), f"block {index} cannot be what it says it is")
        self.expect_notice(kind, body)
        self.time, self.before = time, leaf_hash(block)
        self.tree.add(1, self.before)
        if kind == GENESIS:
            fields = Fields(body, b"gen")
            need(fields.text(2) == self.name.encode() and fields.take(32) == self.keys[-1][0][1:], "GENESIS is of another vault")
            self.genesis = fields.take(40) and fields.text(4)
        elif kind == STREAM:
            fields = Fields(body, b"str")
            stream_id, host, source = fields.take(32), fields.text(2), fields.text(2)
            named = [len(host).to_bytes(2, "big"), host, len(source).to_bytes(2, "big"), source]
            need(stream_id == sha256(b"logvault/stream/v1\n", *named), f"block {index}: a stream_id of another name")
            self.names[stream_id] = (host.decode(), source.decode())
        elif kind == KEY and not body.startswith(b"logvault/dir/v1\n"): self.take_key(index, body, time)
        elif kind == RECORDS: self.take_batch(index, flags, body, contents)
        elif kind == ACCESS: self.access.append(index)
    def take_key(self, index, body, time):
        fields = Fields(body, b"key")
        host, epoch = fields.text(2).decode(), int.from_bytes(fields.take(8), "big")
        key, _, der, signed = fields.take(32), fields.take(72), fields.text(4), body[: fields.at]
        uri, public = self.openssl.certificate(der, self.genesis, time // 10**9)
        good = uri == f"spiffe://{self.vault}/forwarder/{host}" and (host, epoch) not in self.epochs
        good = good and self.openssl.signs(public, signed, fields.text(2))
        need(good, f"block {index}: KEY of {host}, epoch {epoch}, is not signed by a certificate of that host")
        self.epochs[host, epoch] = key
        self.certificates += f"host {host}, epoch {epoch}, KEY block {index}\n".encode() + pem_of(der)
    def take_batch(self, index, flags, body, contents):
        stream_id, first, count = body[16:48], number(body, 56, 8), number(body, 64, 4)
        need(len(body) == 336 and body[:16] == b"logvault/bat/v1\n" and count > 0, f"block {index}: not a batch header")
        need(stream_id in self.names, f"block {index}: a batch of no stream that is announced")
        (host, source), last = self.names[stream_id], first + count - 1
        where, epoch = f"block {index} ({host}/{source} {first}..{last})", self.epochs.get((host, number(body, 48, 8)))
        need(epoch and self.openssl.signs(epoch, body[:272], body[272:]), f"{where}: not signed by the key of its epoch")
        fresh = dict(host=host, source=source, first_seq=first, last_seq=first - 1, shown=0, redacted=0, withheld=0, missing=[])
        stream = self.streams.setdefault(stream_id, fresh)
        following = stream["last_seq"] + 1
        if flags & 1 and first > following:
            stream["missing"].append([following, first - 1])
            notice = dict(type="gap", host=host, source=source, first_seq=following, last_seq=first - 1, block=index)
            self.notice = (where, spelt(notice)[:-1])
        else:
            chained = flags & 1 or self.heads.get(stream_id, body[104:136]) == body[104:136]
            need(first == following and chained, f"{where}: not the one after record {following - 1}: batches are left out or changed")
        stream["last_seq"], self.heads[stream_id], tree = last, leaf_hash(body), Tree()
        if not contents: stream["withheld"] += count
        while contents and tree.size < count: self.take_contents(index, stream, first, count, tree)
        need(not contents or tree.root() == body[136:168], f"{where}: its records do not lead to the root that its host signed")
    def expect_notice(self, kind, body):  # the block behind a gap states how wide it is
        stated, self.notice = self.notice, None
        need(not stated or (kind, body) == (ALERT, stated[1]), f"{stated and stated[0]}: the gap before it is not the one that the vault states")
    def take_contents(self, index, stream, first, count, tree):
        line, following = self.block_line(), first + tree.size
        need(list(line) in (["redacted", "hash"], ["withheld", "hash"], ["shown"]), f"block {index}: its records are not all accounted for")
        what = list(line)[0]
        begin, size = (line[what], 1) if what == "redacted" else line[what]
        need(begin == following and 0 < size <= count - tree.size, f"block {index}: records that are not the next")
        stream[what] += size
        if what != "shown": return tree.add(size, bytes.fromhex(line["hash"]))
        for seq in range(begin, begin + size): tree.add(1, self.take_record(index, stream, seq))
    def take_record(self, index, stream, seq):
        line = self.records.line()
        record, where = parse(line), f"record {stream['host']}/{stream['source']}/{seq}"
        name = f"raw/{record['host']}/{record['source']}"
        raw = self.raw.setdefault(name, Cursor(self.file, self.places[name]))
        need(record["offset"] == raw.taken and record["size"] <= RECORD_MAX, f"{where}: its bytes are not where it says")
        data, origin = raw.bytes(record["size"]), decode(record["origin_base64"])
        event = NO_TIME if record["event_time"] is None else record["event_time"]
        times = event.to_bytes(8, "big", signed=True) + record["read_time"].to_bytes(8, "big", signed=True)
        inputs = bytes.fromhex(record["salt"]) + seq.to_bytes(8, "big") + times + record["flags"].to_bytes(4, "big")
        leaf = leaf_hash(inputs + len(origin).to_bytes(2, "big") + origin + data)
        rebuilt = {name: record[name] for name in RECORD} | dict(host=stream["host"], source=stream["source"], seq=seq, block=index, leaf=leaf.hex())
        time = time_text(record["read_time"] if record["event_time"] is None else event)
        rebuilt |= dict(time=time, origin=text_of(origin), message=message_of(data, record["flags"]))
        need(spelt(rebuilt) == line and len(inputs) == 44, f"{where}: its line and its bytes are not one record of that place")
        return leaf
    def check_statements(self):
        streams = sorted(self.streams.values(), key=lambda stream: (stream["host"], stream["source"]))
        stated = dict(origin=self.name, tree_size=self.size, root=self.root.hex(), streams=streams, access_blocks=self.access)
        stated |= {what: sum(stream[what] for stream in streams) for what in ("shown", "redacted")}
        for name, value in stated.items():
            need(spelt(self.manifest[name]) == spelt(value), f"manifest.json: {name} is not what the evidence has")
        need(time_text(self.manifest["made_at_ns"]) == self.manifest["made_at"] and not (self.manifest["offline"] and self.access), "manifest.json: made_at or offline is not what the rest has")
    def check_signature(self):
        pem, manifest = self.text("investigator.pem"), self.manifest
        der = decode(b"".join(pem.split(b"\n")[1:-2]))
        uri, public = self.openssl.certificate(der, self.genesis, manifest["made_at_ns"] // 10**9)
        named = (uri, sha256(der).hex()) == (manifest["investigator"], manifest["certificate_sha256"]) and pem == pem_of(der)
        need(named and re.fullmatch(f"spiffe://{re.escape(self.vault)}/(investigator|admin)/[a-z0-9._-]+", uri), "investigator.pem is not that of the investigator whom the manifest names")
        need(self.openssl.signs(public, self.manifest_bytes, self.text("manifest.sig")), "manifest.sig does not sign manifest.json")

def main(path, vault_pub):
    with open(vault_pub, encoding="ascii") as keys, open(path, "rb") as file, tempfile.TemporaryDirectory() as folder:
        start, names, pinned = file.read(4096), [name.encode() + b"\0" for name in [*FIRST, "report.html"]], keys_of(keys.read())
        if not start.startswith(tuple(names)) and b'"logvault/export/v1"' not in start: return print("not an export") or 2
        try:
            verifier = Verifier(file, members_of(file, os.fstat(file.fileno()).st_size), *pinned, OpenSsl(folder))
            findings = list(verifier.check())
        except (Bad, ValueError) as reason:
            findings = [str(reason)]
    for finding in findings: print("BAD", ascii(finding))
    if findings: return 4
    print("good:", verifier.manifest["shown"], "records shown,", verifier.manifest["redacted"], "redacted; vault", verifier.name)
    return 0

if __name__ == "__main__":
    if len(sys.argv) != 3: sys.exit(print("usage: verify-export.py EXPORT vault.pub", file=sys.stderr) or 2)
    try:
        sys.exit(main(*sys.argv[1:]))
    except (OSError, ValueError) as reason:  # of vault.pub, too
        sys.exit(print(reason, file=sys.stderr) or 2)
