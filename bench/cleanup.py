"""What the benches share: a Lab outside of a test case, and a command's cost."""

import os
import subprocess
import threading
import time

from usage import memory_mib


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


class Peak:
    """The highest VmHWM of a process, looked at often: what wait4 says is at least the peak of whoever started it."""

    def __init__(self, pid):
        self.pid, self.mib, self._ended = pid, 0, threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def _look(self):
        while not self._ended.wait(0.02):
            try:
                self.mib = max(self.mib, memory_mib(self.pid).get("VmHWM", 0))
            except OSError:
                return

    def take(self):
        self._ended.set()
        self._thread.join()
        return self.mib


def finished(argv, **more):
    """Runs to its end: (seconds, CPU seconds, peak MiB)."""
    started = time.perf_counter()
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, **more)
    peak = Peak(process.pid)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    mib = peak.take()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"exit {process.returncode}: {' '.join(argv)}")
    return seconds, used.ru_utime + used.ru_stime, mib
