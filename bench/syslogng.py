"""A peer: two syslog-ng of our own on loopback, mutual TLS between them (RFC 5425), one file in and one file out.

`default` keeps what waits in memory and syncs nothing; `synced` has a disk buffer at the sender and syncs the received file.  It
acknowledges nothing end to end.  The package conflicts with rsyslog's, so it is unpacked beside the build, never installed.
"""

import glob
import os
import subprocess

_RECEIVER = """@version: 3.38
options {{ keep-hostname(yes); use-dns(no); log-msg-size(65536); stats-freq(0); log-fifo-size(100000); }};
source net {{ syslog(ip(127.0.0.1) port({port}) transport("tls") log-iw-size(50000) log-fetch-limit(1000)
  tls(ca-file("{folder}/ca.pem") cert-file("{folder}/receiver.pem") key-file("{folder}/receiver.key") peer-verify(required-trusted))); }};
destination store {{ file("{folder}/received.log" template("$MESSAGE\\n") flush-lines(1000) {file}); }};
log {{ source(net); destination(store); flags(flow-control); }};
"""

_SENDER = """@version: 3.38
options {{ keep-hostname(yes); use-dns(no); log-msg-size(65536); stats-freq(0); log-fifo-size(100000); }};
source corpus {{ file("{corpus}" flags(no-parse) follow-freq(0.2) log-fetch-limit(1000) log-iw-size(50000) program-override("app")); }};
destination net {{ syslog("127.0.0.1" port({port}) transport("tls") flush-lines(1000) {queue}
  tls(ca-file("{folder}/ca.pem") cert-file("{folder}/sender.pem") key-file("{folder}/sender.key") peer-verify(required-trusted))); }};
log {{ source(corpus); destination(net); flags(flow-control); }};
"""

VARIANTS = {
    "default": {"queue": "", "file": ""},
    "synced": {"queue": 'disk-buffer(reliable(yes) mem-buf-size(16777216) disk-buf-size(2147483648) dir("{folder}/spool"))', "file": "fsync(yes)"},
}
_PACKAGES = ["syslog-ng-core", "libivykis0", "libnet1", "libwrap0"]


def unpack(folder):
    """Debian's syslog-ng below `folder`, once; False where the archive cannot be reached."""
    prefix = os.path.join(folder, "syslog-ng")
    if not os.path.exists(os.path.join(prefix, "usr/sbin/syslog-ng")):
        os.makedirs(prefix, exist_ok=True)
        done = subprocess.run(["apt-get", "download", *_PACKAGES], cwd=prefix, capture_output=True, check=False)
        if done.returncode != 0:
            return None
        for package in glob.glob(os.path.join(prefix, "*.deb")):
            subprocess.run(["dpkg", "-x", package, prefix], check=True)
    return prefix


def commands(prefix, folder, corpus, port, variant):
    """(receiver's argv, sender's argv, their environment, the file that is filled)."""
    os.makedirs(os.path.join(folder, "spool"), exist_ok=True)
    [modules] = glob.glob(os.path.join(prefix, "usr/lib/syslog-ng/3.*"))
    argv = {}
    for name, text in (("receiver", _RECEIVER), ("sender", _SENDER)):
        path = os.path.join(folder, name + ".conf")
        with open(path, "w", encoding="utf-8") as file:
            settings = {key: value.format(folder=folder) for key, value in VARIANTS[variant].items()}
            file.write(text.format(folder=folder, corpus=corpus, port=port, **settings))
        state = os.path.join(folder, name)
        argv[name] = [os.path.join(prefix, "usr/sbin/syslog-ng"), "-F", "--no-caps", "-f", path, "-R", state + ".persist",
                      "-p", state + ".pid", "-c", state + ".ctl", "--module-path", modules]
    libraries = ":".join([os.path.dirname(modules)] + glob.glob(os.path.join(prefix, "usr/lib/*-linux-gnu")) + glob.glob(os.path.join(prefix, "lib/*-linux-gnu")))
    return argv["receiver"], argv["sender"], {"LD_LIBRARY_PATH": libraries}, os.path.join(folder, "received.log")
