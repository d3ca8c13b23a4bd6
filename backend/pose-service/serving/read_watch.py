"""Ends the reading from clients that take too long to send."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

SWEEP_SECONDS = 0.2


@dataclass(eq=False)
class Limit:
    """One reading; `client` is None where no socket is known (in tests). is_over once its time was up."""

    client: socket.socket | None
    deadline: float
    is_over: bool = False


class ReadWatch:
    """Shuts the receiving side of sockets whose deadline passed: a blocked read then returns what a gone client leaves.

    A socket's own timeout begins anew with every byte, so a client that sends one byte a second never meets it.
    The sending side stays open for the answer.
    """

    def __init__(self) -> None:
        self._limits: set[Limit] = set()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @contextlib.contextmanager
    def limit(self, client: socket.socket | None, seconds: float) -> Iterator[Limit]:
        """Limit all reading inside the block to `seconds` together."""
        limit = Limit(client, time.monotonic() + seconds)
        self._begin(limit)
        try:
            yield limit
        finally:
            self.forget(limit)

    def forget(self, limit: Limit) -> None:
        """What was to be read is there."""
        with self._lock:
            self._limits.discard(limit)

    def _begin(self, limit: Limit) -> None:
        with self._lock:
            self._limits.add(limit)
            # Begun with the first request, because a thread does not survive the fork of a worker.
            if self._thread is None:
                self._thread = threading.Thread(target=self._sweep, name="read-watch", daemon=True)
                self._thread.start()

    def _sweep(self) -> None:
        while True:
            time.sleep(SWEEP_SECONDS)
            with self._lock:
                late = [limit for limit in self._limits if limit.deadline < time.monotonic()]
                for limit in late:
                    self._end(limit)

    def _end(self, limit: Limit) -> None:
        limit.is_over = True
        self._limits.discard(limit)
        if limit.client is None:
            return
        with contextlib.suppress(OSError):
            limit.client.shutdown(socket.SHUT_RD)


WATCH = ReadWatch()
