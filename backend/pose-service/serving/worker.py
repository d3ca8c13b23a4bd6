"""The web process: gunicorn's threads and parser behind a loop of our own, stopping in good order.

gunicorn 23's own loop gives a thread to every client that has sent a byte, never ends a silent one, and stops to accept
and to read for ever once worker_connections of them are there (its issues 3146 and 3407).
"""

from __future__ import annotations

import contextlib
import os
import selectors
import sys
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from gunicorn.http.errors import LimitRequestHeaders
from gunicorn.workers.gthread import ThreadWorker

from serving.broken_app import BrokenApp
from serving.connection import Connection
from serving.liveness import Liveness
from serving.unread_body import UnreadBodies
from serving.waiting_room import WaitingRoom
from serving.wire import WireProblems, problem

# Before gunicorn's graceful_timeout, so that a running video can still write its last line.
FINISH_SECONDS = 7.0
RELOAD_FINISH_SECONDS = 2.0
DEFAULT_SEND_SECONDS = 60.0
LOOP_SECONDS = 1.0
# For those who ask how the service is: they do not wait behind a thousand others.
HEALTH_HEAD = b"GET /health "
HEALTH_THREADS = 2
ACCEPTS_AT_ONCE = 64
ACCEPT_PAUSE_SECONDS = 0.05
# Requests that have a thread or wait for one: a second or two of work. More are refused in the loop.
MAX_BUSY = 512
RETRY = "Retry-After: 1"


