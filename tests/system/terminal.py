"""A terminal of the test's own: a program on a pty, what it showed, and what is typed.

    screen = Terminal(argv, environment, columns=80, lines=24)
    screen.wait_for(b"pattern")     # reads until it is there
    screen.type(b"q")
    code = screen.ended()
    screen.shown                    # every byte it wrote to the terminal
"""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

from lab import DEADLINE_S

SGR = re.compile(rb"\x1b\[[0-9;]*m")


def plain(shown):
    """Without colours; lines as the program ended them."""
    return SGR.sub(b"", shown).replace(b"\r\n", b"\n")


class Terminal:
    """`out`: "tty", or a pipe's write end for standard output.  Standard error is the terminal in either case."""

    def __init__(self, test, argv, environment, columns=100, lines=24, out="tty", **more):
        self.shown = b""
        self.fd, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        attributes = termios.tcgetattr(slave)
        attributes[3] |= termios.NOFLSH  # Ctrl-C throws away nothing of what was written
        attributes[3] &= ~termios.ECHO
        termios.tcsetattr(slave, termios.TCSANOW, attributes)
        base = {k: v for k, v in os.environ.items() if not k.startswith("LOGVAULT_") and k not in ("NO_COLOR", "PAGER", "LESS")}
        self.process = subprocess.Popen(
            [str(a) for a in argv], stdin=slave, stdout=slave if out == "tty" else out, stderr=slave, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0), env={**base, "TERM": "xterm", **environment}, **more)
        os.close(slave)
        test.addCleanup(self._close)

    def _close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.fd)

    def read(self, seconds):
        """What comes within that time; b"" where nothing does, None where the program has closed the terminal."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return b""
        try:
            got = os.read(self.fd, 4096)
        except OSError:  # EIO: the other end is closed
            return None
        self.shown += got
        return got

    def wait_for(self, pattern):
        """`pattern`: of what is shown, colours left away."""
        end = time.monotonic() + DEADLINE_S
        while not re.search(pattern, plain(self.shown)):
            if self.read(0.1) is None or time.monotonic() > end:
                raise AssertionError(f"{pattern!r} was not shown, but:\n{self.text}")
        return re.search(pattern, plain(self.shown))

    def type(self, keys):
        os.write(self.fd, keys)

    def ended(self):
        """Reads to the end; the exit code."""
        end = time.monotonic() + DEADLINE_S
        while self.read(0.1) is not None:
            if time.monotonic() > end:
                raise AssertionError(f"did not end; shown:\n{self.shown.decode('utf-8', 'replace')}")
        return self.process.wait(timeout=DEADLINE_S)

    @property
    def text(self):
        return plain(self.shown).decode("utf-8", "replace")
