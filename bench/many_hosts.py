"""Many hosts in one process, for the benches: their credentials, and bench_fairness_load (fairness_load.cc)."""

import os
import subprocess

from lab import program


def issue_all(lab, hosts):
    """The folder with the credentials of `hosts` hosts."""
    folder = lab.path("credentials")
    os.makedirs(folder)
    for number in range(hosts):
        name = f"host{number:04d}"
        lab.issue("forwarder", name, folder=os.path.join("credentials", name))
    return folder


def start_load(lab, folder, first, hosts, seconds, mode):
    """A load that has all its sessions."""
    argv = [program("bench_fairness_load"), lab.ingest, folder, str(first), str(hosts), str(seconds), mode]
    process = subprocess.Popen(["nice", "-n", "19", *argv] if mode == "flood" else argv, stdout=subprocess.PIPE)
    process.stdout.readline()
    return process
