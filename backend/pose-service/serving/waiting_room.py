"""The connections that no thread works for: silent ones, half-sent heads, and what refused clients still send."""

from __future__ import annotations

import contextlib
import selectors
import socket
import time
from collections.abc import Callable
from typing import Optional

from serving.connection import Connection

# From its acceptance, or from its last answer, until its request's head is whole.
HEAD_SECONDS = 10.0
# A thousand clients may each fill one: this and no more is kept of what none of them finishes.
MAX_HEAD_BYTES = 64 * 1024
LINGER_SECONDS = 10.0
LINGER_BYTES = 256 * 1024 * 1024
CHUNKS_AT_ONCE = 16

Taker = Callable[[Connection], None]


class WaitingRoom:
    """Used by one thread, the worker's loop. `take` is called with each connection whose request head is there.

    Every connection in here ends by itself: a client that is silent, or sends byte after byte, meets a deadline that
    nothing renews, and costs no thread until then.
    """

    def __init__(self, poller: selectors.BaseSelector, take: Taker, refuse: Taker) -> None:
        self._poller = poller
        self._take = take
        self._refuse = refuse
        # In the order of their deadlines, because both kinds have equal times.
        self._guests: dict[Connection, None] = {}
        self._paused: set[Connection] = set()

    def __len__(self) -> int:
        return len(self._guests)

    def welcome(self, connection: Connection) -> None:
        """Wait for a request head; what came behind the last request may be one already."""
        connection.deadline = time.monotonic() + HEAD_SECONDS
        self._guests[connection] = None
        self._poller.register(connection.sock, selectors.EVENT_READ, lambda _sock: self._listen(connection))
        if connection.head:
            self._look(connection)

    def linger(self, connection: Connection) -> None:
        """Discard what the client still sends, then close.

        A connection that closes while bytes are waiting is reset, and the client sees the reset instead of its answer.
        """
        connection.deadline = time.monotonic() + LINGER_SECONDS
        with contextlib.suppress(OSError):
            connection.sock.setblocking(False)
            connection.sock.shutdown(socket.SHUT_WR)
        self._guests[connection] = None
        self._poller.register(connection.sock, selectors.EVENT_READ, lambda _sock: self._discard(connection))

    def expire(self) -> None:
        """End the connections whose time is up, and look again at those that were behind."""
        now = time.monotonic()
        for connection in [guest for guest in self._guests if guest.deadline < now]:
            self._end(connection)
        for connection in [guest for guest in self._paused if not guest.is_behind]:
            self._paused.discard(connection)
            self._poller.register(connection.sock, selectors.EVENT_READ, lambda _sock, it=connection: self._listen(it))
            self._look(connection)

    def drop_oldest(self) -> bool:
        """Make room for somebody new; False when nobody waits."""
        oldest: Optional[Connection] = next(iter(self._guests), None)
        if oldest is not None:
            self._end(oldest)
        return oldest is not None

    def _listen(self, connection: Connection) -> None:
        if connection not in self._guests:
            # Dropped since the poller named it.
            return
        try:
            received = connection.receive()
        except BlockingIOError:
            return
        if received:
            connection.add(received)
            self._look(connection)
        else:
            self._end(connection)

    def _look(self, connection: Connection) -> None:
        if connection.has_head and connection.is_behind:
            # It asks again without having taken its last answer.
            self._poller.unregister(connection.sock)
            self._paused.add(connection)
        elif connection.has_head:
            self._release(connection)
            self._take(connection)
        elif len(connection.head) > MAX_HEAD_BYTES:
            self._release(connection)
            self._refuse(connection)

    def _discard(self, connection: Connection) -> None:
        for _ in range(CHUNKS_AT_ONCE):
            if connection not in self._guests:
                return
            try:
                received = connection.receive()
            except BlockingIOError:
                return
            connection.discarded_bytes += len(received)
            if not received or connection.discarded_bytes > LINGER_BYTES:
                self._end(connection)

    def _release(self, connection: Connection) -> None:
        del self._guests[connection]
        self._paused.discard(connection)
        # A paused one is not registered.
        with contextlib.suppress(KeyError):
            self._poller.unregister(connection.sock)

    def _end(self, connection: Connection) -> None:
        self._release(connection)
        connection.close()
