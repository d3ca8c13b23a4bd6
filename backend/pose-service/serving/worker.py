"""The web process: gunicorn's threaded worker, stopping in good order."""

from __future__ import annotations

import os
import selectors
import socket
import struct
import sys
import time
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from serving.broken_app import BrokenApp
from serving.wire import WireProblems

# Before gunicorn's graceful_timeout, so that a running video can still write its last line.
FINISH_SECONDS = 7.0
RELOAD_FINISH_SECONDS = 2.0
DEFAULT_SEND_SECONDS = 60.0


class EngineClientWorker(WireProblems, ThreadWorker):
    """On SIGTERM it finishes what runs and answers 503 to the rest; without work it ends at once."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]
        self._ends_at = float("inf")

    def init_process(self) -> None:
        """Import the app anew, whatever of it the first process may have imported."""
        for name in [name for name in sys.modules if name.partition(".")[0] in ("app", "pose_service")]:
            del sys.modules[name]
        super().init_process()  # type: ignore[no-untyped-call]

    def run(self) -> None:
        """Serve until a signal ends it; every signal writes a byte to PIPE, which wakes the loop."""
        # gunicorn 23's own loop sleeps up to a second before it sees a signal.
        self.poller.register(self.PIPE[0], selectors.EVENT_READ, lambda fd: os.read(fd, 4096))  # type: ignore[union-attr]
        super().run()  # type: ignore[no-untyped-call]

    def notify(self) -> None:
        """Called in every round of the loop: leave it when the last answer is sent."""
        super().notify()  # type: ignore[no-untyped-call]
        is_working = any(not future.done() for future in self.futures)
        if (not is_working and self._ends_at < float("inf")) or time.monotonic() > self._ends_at:
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

    def load_wsgi(self) -> None:
        """Import the app; while developing, one that does not import answers with the error until it is mended."""
        try:
            super().load_wsgi()  # type: ignore[no-untyped-call]
        except Exception as error:
            if not self.cfg.reload:
                raise
            self.log.exception("the app does not import; save a mended file")
            self.wsgi = BrokenApp(error)

    def enqueue_req(self, conn: Any) -> None:
        """Hand a request to a thread, and limit how long it may wait for a client that does not read."""
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", *self._send_timeout()))
        super().enqueue_req(conn)  # type: ignore[no-untyped-call]

    def _send_timeout(self) -> tuple[int, int]:
        """Seconds and microseconds, as the kernel wants them."""
        config: dict[str, Any] = getattr(self.wsgi, "config", {})
        whole, part = divmod(config.get("SEND_SECONDS", DEFAULT_SEND_SECONDS), 1)
        return int(whole), int(part * 1e6)

    def finish_request(self, fs: Any) -> None:
        """An answer is sent; the loop looks whether it was the last one."""
        super().finish_request(fs)  # type: ignore[no-untyped-call]
        if self._ends_at < float("inf"):
            self._wake()

    def _wake(self) -> None:
        os.write(self.PIPE[1], b"1")  # type: ignore[has-type]