class EngineClientWorker(WireProblems, ThreadWorker):
    """On SIGTERM it finishes what runs and answers 503 to the rest; without work it ends at once."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]
        self._ends_at = float("inf")
        self._busy: set[Connection] = set()
        # What threads are done with, and whether its connection is kept.
        self._done: deque[tuple[Connection, bool]] = deque()
        self._health_pool = ThreadPoolExecutor(HEALTH_THREADS, "health")
        self._liveness = Liveness(self.cfg.threads)

    def init_process(self) -> None:
        """Import the app anew, whatever of it the first process may have imported."""
        for name in [name for name in sys.modules if name.partition(".")[0] in ("app", "pose_service")]:
            del sys.modules[name]
        super().init_process()  # type: ignore[no-untyped-call]

    def load_wsgi(self) -> None:
        """Import the app; while developing, one that does not import answers with the error until it is mended."""
        try:
            super().load_wsgi()  # type: ignore[no-untyped-call]
        except Exception as error:
            if not self.cfg.reload:
                raise
            self.log.exception("the app does not import; save a mended file")
            self.wsgi = BrokenApp(error)
        config: dict[str, Any] = getattr(self.wsgi, "config", {})
        self._send_seconds: float = config.get("SEND_SECONDS", DEFAULT_SEND_SECONDS)
        self.wsgi = UnreadBodies(self.wsgi)

    def run(self) -> None:
        """Serve until a signal ends it; every signal and every sent answer wakes the loop with a byte in PIPE."""
        poller: selectors.BaseSelector = self.poller  # type: ignore[assignment]
        self._room = WaitingRoom(poller, self._take, self._refuse)
        poller.register(self.PIPE[0], selectors.EVENT_READ, lambda fd: os.read(fd, 4096))
        for listener in self.sockets:
            listener.setblocking(False)
            poller.register(listener, selectors.EVENT_READ, partial(self.accept, listener.getsockname()))
        while self.alive:
            self.notify()
            for key, _events in poller.select(LOOP_SECONDS):
                key.data(key.fileobj)
            self._put_back()
            self._room.expire()
            if not self.is_parent_alive():  # type: ignore[no-untyped-call]
                break
        self._close()

    def notify(self) -> None:
        """Called in every round of the loop: leave it when the last answer is sent."""
        super().notify()  # type: ignore[no-untyped-call]
        if (not self._busy and self._ends_at < float("inf")) or time.monotonic() > self._ends_at:
            self.alive = False
            # The loop goes to sleep once more before it looks.
            self._wake()

    def handle_exit(self, sig: int, frame: object) -> None:
        """SIGTERM."""
        self.drain(FINISH_SECONDS)

    def drain(self, seconds: float) -> None:
        """Begin no new work, and end after `seconds` whatever still runs."""
        from pose_service.pool.draining import DRAINING

        self._ends_at = min(self._ends_at, time.monotonic() + seconds)
        DRAINING.begin(seconds)
        self._wake()

    def hurry(self) -> None:
        """The source changed: what is inside has a moment, the next worker takes the rest."""
        draining = sys.modules.get("pose_service.pool.draining")
        # Absent when the app did not import.
        if draining is not None:
            draining.DRAINING.limit(RELOAD_FINISH_SECONDS)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """In a thread: answer a request whose head is parsed."""
        assert isinstance(self.wsgi, UnreadBodies)
        self.wsgi.current.request = req
        return super().handle_request(req, conn)  # type: ignore[no-untyped-call]

    def accept(self, server: Any, listener: Any) -> None:
        """Take in new clients; the one that has waited longest goes when there are too many."""
        for _ in range(ACCEPTS_AT_ONCE):
            try:
                accepted, client = listener.accept()
            except (BlockingIOError, ConnectionError):
                return
            except OSError as error:
                # No descriptors or no memory.
                self._make_room(error)
                return
            if len(self._room) >= self.worker_connections:
                self._room.drop_oldest()
            self._room.welcome(Connection(self.cfg, accepted, client, server))

    def _make_room(self, error: OSError) -> None:
        if not self._room.drop_oldest():
            self.log.error("cannot accept: %s", error)
            time.sleep(ACCEPT_PAUSE_SECONDS)

    def _take(self, connection: Connection) -> None:
        is_health = connection.head.startswith(HEALTH_HEAD)
        answer = self._liveness.answer(connection.head, len(self._busy))
        if answer is None and len(self._busy) >= MAX_BUSY and not is_health:
            answer = problem(503, "busy", f"Too many requests at once: {len(self._busy)} wait already.", RETRY)
        if answer is not None:
            self._answer_at_once(connection, answer)
            return
        self._busy.add(connection)
        self._liveness.note_taken(len(self._busy))
        pool: ThreadPoolExecutor = self._health_pool if is_health else self.tpool
        connection.begin(self._send_seconds)
        future = pool.submit(self.handle, connection)
        future.add_done_callback(lambda done: self._finish(connection, done))

    def _refuse(self, connection: Connection) -> None:
        error = LimitRequestHeaders("the head is too long")
        self.handle_error(None, connection.sock, connection.client, error)
        self._room.linger(connection)

    def _answer_at_once(self, connection: Connection, answer: bytes) -> None:
        with contextlib.suppress(OSError):
            connection.sock.send(answer)
        self._room.linger(connection)

    def _finish(self, connection: Connection, done: Any) -> None:
        """In a thread, or in the loop's when it cancels: the loop itself does the rest."""
        is_kept = not done.cancelled() and done.exception() is None and bool(done.result()[0])
        self._liveness.note_progress()
        self._done.append((connection, is_kept))
        self._wake()

    def _put_back(self) -> None:
        while self._done:
            connection, is_kept = self._done.popleft()
            self._busy.discard(connection)
            if connection.sock.fileno() < 0:
                continue
            if is_kept and self.alive:
                connection.rest()
                self._room.welcome(connection)
            else:
                self._room.linger(connection)

    def _close(self) -> None:
        for pool in (self.tpool, self._health_pool):
            pool.shutdown(wait=False)
        self.poller.close()  # type: ignore[attr-defined]
        for listener in self.sockets:
            listener.close()
        deadline = time.monotonic() + self.cfg.graceful_timeout
        while len(self._done) < len(self._busy) and time.monotonic() < deadline:
            time.sleep(0.01)

    def _wake(self) -> None:
        # A full pipe has woken it already.
        with contextlib.suppress(BlockingIOError):
            os.write(self.PIPE[1], b"1")  # type: ignore[has-type]
