"""What the benches read from the kernel about a live process."""

import os
import re


def memory_mib(pid):
    """VmRSS (now), VmHWM (peak) and RssAnon (its own) of a process, in MiB."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        found = re.findall(r"^(VmRSS|VmHWM|RssAnon):\s+(\d+) kB", file.read(), re.M)
    return {name: int(kib) / 1024 for name, kib in found}


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
