"""A TCP proxy between two programs that misbehaves as a network does.

    proxy = Proxy(("127.0.0.1", 7443))     # proxy.address is where to connect
    proxy.stall()                          # bytes no longer move; connections stay
    proxy.heal()                           # back to normal for what is open and what comes

One thread moves all bytes.  Every fault may be followed by any other.
"""

import os
import random
import selectors
import socket
import struct
import threading
import time

CHUNK = 16 * 1024
TICK_S = 0.01
# What one direction may hold while it is delayed or stalled; then the sender feels it.
HELD_MAX = 1 << 20


class Pipe:
    """One direction of one connection: bytes that are on their way."""

    def __init__(self, source, sink):
        self.source, self.sink = source, sink
        self.held = []  # (when they may arrive, bytes)
        self.size = 0
        self.ended = False

    def take(self, due):
        try:
            data = self.source.recv(CHUNK)
        except BlockingIOError:
            return
        if data:
            self.held.append((due, data))
            self.size += len(data)
        else:
            self.ended = True

    def deliver(self, now):
        """Sends what is due; False when the other side is gone or all was sent and the source has ended."""
        while self.held and self.held[0][0] <= now:
            due, data = self.held[0]
            try:
                sent = self.sink.send(data)
            except BlockingIOError:
                return True
            self.size -= sent
            self.held[0] = (due, data[sent:])
            if sent == len(data):
                self.held.pop(0)
        if self.ended and not self.held:
            return False
        return True


class Proxy:
    def __init__(self, target, listen="127.0.0.1"):
        self.target = target
        self.listener = socket.create_server((listen, 0))
        self.listener.setblocking(False)
        self.address = "%s:%d" % self.listener.getsockname()[:2]
        self.random = random.Random(0)
        self.lock = threading.Lock()
        self.pairs = []  # [Pipe there, Pipe back]
        self.mode, self.delay_s, self.jitter_s = "pass", 0.0, 0.0
        self.connections = self.bytes = 0
        self.closing = False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    # ---- faults

    def heal(self):
        with self.lock:
            # What vanished is not in order any more: such a connection can only end.
            if self.mode == "blackhole":
                self._reset_all()
            self.mode, self.delay_s, self.jitter_s = "pass", 0.0, 0.0

    def delay(self, seconds, jitter=0.0):
        with self.lock:
            self.mode, self.delay_s, self.jitter_s = "pass", seconds, jitter

    def stall(self):
        """Connections stay and can be made; nothing arrives."""
        with self.lock:
            self.mode = "stall"

    def reset(self):
        """Every connection ends with a reset, now and as soon as it is made."""
        with self.lock:
            self.mode = "reset"
            self._reset_all()

    def reset_once(self):
        with self.lock:
            self._reset_all()

    def half_open(self):
        """The far side sees its connections end, the near side does not: what it sends vanishes."""
        with self.lock:
            self.mode = "blackhole"
            for there, _ in self.pairs:
                self._close(there.sink, hard=True)

    def partition(self):
        """What either side sends vanishes, new connections too."""
        with self.lock:
            self.mode = "blackhole"

    # ---- the thread

    def _close(self, sock, hard):
        if hard:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()

    def _reset_all(self):
        for there, _ in self.pairs:
            for sock in (there.source, there.sink):
                if sock.fileno() >= 0:
                    self._close(sock, hard=True)
        self.pairs = []

    def _accept(self):
        try:
            near, _ = self.listener.accept()
        except BlockingIOError:
            return
        self.connections += 1
        if self.mode == "reset":
            return self._close(near, hard=True)
        try:
            far = socket.create_connection(self.target, timeout=5)
        except OSError:
            return self._close(near, hard=True)
        for sock in (near, far):
            sock.setblocking(False)
        self.pairs.append([Pipe(near, far), Pipe(far, near)])

    def _run(self):
        while not self.closing:
            with self.lock:
                self._round()
            time.sleep(TICK_S if not self._busy else 0)

    _busy = False

    def _round(self):
        self._busy = False
        selector = selectors.DefaultSelector()
        selector.register(self.listener, selectors.EVENT_READ, None)
        for pair in self.pairs:
            for pipe in pair:
                full = pipe.size >= HELD_MAX or (self.mode == "stall" and pipe.size > 0)
                if not pipe.ended and not full and pipe.source.fileno() >= 0:
                    selector.register(pipe.source, selectors.EVENT_READ, (pair, pipe))
        for key, _ in selector.select(0):
            if key.data is None:
                self._accept()
            else:
                self._move(*key.data)
        selector.close()
        now = time.monotonic()
        for pair in list(self.pairs):
            if self.mode == "pass" and not all([self._deliver(pipe, now) for pipe in pair]):
                self._end(pair)

    def _move(self, pair, pipe):
        self._busy = True
        due = time.monotonic() + self.delay_s + self.random.random() * self.jitter_s
        if pipe.held:
            due = max(due, pipe.held[-1][0])  # bytes do not overtake
        try:
            before = pipe.size
            pipe.take(due)
            self.bytes += pipe.size - before
        except OSError:
            return self._end(pair)
        if self.mode == "blackhole":
            pipe.held, pipe.size = [], 0

    @staticmethod
    def _deliver(pipe, now):
        try:
            return pipe.sink.fileno() >= 0 and pipe.deliver(now)
        except OSError:
            return False

    def _end(self, pair):
        if pair in self.pairs:
            self.pairs.remove(pair)
        for pipe in pair:
            if pipe.source.fileno() >= 0:
                self._close(pipe.source, hard=not pipe.ended)

    def close(self):
        self.closing = True
        self.thread.join()
        with self.lock:
            self._reset_all()
            self.listener.close()


def seed():
    """For the choices of a test; LOGVAULT_SEED repeats a run."""
    return int(os.environ.get("LOGVAULT_SEED") or random.SystemRandom().getrandbits(32))
