"""Other people's senders of syslog, run as processes of the test: rsyslogd with a configuration of its own, and logger."""

import os
import shutil
import socket

from lab import run

# Driver of rsyslog's -> the module that must be installed for it.
TLS_DRIVERS = {"ossl": "lmnsd_ossl.so", "gtls": "lmnsd_gtls.so"}
MODULES = ("/usr/lib/x86_64-linux-gnu/rsyslog", "/usr/lib/aarch64-linux-gnu/rsyslog", "/usr/lib/rsyslog")


def free_port():
    """A port that was free a moment ago, for UDP and TCP."""
    with socket.socket() as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        tcp.bind(("127.0.0.1", 0))
        udp.bind(("127.0.0.1", tcp.getsockname()[1]))
        return tcp.getsockname()[1]


def has_driver(driver):
    return any(os.path.exists(os.path.join(folder, TLS_DRIVERS[driver])) for folder in MODULES)


def logger(*arguments):
    """util-linux's client."""
    run(["logger", *arguments], expect=0)


class Rsyslog:
    """An rsyslogd that reads a file and forwards its lines by one action.  It owns nothing of this machine's syslog.

    `action` is what the action says besides its type; `globals_` what stands in global().
    """

    def __init__(self, lab, name, lines, action, globals_=""):
        self.lab = lab
        self.folder = lab.path("rsyslog-" + name)
        os.makedirs(self.folder)
        self.source = os.path.join(self.folder, "input.log")
        with open(self.source, "wb") as file:
            file.write(b"".join(line + b"\n" for line in lines))
        self.config = os.path.join(self.folder, "rsyslog.conf")
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(
                f'global(workDirectory="{self.folder}" {globals_})\n'
                'module(load="imfile")\n'
                f'input(type="imfile" file="{self.source}" tag="{name}:" facility="local3" severity="warning")\n'
                f'action(type="omfwd" {action} action.resumeRetryCount="-1" action.resumeInterval="1")\n'
            )
        run([self.program(), "-N1", "-f", self.config], expect=0)
        self.daemon = lab.start(
            [self.program(), "-n", "-i", os.path.join(self.folder, "pid"), "-f", self.config], os.path.join(self.folder, "err")
        )

    @staticmethod
    def program():
        return shutil.which("rsyslogd", path=os.environ.get("PATH", "") + ":/usr/sbin")

    def append(self, lines):
        with open(self.source, "ab") as file:
            file.write(b"".join(line + b"\n" for line in lines))

    def stop(self):
        return self.daemon.stop()
