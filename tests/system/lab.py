"""A small laboratory for tests of the real programs: PKI, collector, forwarders and CLI in one temporary folder.

    lab = Lab(self)                        # removed when the test ends; every program it started is ended by its pid
    lab.collector()                        # initialised, started, ready
    geo01 = lab.host("geo01")
    geo01.file("syslog", "syslog", b"...") # writes the file and names it as a source
    geo01.drain(expect=0)
    answer = lab.cli("query", "-H", "geo01", "-o", "raw", expect=0)

The programs come from LOGVAULT_BIN.  Deadlines are generous: they bound a hang, they measure nothing.
"""

import dataclasses
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.environ.get("LOGVAULT_BIN", os.path.join(ROOT, "build", "release", "bin"))
CRASH_BIN = os.environ.get("LOGVAULT_CRASH_BIN", os.path.join(os.path.dirname(BIN), "crash"))
SHARED = os.environ.get("LOGVAULT_SHARED", os.path.join(os.path.dirname(ROOT), "shared"))
DEADLINE_S = 120
POLL_S = 0.02


def program(name, crash_at=None):
    return os.path.join(CRASH_BIN if crash_at else BIN, name)


def _crash_environment(crash_at):
    return {"LOGVAULT_CRASH_AT": crash_at} if crash_at else None


@dataclasses.dataclass
class Answer:
    """What a program that ended said."""

    argv: list
    code: int
    out: bytes
    err: str

    @property
    def text(self):
        return self.out.decode("utf-8", "replace")

    @property
    def objects(self):
        """One JSON object a line."""
        return [json.loads(line) for line in self.out.splitlines() if line]

    @property
    def count(self):
        return int(self.text.strip())

    def __str__(self):
        return f"{' '.join(map(str, self.argv))}\nexit {self.code}\nstdout: {self.text[:2000]}\nstderr: {self.err[-4000:]}"


def run(argv, expect=None, stdin=b"", env=None, timeout=DEADLINE_S):
    """Runs to its end.  `expect`: the exit code it must have."""
    done = subprocess.run(
        [a if isinstance(a, bytes) else str(a) for a in argv], input=stdin, capture_output=True, timeout=timeout, env=_environment(env), check=False
    )
    answer = Answer(list(argv), done.returncode, done.stdout, done.stderr.decode("utf-8", "replace"))
    if expect is not None and answer.code != expect:
        raise AssertionError(f"expected exit {expect}\n{answer}")
    return answer


def _environment(changes):
    """This process's, without what would point the CLI at somebody's real vault."""
    own = {k: v for k, v in os.environ.items() if k not in ("LOGVAULT_VAULT", "LOGVAULT_CREDENTIALS")}
    return {**own, **(changes or {})}


class Daemon:
    """A program that runs until it is stopped; stderr goes to a file."""

    def __init__(self, argv, log, env=None):
        self.argv = argv
        self.log_path = log
        self._log_file = open(log, "ab")
        self._log_start = self._log_file.tell()
        self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._log_file, env=_environment(env))

    @property
    def log(self):
        with open(self.log_path, "rb") as file:
            file.seek(self._log_start)
            return file.read().decode("utf-8", "replace")

    def alive(self):
        return self.process.poll() is None

    def wait_line(self, pattern):
        """The first match of `pattern` on a line of stderr; fails when the program ends before."""
        return wait_until(lambda: re.search(pattern, self.log, re.M), f"{pattern!r} in the log of {self.argv[0]}", self)

    def stop(self, sig=signal.SIGTERM):
        """Signals this one process and returns its exit code."""
        if self.alive():
            self.process.send_signal(sig)
        return self.ended()

    def ended(self):
        code = self.process.wait(timeout=DEADLINE_S)
        self.stdout = self.process.stdout.read()
        self.process.stdout.close()
        self._log_file.close()
        return code

    def kill(self):
        return self.stop(signal.SIGKILL)


