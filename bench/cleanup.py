"""What the benches share: a Lab outside of a test case, and a command's cost."""

import os
import subprocess
import time


class Cleanup:
    """What Lab wants of a test case, for a program."""

    def __init__(self):
        self._todo = []

    def addCleanup(self, function):
        self._todo.append(function)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for function in reversed(self._todo):
            function()


def finished(argv, **more):
    """Runs to its end: (seconds, CPU seconds, peak MiB)."""
    started = time.perf_counter()
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, **more)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"exit {process.returncode}: {' '.join(argv)}")
    return seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
