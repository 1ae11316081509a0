"""The corpus of bench/: bench_corpus (corpus.cc) makes it, this places it."""

import os
import shutil
import subprocess
import tempfile

from lab import program

KINDS = {"mixed.log": "syslog", "syslog.log": "syslog", "auditd.log": "auditd", "geoserver.log": "geoserver", "access.log": "access", "errorlog": "sqlserver"}


def make(folder, lines, seed=1):
    """Fills `folder` with mixed.log and one file a kind (KINDS has their formats)."""
    subprocess.run([program("bench_corpus"), str(lines), str(seed), folder], check=True)


def write(path, lines, seed=1):
    """Writes `lines` mixed lines; returns their bytes."""
    with tempfile.TemporaryDirectory(dir=os.path.dirname(os.path.abspath(path))) as folder:
        make(folder, lines, seed)
        shutil.move(os.path.join(folder, "mixed.log"), path)
    return os.path.getsize(path)
