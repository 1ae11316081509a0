"""Audit events joined and decoded as ausearch does it, on the audit logs beside the project: another program, another parser."""

import collections
import os
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import Lab, shared_logs, wait_until  # noqa: E402

RECORD = re.compile(r"^(?:node=\S+ )?type=(\S+) msg=audit\((\d\d)/(\d\d)/(\d\d) (\d\d:\d\d:\d\d\.\d{3}):(\d+)\) : ?(.*)$")
ARGUMENT = re.compile(r" ?\ba\d+=")
# What ausearch does not do, or does wrongly, by file: there only the types of an event's records are compared.
KNOWN = {
    "record-execve-long.txt": "ausearch does not put pieces of one argument together",
    "record-bind-ipv4-bigendian.txt": "ausearch reads the address of a machine of the other byte order as its own",
    "record-syscall-nullkey.txt": "hexadecimal in small letters, which no kernel writes",
}


class Event:
    """What one of the two programs says of an event."""

    def __init__(self):
        self.types = set()
        self.syscalls = set()
        self.commands = set()
        self.titles = set()
        self.ends = set()  # (address, port)
        self.paths = set()

    def __eq__(self, other):
        return vars(self) == vars(other)

    def __repr__(self):
        return repr(vars(self))


def shown(text):
    """Control bytes as ausearch's --escape tty writes them."""
    return "".join(f"\\{ord(c):03o}" if ord(c) < 32 or ord(c) == 127 else c for c in text)


def value_of(body, name):
    found = re.search(rf"(?:^| ){name}=(\S+)", body)
    return found.group(1) if found else None


def take(event, kind, body):
    """One line of `ausearch -i`."""
    event.types.add(kind)
    if kind in ("SYSCALL", "SECCOMP"):
        event.syscalls.add(value_of(body, "syscall"))
    elif kind == "EXECVE":
        command = " ".join(ARGUMENT.split(body.rstrip())[1:])
        event.commands |= {command} if command else set()  # what is empty is no field
    elif kind == "PROCTITLE":
        event.titles.add(body.removeprefix("proctitle=").rstrip())
    elif kind == "SOCKADDR" and "saddr_fam=inet" in body:
        event.ends.add((value_of(body, "laddr"), value_of(body, "lport")))
    elif kind == "CWD":
        event.paths.add(body.strip().removeprefix("cwd="))


def by_ausearch(path):
    """{(time, serial): Event}"""
    out = subprocess.run(["ausearch", "-i", "--escape", "tty", "-if", path], stdin=subprocess.DEVNULL, capture_output=True, check=False,
                         env={**os.environ, "TZ": "UTC", "LC_ALL": "C.UTF-8", "LC_TIME": "C"}).stdout.decode("utf-8", "replace")
    events = collections.defaultdict(Event)
    for line in out.split("\n"):
        found = RECORD.match(line)
        if found:
            kind, month, day, year, time, serial, body = found.groups()
            take(events[f"20{year}-{month}-{day}T{time}", serial], kind, body)
    return dict(events)


def listed(value):
    return set(value) if isinstance(value, list) else {value} if value is not None else set()


def by_logvault(row):
    event = Event()
    event.types = listed(row["type"])
    event.commands = {shown(command) for command in listed(row["cmd"])} if "EXECVE" in event.types else set()
    event.titles = {shown(title) for title in listed(row["proctitle"])}
    event.ends = set(zip(sorted(listed(row["dst.ip"])), sorted(listed(row["dst.port"]))))
    event.paths = listed(row["cwd"]) if "CWD" in event.types else set()
    event.syscalls = {name for name in listed(row["syscall"]) if not name.isdigit()}
    return event


@unittest.skipUnless(shutil.which("ausearch"), "ausearch (package auditd) is not installed")
class AusearchTest(unittest.TestCase):
    def test_events_of_real_logs_are_the_same(self):
        samples = [path for name, path in shared_logs() if name.startswith("auditd/") and path.endswith((".log", ".txt"))]
        if not samples:
            self.skipTest("no sample logs")
        lab = Lab(self)
        lab.collector()
        host = lab.host("geo01")
        for i, path in enumerate(samples):
            host.source(f"f{i}", type="file", format="auditd", path=path)
        host.drain()
        wait_until(lambda: lab.count() > 0, "the records")
        rows = lab.cli("query", "| events | fields source, time, serial, type, syscall, cmd, proctitle, dst.ip, dst.port, cwd", "-o", "json", expect=0).objects
        ours = collections.defaultdict(dict)
        for row in rows:
            if row["serial"] is not None:
                key = (row["time"][:23], str(row["serial"]))
                self.assertNotIn(key, ours[row["source"]], "an event that is told of twice")
                ours[row["source"]][key] = by_logvault(row)
        compared = 0
        for i, path in enumerate(samples):
            for key, theirs in by_ausearch(path).items():
                with self.subTest(file=os.path.basename(path), event=key):
                    self.assertEqual(theirs.types, ours[f"f{i}"][key].types)
                    if os.path.basename(path) in KNOWN:
                        continue
                    self.assertEqual(theirs, ours[f"f{i}"][key])
                    compared += 1
        self.assertGreater(compared, 100)
        print(f"{compared} events compared", file=sys.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
