"""The yardstick: two rsyslogd of our own on loopback, mutual TLS between them, one file in and one file out.

`default` acknowledges nothing and syncs nothing.  `synced` has the receiver sync its file after every batch, which is
nearer to what logvault's receipt means; what waits at the sender is in memory in both (over plain TCP a disk-assisted
queue kept the file's last lines back here).  No system service is touched.
"""

import os
import shutil
import subprocess

_RECEIVER = """
global(workDirectory="{folder}" maxMessageSize="64k" parser.escapeControlCharactersOnReceive="off"
       defaultNetstreamDriver="ossl" defaultNetstreamDriverCAFile="{folder}/ca.pem"
       defaultNetstreamDriverCertFile="{folder}/receiver.pem" defaultNetstreamDriverKeyFile="{folder}/receiver.key")
module(load="imtcp" streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="x509/name" permittedPeer=["sender.bench"])
template(name="raw" type="string" string="%msg%\\n")
input(type="imtcp" port="{port}" address="127.0.0.1" ruleset="store" maxFrameSize="100000")
ruleset(name="store") {{ action(type="omfile" file="{folder}/received.log" template="raw" {file}) }}
"""

_SENDER = """
global(workDirectory="{folder}/spool" maxMessageSize="64k" parser.escapeControlCharactersOnReceive="off"
       defaultNetstreamDriver="ossl" defaultNetstreamDriverCAFile="{folder}/ca.pem"
       defaultNetstreamDriverCertFile="{folder}/sender.pem" defaultNetstreamDriverKeyFile="{folder}/sender.key")
module(load="imfile" mode="inotify")
input(type="imfile" file="{corpus}" tag="app:" ruleset="forward" {input})
ruleset(name="forward") {{
  action(type="omfwd" target="127.0.0.1" port="{port}" protocol="tcp" tcp_framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format"
         streamDriver="ossl" streamDriverMode="1" streamDriverAuthMode="x509/name" streamDriverPermittedPeers="receiver.bench"
         action.resumeRetryCount="-1" action.resumeInterval="1" {queue})
}}
"""

VARIANTS = {
    "default": {"input": "", "queue": 'queue.type="LinkedList" queue.size="100000"', "file": ""},
    "synced": {
        "input": 'persistStateInterval="1000"',
        "queue": 'queue.type="LinkedList" queue.size="100000"',
        "file": 'sync="on" flushOnTXEnd="on"',
    },
}


def available():
    return shutil.which("rsyslogd") is not None and any(
        os.path.exists(f"/usr/lib/{arch}/rsyslog/lmnsd_ossl.so") for arch in ("x86_64-linux-gnu", "aarch64-linux-gnu"))


def make_certificates(folder):
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=folder)

    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", "/CN=bench CA", "-keyout", "ca.key", "-out", "ca.pem")
    for name in ("receiver", "sender"):
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}.bench",
                "-addext", f"subjectAltName=DNS:{name}.bench,IP:127.0.0.1", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
                "-copy_extensions", "copy", "-out", f"{name}.pem")


def commands(folder, corpus, port, variant):
    """(receiver's argv, sender's argv, the file that is filled)."""
    os.makedirs(os.path.join(folder, "spool"), exist_ok=True)
    argv = {}
    for name, text in (("receiver", _RECEIVER), ("sender", _SENDER)):
        path = os.path.join(folder, name + ".conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.format(folder=folder, corpus=corpus, port=port, **VARIANTS[variant]))
        argv[name] = [shutil.which("rsyslogd"), "-n", "-i", os.path.join(folder, name + ".pid"), "-f", path]
    return argv["receiver"], argv["sender"], os.path.join(folder, "received.log")