def wait_until(condition, what, daemon=None, deadline_s=DEADLINE_S):
    """The condition's value as soon as it is true.  A daemon that ends before is a failure, with its log."""
    end = time.monotonic() + deadline_s
    while True:
        ended = daemon is not None and not daemon.alive()
        value = condition()
        if value:
            return value
        log = f"\n{daemon.log[-4000:]}" if daemon else ""
        if ended:
            raise AssertionError(f"ended with {daemon.process.returncode} while waiting for {what}{log}")
        if time.monotonic() > end:
            raise AssertionError(f"waited {deadline_s} s for {what}{log}")
        if daemon is not None:
            _wait_for_end(daemon.process, POLL_S)
        else:
            select.select([], [], [], POLL_S)


def _wait_for_end(process, seconds):
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        pass


class Host:
    """One forwarder: its certificate, configuration, sources and spool."""

    def __init__(self, lab, name, credentials):
        self.lab, self.name, self.credentials = lab, name, credentials
        self.folder = os.path.join(lab.folder, "hosts", name)
        os.makedirs(self.folder, exist_ok=True)
        self.sources = []
        self.settings = {"heartbeat": "1s"}
        self.spool = {"dir": os.path.join(self.folder, "spool")}

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, content):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "wb") as file:
            file.write(content)
        return self.path(name)

    def append(self, name, content):
        with open(self.path(name), "ab") as file:
            file.write(content)

    def source(self, name, **settings):
        self.sources.append({"name": name, **settings})

    def file(self, name, format, content=None, path=None):
        """A file source; with `content`, the file is written first."""
        if content is not None:
            path = self.write(name + ".log", content)
        self.source(name, type="file", format=format, path=path or self.path(name + ".log"))

    def config(self, collector=None):
        tls = {key: os.path.join(self.credentials, key + ".pem") for key in ("ca", "cert", "key")}
        path = self.path("forwarder.yaml")
        return self.lab.write_config(path, {
            "collector": collector or self.lab.ingest,
            "tls": tls,
            "vault_key": os.path.join(self.credentials, "vault.pub"),
            "spool": self.spool,
            "sources": self.sources,
            **self.settings,
        })

    def run(self, *arguments, expect=None, **more):
        return self.lab.run([program("logvault-forwarder"), "--config", self.config(), *arguments], expect=expect, **more)

    def drain(self, expect=0, timeout="60s"):
        return self.run("--drain", "--timeout", timeout, expect=expect)

    def start(self, wait_ready=True, crash_at=None):
        """Follows the sources until the test ends, or until it dies at a crash point."""
        argv = [program("logvault-forwarder", crash_at), "--config", self.config()]
        daemon = self.lab.start(argv, self.path("forwarder.err"), _crash_environment(crash_at))
        if wait_ready:
            daemon.wait_line(r"^ready\b")
        return daemon


