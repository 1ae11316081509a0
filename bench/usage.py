"""What a running process costs, as the kernel counts it."""

import glob
import os
import re
import time

# The builder closes a segment ten seconds after the last batch: nothing for longer than that is the end.
QUIET_SECONDS = 13


def cpu_seconds(pid, task=None):
    """Of the process, or of one of its threads."""
    path = f"/proc/{pid}/stat" if task is None else f"/proc/{pid}/task/{task}/stat"
    with open(path, encoding="ascii", errors="replace") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def index_seconds(pid):
    """CPU of the collector's thread that builds the index: the one of low priority."""
    tasks = (int(os.path.basename(path)) for path in glob.glob(f"/proc/{pid}/task/*"))
    return sum(cpu_seconds(pid, task) for task in tasks if os.getpriority(os.PRIO_PROCESS, task) == 10)


def wait_for_index(pid):
    """Until the collector has been idle long enough to have built all the index that there is to build."""
    quiet = 0
    while quiet < QUIET_SECONDS:
        before = cpu_seconds(pid)
        time.sleep(1)
        quiet = quiet + 1 if cpu_seconds(pid) - before < 0.05 else 0


def memory_mib(pid):
    """VmRSS (now), VmHWM (peak) and RssAnon (its own), in MiB."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        found = re.findall(r"^(VmRSS|VmHWM|RssAnon):\s+(\d+) kB", file.read(), re.M)
    return {name: int(kib) / 1024 for name, kib in found}


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def folder_bytes(folder):
    return sum(os.path.getsize(os.path.join(at, name)) for at, _, names in os.walk(folder) for name in names)
