"""A TCP proxy between two programs that misbehaves as a network does.

    proxy = Proxy(("127.0.0.1", 7443))     # proxy.address is where to connect
    proxy.stall()                          # bytes no longer move; connections stay
    proxy.hits                             # how often that was felt since
    proxy.heal()                           # back to normal for what is open and what comes

One thread owns all sockets and moves all bytes; it sleeps while nothing is ready or due.  Every fault may be followed by any other.
"""

import os
import queue
import random
import selectors
import socket
import struct
import threading
import time

CHUNK = 16 * 1024
# What one direction may hold while it is delayed or stalled; then the sender feels it.
HELD_MAX = 1 << 20


class Pipe:
    """One direction of one connection: bytes that are on their way."""

    def __init__(self, source, sink):
        self.source, self.sink = source, sink
        self.held = []  # (when they may arrive, bytes)
        self.size = 0
        self.ended = False
        self.blocked = False  # the sink has no room: nothing is sent to it until it says so

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
        self.blocked = False
        while self.held and self.held[0][0] <= now:
            due, data = self.held[0]
            try:
                sent = self.sink.send(data)
            except BlockingIOError:
                self.blocked = True
                return True
            self.size -= sent
            self.held[0] = (due, data[sent:])
            if sent == len(data):
                self.held.pop(0)
        return bool(self.held) or not self.ended


class Proxy:
    def __init__(self, target, listen="127.0.0.1"):
        self.target = target
        self.listener = socket.create_server((listen, 0))
        self.listener.setblocking(False)
        self.address = "%s:%d" % self.listener.getsockname()[:2]
        self.random = random.Random(0)
        self.orders = queue.SimpleQueue()
        self.bell, self.rung = socket.socketpair()
        self.pairs = []  # [Pipe there, Pipe back]
        self.mode, self.delay_s, self.jitter_s = "pass", 0.0, 0.0
        # Since the start; and `hits` since the newest fault: chunks that it delayed, held or swallowed, connections that it reset.
        self.connections = self.bytes = self.hits = 0
        self.closing = False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    # ---- faults

    def heal(self):
        def healed():
            # What vanished is not in order any more: such a connection can only end.
            if self.mode == "blackhole":
                self._reset_all()
            self._become("pass")
        self._do(healed)

    def delay(self, seconds, jitter=0.0):
        self._do(lambda: self._become("pass", seconds, jitter))

    def stall(self):
        """Connections stay and can be made; nothing arrives."""
        self._do(lambda: self._become("stall"))

    def reset(self):
        """Every connection ends with a reset, now and as soon as it is made."""
        def resetting():
            self._become("reset")
            self._reset_all()
        self._do(resetting)

    def reset_once(self):
        def reset():
            self.hits = 0
            self._reset_all()
        self._do(reset)

    def half_open(self):
        """The far side sees its connections end, the near side does not: what it sends vanishes."""
        def halved():
            self._become("blackhole")
            for there, _ in self.pairs:
                self._close(there.sink, hard=True)
        self._do(halved)

    def partition(self):
        """What either side sends vanishes, new connections too."""
        self._do(lambda: self._become("blackhole"))

    def close(self):
        def closing():
            self.closing = True
            self._reset_all()
        self._do(closing)
        self.thread.join()
        for sock in (self.listener, self.bell, self.rung):
            sock.close()

    def _do(self, order):
        """Done by the thread that owns the sockets, before this returns."""
        done = queue.SimpleQueue()
        self.orders.put((order, done))
        self.bell.send(b"!")
        error = done.get()
        if error:
            raise error

    # ---- the thread

    def _become(self, mode, delay_s=0.0, jitter_s=0.0):
        self.mode, self.delay_s, self.jitter_s, self.hits = mode, delay_s, jitter_s, 0

    def _close(self, sock, hard):
        if sock.fileno() < 0:
            return  # an earlier fault closed it
        if hard:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()

    def _reset_all(self):
        self.hits += len(self.pairs)
        for there, _ in self.pairs:
            for sock in (there.source, there.sink):
                self._close(sock, hard=True)
        self.pairs = []

    def _accept(self):
        try:
            near, _ = self.listener.accept()
        except BlockingIOError:
            return
        self.connections += 1
        if self.mode == "reset":
            self.hits += 1
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
            with selectors.DefaultSelector() as selector:
                self._watch(selector)
                ready = selector.select(self._pause())
            for key, events in ready:
                self._serve(key, events)
            now = time.monotonic()
            for pair in list(self.pairs):
                if self.mode == "pass" and not all([self._deliver(pipe, now) for pipe in pair]):
                    self._end(pair)

    def _watch(self, selector):
        wanted = {}  # a socket is the source of one pipe and the sink of the other
        for pair in self.pairs:
            for pipe in pair:
                full = pipe.size >= HELD_MAX or (self.mode == "stall" and pipe.size > 0)
                if not pipe.ended and not full and pipe.source.fileno() >= 0:
                    wanted.setdefault(pipe.source, [0, pair, None])[0] |= selectors.EVENT_READ
                    wanted[pipe.source][2] = pipe
                if self.mode == "pass" and pipe.blocked and pipe.sink.fileno() >= 0:
                    wanted.setdefault(pipe.sink, [0, pair, None])[0] |= selectors.EVENT_WRITE
        selector.register(self.listener, selectors.EVENT_READ, self._accept)
        selector.register(self.rung, selectors.EVENT_READ, self._obey)
        for sock, (events, pair, pipe) in wanted.items():
            selector.register(sock, events, (pair, pipe))

    def _pause(self):
        """Until the first held bytes may arrive; None: until something is ready."""
        if self.mode != "pass":
            return None
        due = [pipe.held[0][0] for pair in self.pairs for pipe in pair if pipe.held and not pipe.blocked]
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _serve(self, key, events):
        if callable(key.data):
            return key.data()
        pair, pipe = key.data
        # An order, or the other direction, may have ended it a moment ago.
        if events & selectors.EVENT_READ and pair in self.pairs and pipe.source.fileno() >= 0:
            self._move(pair, pipe)

    def _obey(self):
        self.rung.recv(1)
        order, done = self.orders.get()
        try:
            order()
            done.put(None)
        except Exception as error:  # whoever gave the order wants to know, and would wait for ever otherwise
            done.put(error)

    def _move(self, pair, pipe):
        due = time.monotonic() + self.delay_s + self.random.random() * self.jitter_s
        if pipe.held:
            due = max(due, pipe.held[-1][0])  # bytes do not overtake
        try:
            before = pipe.size
            pipe.take(due)
            self.bytes += pipe.size - before
            if pipe.size > before and (self.mode != "pass" or self.delay_s > 0 or self.jitter_s > 0):
                self.hits += 1
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
            self._close(pipe.source, hard=not pipe.ended)


def seed():
    """For the choices of a test; LOGVAULT_SEED repeats a run."""
    return int(os.environ.get("LOGVAULT_SEED") or random.SystemRandom().getrandbits(32))