class Lab:
    """See the module's first lines.  `test`: the TestCase (or class) whose cleanup ends everything."""

    def __init__(self, test, vault="lab-vault"):
        self.test = test
        self.vault_name = vault
        self.folder = tempfile.mkdtemp(prefix="logvault-lab-")
        self.vault_dir = self.path("vault")
        self.daemons = []
        self.ingest = self.query = None
        self.environment = {"XDG_STATE_HOME": self.path("state"), "XDG_CONFIG_HOME": self.path("config")}
        add_cleanup = test.addClassCleanup if isinstance(test, type) else test.addCleanup
        add_cleanup(self.close)
        self.logvault("pki", "init", self.path("pki"), "--name", vault, expect=0)
        self.collector_credentials = self.issue("collector", "vault01")
        self.analyst = self.issue("investigator", "analyst")

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def close(self):
        for daemon in self.daemons:
            if daemon.alive():
                daemon.kill()
        if os.environ.get("LOGVAULT_KEEP_LAB"):
            print(f"kept {self.folder}", file=sys.stderr)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, argv, expect=None, env=None, **more):
        return run(argv, expect=expect, env={**self.environment, **(env or {})}, **more)

    def start(self, argv, log, env=None):
        daemon = Daemon(argv, log, env)
        self.daemons.append(daemon)
        return daemon

    def write_config(self, path, settings):
        with open(path, "w", encoding="utf-8") as file:
            json.dump(settings, file, indent=1)  # JSON is YAML
            file.write("\n")
        return path

    # ---- PKI

    def issue(self, role, name, folder=None, pki="pki", ttl=None, expect=0):
        out = self.path(folder or f"{role}-{name}")
        ttl_arguments = ["--ttl", ttl] if ttl else []
        self.logvault("pki", "issue", self.path(pki), "--role", role, "--name", name, *ttl_arguments, "--out", out, expect=expect)
        return out

    def system_store(self):
        """An environment in which this lab's authority is one that the whole machine trusts."""
        folder = self.path("system-store")
        os.makedirs(folder)
        ca = shutil.copy(self.path("pki", "ca.pem"), folder)
        run(["openssl", "rehash", folder], expect=0)
        return {"SSL_CERT_DIR": folder, "SSL_CERT_FILE": ca, "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": ca}

    def revoke(self, name):
        """Revokes and gives the collector the new list, which it reads within 10 s."""
        self.logvault("pki", "revoke", self.path("pki"), name, expect=0)
        fresh = self.path("crl.new")
        shutil.copy(self.path("pki", "crl.pem"), fresh)
        os.replace(fresh, os.path.join(self.collector_credentials, "crl.pem"))

    def host(self, name):
        return Host(self, name, self.issue("forwarder", name))

    # ---- the vault

    def collector_config(self, **changes):
        tls = {key: os.path.join(self.collector_credentials, key + ".pem") for key in ("ca", "cert", "key", "crl")}
        settings = {
            "listen": {"ingest": self.ingest or "127.0.0.1:0", "query": self.query or "127.0.0.1:0"},
            "tls": tls,
            "vault": {
                "dir": self.vault_dir,
                "name": self.vault_name,
                "signing_key": os.path.join(self.collector_credentials, "vault.key"),
            },
        }
        settings.update(changes)
        return self.write_config(self.path("collector.yaml"), settings)

    def init_vault(self, expect=0):
        argv = [program("logvault-collector"), "--config", self.collector_config(), "--init"]
        return self.run(argv, expect=expect)

    def start_collector(self, wait_ready=True, crash_at=None, env=None):
        """Starts on the addresses it had before, if it ran before."""
        argv = [program("logvault-collector", crash_at), "--config", self.collector_config()]
        daemon = self.start(argv, self.path("collector.err"), env or _crash_environment(crash_at))
        if wait_ready:
            ready = daemon.wait_line(r"^ready ingest=(\S+) query=(\S+)$")
            self.ingest, self.query = ready.group(1), ready.group(2)
        return daemon

    def collector(self):
        self.init_vault()
        return self.start_collector()

    # ---- the command line

    def logvault(self, *arguments, expect=None, **more):
        return self.run([program("logvault"), *arguments], expect=expect, **more)

    def cli(self, *arguments, credentials=None, vault=None, expect=None, **more):
        connection = ["--vault", vault or self.query, "--credentials", credentials or self.analyst]
        return self.logvault(*connection, *arguments, expect=expect, **more)

    def offline(self, *arguments, vault_dir=None, credentials=None, expect=None):
        pinned = ["--credentials", credentials] if credentials else []
        return self.logvault(*pinned, "--offline", vault_dir or self.vault_dir, *arguments, expect=expect)

    def raw(self, host, source):
        """The source's bytes as the vault holds them; no match is no bytes."""
        answer = self.cli("query", "-H", host, "-S", source, "-o", "raw")
        if answer.code not in (0, 1):
            raise AssertionError(f"raw export\n{answer}")
        return answer.out

    def count(self, *arguments):
        answer = self.cli("query", *arguments, "--count")
        if answer.code not in (0, 1):
            raise AssertionError(f"count\n{answer}")
        return answer.count

    def wait_count(self, number, *arguments, daemon=None):
        wait_until(lambda: self.count(*arguments) >= number, f"{number} records of {arguments}", daemon)


def shared_logs():
    """The sample logs that lie beside the project: (path below shared/data/logs, absolute path)."""
    top = os.path.join(SHARED, "data", "logs")
    found = []
    for folder, _, names in os.walk(top):
        found += [(os.path.relpath(os.path.join(folder, n), top), os.path.join(folder, n)) for n in names]
    if not found:
        print(f"no sample logs at {top}: that part is not tested", file=sys.stderr)
    return sorted(found)
